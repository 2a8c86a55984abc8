//! Values held against the schemas of the partners' document.

use serde_json::Value;

/// What in a value is not as its schema has it; nothing where all is. A format that the validator
/// does not know is a failure.
pub(crate) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut root = schema.clone();
    root["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .build(&root)
        .expect("is a schema");
    let errors = validator.iter_errors(value);
    errors.map(|error| error.to_string()).collect()
}
