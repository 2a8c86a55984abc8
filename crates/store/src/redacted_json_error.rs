//! JSON that is not as it should be, said without a value of it: the parser's own words quote
//! what they met, and that may be an address or a secret.

use serde_json::error::Category;

/// What is wrong with it, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {line} column {column}")]
pub struct RedactedJsonError {
    what: String,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for RedactedJsonError {
    fn from(error: serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Syntax | Category::Eof | Category::Io => "no JSON".to_owned(),
            Category::Data => redacted_message(&error.to_string()),
        };
        Self {
            what,
            line: error.line(),
            column: error.column(),
        }
    }
}

/// Only the name of a field that is missing is ours, and so may be repeated.
fn redacted_message(words: &str) -> String {
    let missing = words.strip_prefix("missing field `");
    match missing.and_then(|rest| rest.split_once('`')) {
        Some((field, _)) => format!("no field `{field}`"),
        None => "something of another type".to_owned(),
    }
}
