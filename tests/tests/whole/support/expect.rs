//! What is expected stands in a file; `INSTA_UPDATE=always` rewrites it and the diff is reviewed.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// Compares with a JSON file of `tests/stories`.
pub(crate) fn assert_expected(name: &str, seen: &Value) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(stories_folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_json_snapshot!(name, seen));
}

/// The folder of stories and of what is expected of them.
pub(crate) fn stories_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stories")
}

/// Where two texts part.
pub(crate) fn first_difference(expected: &str, actual: &str) -> String {
    let mut lines = expected.lines().zip(actual.lines()).enumerate();
    match lines.find(|(_, (a, b))| a != b) {
        Some((line, (a, b))) => format!("line {}: expected `{a}`, told `{b}`", line + 1),
        None => "one goes on where the other ends".into(),
    }
}
