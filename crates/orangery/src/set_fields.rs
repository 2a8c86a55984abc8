//! `--set PATH=VALUE`: fields of a sample or a file, and what a mistyped one may have meant.

use crate::terminal;
use anyhow::bail;
use local_shop::delivery::{MissingField, missing_field, parse_value, set};
use serde_json::Value;
use std::io::Write;

/// The body with these fields set.
///
/// # Errors
/// When a path leads nowhere, or a field looks like a slip of the finger for one that is there.
pub(crate) fn with_fields_set(
    mut body: Value,
    fields: &[(String, String)],
) -> anyhow::Result<Vec<u8>> {
    for (path, value) in fields {
        match missing_field(&body, path) {
            None => {}
            Some(MissingField {
                name,
                similar: Some(similar),
            }) => bail!("`--set {path}=…`: there is no `{name}` here; did you mean `{similar}`?"),
            Some(MissingField {
                name,
                similar: None,
            }) => writeln!(
                terminal::stderr(),
                "`--set {path}=…`: there was no `{name}` here; it is added"
            )?,
        }
        set(&mut body, path, parse_value(value))?;
    }
    Ok(serde_json::to_vec(&body)?)
}
