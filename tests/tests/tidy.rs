//! The design's style, held by a test: sizes, arrows, and who may name whom.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// All that a function may say of it: that it is the table it is deployed with.
const TABLE_NAMED_BY_FUNCTIONS: [&str; 3] = [
    "use store::dynamo::DynamoTable;",
    "<DynamoTable",
    "DynamoTable::new(cloud.dynamo(), settings.required(\"TABLE\")?)",
];

/// Which of our own packages one may stand on; a package that is not listed stands on none.
const ALLOWED_DEPENDENCIES: [(&str, &str); 8] = [
    ("providers", "domain"),
    ("store", "domain"),
    ("runtime", "domain providers store"),
    ("functions", "domain providers store runtime"),
    ("local-cloud", "runtime"),
    ("local-shop", BELOW_LOCAL_SHOP),
    ("pages", BELOW_PAGES),
    ("orangery", BELOW_COMMAND),
];
const BELOW_LOCAL_SHOP: &str = "domain providers store runtime functions local-cloud";
const BELOW_PAGES: &str = "domain providers store runtime functions local-cloud local-shop";
const BELOW_COMMAND: &str = "domain providers store runtime functions local-cloud local-shop pages";

#[test]
fn no_line_file_or_function_is_too_long() {
    let mut faults = Vec::new();
    let borne = exceptions("oversized");
    for file in sources().filter(|file| !borne.covers(file)) {
        let lines: Vec<&str> = file.text.lines().collect();
        if lines.len() > 400 {
            faults.push(format!("{}: {} lines, at most 400", file.path, lines.len()));
        }
        for (number, line) in lines.iter().enumerate() {
            let columns = line.chars().count();
            if columns > 100 {
                faults.push(format!(
                    "{}:{}: {columns} columns, at most 100",
                    file.path,
                    number + 1
                ));
            }
        }
        for (number, name, length) in functions(&lines) {
            if length > 70 {
                faults.push(format!(
                    "{}:{number}: `{name}` has {length} lines, at most 70",
                    file.path
                ));
            }
        }
    }
    assert_tidy(&faults);
}

#[test]
fn arrows_between_packages_go_down_only() {
    let mut faults = Vec::new();
    let functions: BTreeSet<String> = folders("functions").into_iter().collect();
    let crates: BTreeSet<String> = folders("crates").into_iter().collect();
    assert!(
        functions.len() >= 6 && crates.len() >= 5,
        "the house is not where it was"
    );
    for (folder, name) in crates
        .iter()
        .map(|name| ("crates", name))
        .chain(functions.iter().map(|name| ("functions", name)))
    {
        let manifest = read(&format!("{folder}/{name}/Cargo.toml"));
        let manifest: toml::Table = manifest.parse().unwrap();
        let kind = if folder == "functions" { folder } else { name };
        let allowed = ALLOWED_DEPENDENCIES
            .iter()
            .find(|(package, _)| *package == kind);
        let allowed: Vec<&str> = allowed.map_or("", |(_, names)| names).split(' ').collect();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for on in dependencies.keys() {
                let function = functions.contains(on) && !allowed.contains(&"functions");
                let upward = crates.contains(on) && !allowed.contains(&on.as_str());
                if function || upward || on == "tests" {
                    faults.push(format!("{folder}/{name} stands on {on}"));
                }
            }
        }
    }
    assert_tidy(&faults);
}

#[test]
fn no_provider_is_named_outside_its_folder_and_the_list() {
    let not_providers = ["diagnose", "partner", "standard", "tests"];
    let names: Vec<String> = folders("crates/providers/src")
        .into_iter()
        .filter(|name| !not_providers.contains(&name.as_str()))
        .collect();
    let list = read("crates/providers/src/lib.rs");
    assert!(names.contains(&"stripe".to_owned()));
    for name in &names {
        let value = format!("    &{name}::{},", name.to_uppercase());
        assert!(
            list.contains(&value),
            "`{name}` is not in the list of providers"
        );
    }
    let allowed = exceptions("provider_named");
    let mut faults = Vec::new();
    for file in sources().chain(manifests()) {
        for name in &names {
            let own = format!("crates/providers/src/{name}/");
            if !allowed.covers(&file) && !file.path.starts_with(&own) {
                faults.extend(lines_naming(&file, name, &[]));
            }
        }
    }
    assert_tidy(&faults);
}

#[test]
fn the_tables_make_is_named_in_the_store_alone() {
    let excepted = exceptions("table_named");
    let mut faults = Vec::new();
    for file in sources().chain(manifests()) {
        if excepted.covers(&file) {
            continue;
        }
        let allowed: &[&str] = if file.path.starts_with("functions/") {
            &TABLE_NAMED_BY_FUNCTIONS
        } else {
            &[]
        };
        faults.extend(lines_naming(&file, "dynamo", allowed));
    }
    assert_tidy(&faults);
}

#[test]
fn no_exception_outlives_its_cause() {
    for name in ["provider_named", "table_named", "oversized"] {
        for (path, reason) in exceptions(name).0 {
            assert!(
                !reason.is_empty() && root().join(&path).exists(),
                "`{path}` is gone"
            );
        }
    }
}

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
    let paired = |path: &&String| path.contains("/fixtures/") && !path.ends_with("/answers.json");
    for path in paths.iter().filter(paired) {
        let beside = |ending| path.strip_suffix(ending);
        let other = match beside(".expect.json").or_else(|| beside(".answers.json")) {
            Some(name) => format!("{name}.json"),
            None => path.replace(".json", ".expect.json"),
        };
        if !paths.contains(&other) {
            faults.push(format!("{path} without {other}"));
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
    let played = read("crates/local-shop/src/samples.rs");
    for path in paths
        .iter()
        .filter_map(|path| path.strip_prefix("crates/local-shop/"))
    {
        if path.starts_with("samples/") && !played.contains(&format!("../{path}")) {
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

/// Paths that a rule does not reach, and why.
struct RuleExceptions(Vec<(String, String)>);

impl RuleExceptions {
    fn covers(&self, file: &SourceFile) -> bool {
        self.0.iter().any(|(path, _)| file.path.starts_with(path))
    }
}

fn exceptions(name: &str) -> RuleExceptions {
    let file: toml::Table = read("tests/tidy.toml").parse().unwrap();
    let table = file[name].as_table().unwrap();
    let text = |reason: &toml::Value| reason.as_str().unwrap().to_owned();
    let of = table
        .iter()
        .map(|(path, reason)| (path.clone(), text(reason)));
    RuleExceptions(of.collect())
}

#[test]
fn every_folder_has_its_name_plate() {
    let mut faults = Vec::new();
    let packages = ["crates", "functions"].into_iter().flat_map(|of| {
        let folders = folders(of).into_iter();
        folders.map(move |name| format!("{of}/{name}"))
    });
    let halls = ["", "crates", "functions", "infra"].map(str::to_owned);
    for folder in halls.into_iter().chain(packages) {
        if !root().join(&folder).join("README.md").is_file() {
            faults.push(format!("{folder}/README.md is not there"));
        }
    }
    let lines = read("README.md").lines().count();
    if lines > 150 {
        faults.push(format!("README.md has {lines} lines, at most 150"));
    }
    assert_tidy(&faults);
}

struct SourceFile {
    /// From the root, with slashes.
    path: String,
    text: String,
}

fn lines_naming(file: &SourceFile, word: &str, allowed: &[&str]) -> Vec<String> {
    let lines = file.text.lines().enumerate();
    let names = |line: &str| line.to_ascii_lowercase().contains(word);
    lines
        .filter(|(_, line)| names(line) && !allowed.iter().any(|allowed| line.contains(allowed)))
        .map(|(number, line)| format!("{}:{} names it: {}", file.path, number + 1, line.trim()))
        .collect()
}

fn lines_naming_exactly(file: &SourceFile, word: &str) -> Vec<String> {
    let lines = file.text.lines().enumerate();
    lines
        .filter(|(_, line)| line.contains(word))
        .map(|(number, line)| format!("{}:{}: {}", file.path, number + 1, line.trim()))
        .collect()
}

/// Line, name and length of each function, as rustfmt lays them out: its last line is a brace
/// as deep as its first.
fn functions<'a>(lines: &[&'a str]) -> Vec<(usize, &'a str, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let depth = line.len() - code.len();
        let Some(at) = code.find("fn ") else { continue };
        let words = ["pub", "pub(crate)", "pub(super)", "async", "const", ""];
        if !code[..at].split(' ').all(|word| words.contains(&word)) {
            continue;
        }
        let end = format!("{}}}", " ".repeat(depth));
        let rest = &lines[start..];
        let last = rest.iter().position(|line| *line == end);
        let Some(last) = last else { continue };
        let head = rest
            .iter()
            .find(|line| line.ends_with(['{', ';', '}']))
            .unwrap();
        if !head.ends_with('{') {
            continue;
        }
        let name = code[at + 3..].split(['(', '<']).next().unwrap();
        found.push((start + 1, name, last + 1));
    }
    found
}

fn sources() -> impl Iterator<Item = SourceFile> {
    files().filter(|file| file.path.ends_with(".rs"))
}

fn manifests() -> impl Iterator<Item = SourceFile> {
    files().filter(|file| file.path.ends_with("Cargo.toml"))
}

/// Every text in the house, but for what tools make.
fn files() -> impl Iterator<Item = SourceFile> {
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    paths.sort();
    assert!(paths.len() > 100, "the house is not where it was");
    paths.into_iter().filter_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        let path = path.strip_prefix(root()).unwrap();
        Some(SourceFile {
            path: path.to_str().unwrap().replace('\\', "/"),
            text,
        })
    })
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let made = [
            "target",
            "Cargo.lock",
            "node_modules",
            "proptest-regressions",
        ];
        if name.starts_with('.') || made.contains(&name) {
            continue;
        }
        if path.is_dir() {
            walk(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

fn folders(of: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(of)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.to_path_buf()
}

fn assert_tidy(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
