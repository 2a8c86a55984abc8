//! Each letter word for word; `INSTA_UPDATE=always` rewrites, and the diff is reviewed.

use crate::letters;
use local_shop::sample_cases::SampleNames;
use std::collections::BTreeSet;

#[test]
fn every_letter_reads_as_its_file_has_it() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(FOLDER);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for (name, _, mail) in letters(&SampleNames::default()) {
        // Files are compared without their last line end, and without its kind.
        assert!(mail.text.ends_with('\n') && !mail.text.ends_with("\n\n"));
        assert!(!mail.text.contains('\r') && !mail.html.contains('\r'));
        let text = format!("{}\n\n{}", mail.subject, mail.text);
        insta::assert_snapshot!(format!("{name}.txt"), text);
        // An element a line: what changed can be seen.
        let html = mail.html.replace("><", ">\n<");
        insta::assert_snapshot!(format!("{name}.html"), html);
    }
}

#[test]
fn no_expected_letter_is_orphaned() {
    let names = letters(&SampleNames::default()).into_iter();
    let expected: BTreeSet<String> = names
        .flat_map(|(name, ..)| [format!("{name}.html.snap"), format!("{name}.txt.snap")])
        .collect();
    let files: BTreeSet<String> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".snap.new"))
        .collect();
    assert_eq!(files, expected);
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/letters");
