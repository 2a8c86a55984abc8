//! Schemas of what partners send, made from the types that it is read into.

use super::wire_report::{WirePostback, WireReport};
use schemars::{Schema, SchemaGenerator};

/// The schema of a report's body.
pub fn report_schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<WireReport>()
}

/// The schema of a postback's parameters, as an object of which each is a property. Those that
/// prove it are not among them.
pub fn postback_schema(generator: &mut SchemaGenerator) -> Schema {
    <WirePostback as schemars::JsonSchema>::json_schema(generator)
}
