//! Schemas of single fields that partners send.

use super::error::MAX_TEXT;
use super::sub_ids::{MAX_ENTRIES, MAX_NAME_BYTES};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// 1 to 254 bytes of plain text; a schema counts characters.
pub fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_TEXT,
        "pattern": WITHOUT_CONTROLS,
    })
}

/// A referral code, in any case.
pub(super) fn code(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_TEXT,
        "pattern": "^ *[A-Za-z0-9._-]{1,64} *$",
    })
}

pub(super) fn address(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = text(generator);
    schema.insert("format".to_owned(), "email".into());
    schema
}

pub(super) fn amount(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": MAX_TEXT,
        "pattern": "^[0-9]+([.,][0-9]+)?$",
    })
}

pub(super) fn sub_ids(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": MAX_ENTRIES,
        "propertyNames": {
            "minLength": 1,
            "maxLength": MAX_NAME_BYTES,
            "pattern": "^[A-Za-z0-9_.-]+$",
        },
        "additionalProperties": {
            "type": "string",
            "maxLength": MAX_TEXT,
            "pattern": WITHOUT_CONTROLS,
        },
    })
}

/// At least one of these is there.
pub(super) fn any_of<const N: usize>(names: [&str; N]) -> Value {
    names
        .iter()
        .map(|name| json!({ "required": [name] }))
        .collect()
}

const WITHOUT_CONTROLS: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
