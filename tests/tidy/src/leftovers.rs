//! What somebody forgot: notes to self, orphaned files, exceptions without a cause.

use crate::tree::{assert_tidy, exceptions, files, lines_naming_exactly, read, root, sources};
use std::collections::BTreeSet;

#[test]
fn nothing_is_left_to_do_and_no_debugging_is_left_behind() {
    let mut faults = Vec::new();
    for file in sources() {
        for word in [
            ["TO", "DO"],
            ["FIX", "ME"],
            ["dbg", "!("],
            ["unimple", "mented!("],
        ] {
            faults.extend(lines_naming_exactly(&file, &word.concat()));
        }
    }
    assert_tidy(&faults);
}

#[test]
fn no_fixture_template_or_sample_is_orphaned() {
    let mut faults = Vec::new();
    let paths: BTreeSet<String> = files().map(|file| file.path).collect();
    // What an API answers to all fixtures of a folder belongs to none of them.
    let paired = |path: &&String| {
        let in_pairs = ["/fixtures/", "providers/lives/"];
        in_pairs.iter().any(|folder| path.contains(folder)) && !path.ends_with("/answers.json")
    };
    for path in paths.iter().filter(paired) {
        let beside = |ending| path.strip_suffix(ending);
        let other = match beside(".snap").or_else(|| beside(".answers.json")) {
            Some(name) => format!("{name}.json"),
            None => path.replace(".json", ".snap"),
        };
        if !paths.contains(&other) {
            faults.push(format!("{path} without {other}"));
        }
    }
    // The tests that walk these folders refuse what they compare with nothing.
    let walked = [
        "/fixtures/",
        "providers/lives/",
        "providers/published/",
        "tests/letters/",
        "tests/stories/",
        "providers/src/tests/entitlements/",
        "store/tests/seams/",
    ];
    for path in paths.iter().filter(|path| path.ends_with(".snap")) {
        if !walked.iter().any(|folder| path.contains(folder)) {
            faults.push(format!("no test looks for orphans beside {path}"));
        }
    }
    // Each letter has the same six files; the templates' list names letters and shared files.
    let listed = read("functions/engagement-email/src/templates.rs");
    for path in paths
        .iter()
        .filter_map(|path| path.strip_prefix("functions/engagement-email/letters/"))
    {
        let named = match path.split_once('/') {
            Some((letter, part)) if listed.contains(&format!("\"/{part}\"")) => {
                format!("\"{letter}\"")
            }
            Some(_) | None => format!("\"{path}\""),
        };
        if !listed.contains(&named) {
            faults.push(format!("the template {path} belongs to no letter"));
        }
    }
    let samples = read("crates/local-shop/src/samples.rs");
    for path in paths
        .iter()
        .filter_map(|path| path.strip_prefix("crates/local-shop/"))
    {
        if path.starts_with("samples/") && !samples.contains(&format!("../{path}")) {
            faults.push(format!("nobody plays {path}"));
        }
    }
    assert_tidy(&faults);
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    let mut faults = Vec::new();
    for file in files() {
        for (first, second) in [
            ("home", ""),
            ("Users", ""),
            ("root", ""),
            ("tmp", "wt/"),
            ("work", ""),
        ] {
            faults.extend(lines_naming_exactly(&file, &format!("/{first}/{second}")));
        }
    }
    assert_tidy(&faults);
}

#[test]
fn no_exception_outlives_its_cause() {
    for name in ["provider_named", "table_named", "oversized", "dead_link"] {
        for (path, reason) in exceptions(name).0 {
            assert!(
                !reason.is_empty() && root().join(&path).exists(),
                "`{path}` is gone"
            );
        }
    }
}
