//! The document of the shop's interface, made from the types that are read and answered with.
//! OpenAPI's schemas are JSON Schema since its version 3.1, which `schemars` writes.

mod paths;
mod components;

use crate::customers::{CustomersResponse, FindRequest};
use crate::entitlements::{CheckRequest, CheckResponse, EntitlementsResponse};
use crate::refusal::RefusalBody;
use crate::tokens::{TokenRequest, TokenResponse};
use crate::usage::{UsageBatch, UsageResponse};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The document: JSON, by the names in the order of the specification, with a line end.
///
/// # Errors
/// None that a document like this can have.
pub fn document() -> Result<String, serde_json::Error> {
    let document = Document {
        openapi: "3.1.0",
        info: json!({
            "title": "Orangery for the shop's own code",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Ask what is known of customers and what they may use; tell what they used.",
            "description": "Times are RFC 3339 in UTC, amounts integers in minor units. Fields may \
                be added. A question that is answered 503 was not answered: ask again; it denies \
                nothing. Every other address, and every other method, is answered 404 or 405.",
        }),
        servers: json!([{
            "url": "https://{host}",
            "variables": {
                "host": { "default": "shop.example.com", "description": "The stage's own." },
            },
        }]),
        tags: json!([
            { "name": "use", "description": "What a customer may use." },
            { "name": "records", "description": "What is known of a customer." },
            { "name": "usage", "description": "What customers used." },
        ]),
        paths: paths::paths(),
        components: components::components(&schemas()),
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

#[derive(Serialize)]
struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    tags: Value,
    paths: Value,
    components: Value,
}

/// What is made from types, by the name under which others refer to it.
fn schemas() -> Map<String, Value> {
    let settings = || {
        SchemaSettings::draft2020_12()
            .with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
            .with_transform(tidy)
    };
    let mut read = settings().for_deserialize().into_generator();
    name::<FindRequest>(&mut read);
    name::<CheckRequest>(&mut read);
    name::<TokenRequest>(&mut read);
    name::<UsageBatch>(&mut read);
    let mut answered = settings().for_serialize().into_generator();
    name::<CustomersResponse>(&mut answered);
    name::<EntitlementsResponse>(&mut answered);
    name::<CheckResponse>(&mut answered);
    name::<TokenResponse<'static>>(&mut answered);
    name::<UsageResponse>(&mut answered);
    name::<RefusalBody>(&mut answered);
    let mut named = read.take_definitions(true);
    named.append(&mut answered.take_definitions(true));
    named
}

/// Puts a type among the named ones.
fn name<T: JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<T>();
}

/// As a document has it: what is absent has no default, where our types have a `null`; a whole
/// number's width is ours to know; and a comment is one line.
fn tidy(schema: &mut Schema) {
    schema.remove("default");
    let format = schema.get("format").and_then(Value::as_str);
    if format.is_some_and(|format| format.starts_with("int") || format.starts_with("uint")) {
        schema.remove("format");
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    transform_subschemas(&mut tidy, schema);
}
