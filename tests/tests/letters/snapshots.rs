//! Each letter word for word; `UPDATE_EXPECT=1` rewrites, and the diff is reviewed.

use crate::letters;
use local_shop::sample_cases::SampleNames;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[test]
fn every_letter_reads_as_its_file_has_it() {
    for (name, _, mail) in letters(&SampleNames::default()) {
        let text = format!("{}\n\n{}", mail.subject, mail.text);
        compare(&format!("{name}.txt"), &text);
        // An element a line: what changed can be seen.
        compare(&format!("{name}.html"), &mail.html.replace("><", ">\n<"));
    }
}

#[test]
fn no_expected_letter_is_orphaned() {
    let names = letters(&SampleNames::default()).into_iter();
    let expected: BTreeSet<String> = names
        .flat_map(|(name, ..)| [format!("{name}.html"), format!("{name}.txt")])
        .collect();
    let there: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, expected);
}

fn compare(name: &str, told: &str) {
    let path = folder().join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, told).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let mut lines = expected.lines().zip(told.lines());
    let first = lines.find(|(a, b)| a != b);
    assert!(
        expected == told,
        "{name} is not as expected, first here: {first:?}"
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("letters")
}
