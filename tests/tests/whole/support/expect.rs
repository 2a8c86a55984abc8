//! What is expected stands in a file; `UPDATE_EXPECT=1` rewrites it and the diff is reviewed.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// Compares with a JSON file of `tests/stories`.
pub(crate) fn assert_expected(name: &str, told: &Value) {
    let path = stories_folder().join(format!("{name}.snap"));
    let text = format!("{}\n", serde_json::to_string_pretty(told).unwrap());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == text,
        "{name}: not as expected; UPDATE_EXPECT=1 rewrites. {}",
        first_difference(&expected, &text)
    );
}

/// The folder of stories and of what is expected of them.
pub(crate) fn stories_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stories")
}

/// Where two texts part.
pub(crate) fn first_difference(expected: &str, told: &str) -> String {
    let mut lines = expected.lines().zip(told.lines()).enumerate();
    match lines.find(|(_, (a, b))| a != b) {
        Some((line, (a, b))) => format!("line {}: expected `{a}`, told `{b}`", line + 1),
        None => "one goes on where the other ends".into(),
    }
}
