//! The document of the partners' interface, made from the types that are read and answered with.
//! OpenAPI's schemas are JSON Schema since its version 3.1, which `schemars` writes.

mod paths;
mod components;
mod webhooks;

use crate::referral_status::ReferralResponse;
use crate::report::ReportResponse;
use providers::partner::report_schema::{postback_schema, report_schema};
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
    let schemas = Schemas::generate();
    let document = Document {
        openapi: "3.1.0",
        info: json!({
            "title": "Orangery for partners",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Report whom you sent, and ask what became of it.",
            "description": "How requests are signed is in signing.md beside this file. Times are \
                RFC 3339 in UTC. A request that is answered 503 was not taken in for certain: send \
                it again under the same id. Every other address, and every other method, is \
                answered 404 or 405.",
        }),
        servers: json!([{
            "url": "https://{host}",
            "variables": {
                "host": { "default": "shop.example.com", "description": "The shop's." },
            },
        }]),
        tags: json!([
            { "name": "reports", "description": "What you tell the shop." },
            { "name": "answers", "description": "What the shop tells you." },
            { "name": "notices", "description": "What the shop tells you by itself." },
        ]),
        paths: paths::paths(&schemas),
        webhooks: webhooks::webhooks(),
        components: components::components(&schemas),
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
    webhooks: Value,
    components: Value,
}

/// What is made from types.
struct Schemas {
    /// By the name under which others refer to it.
    named: Map<String, Value>,
    /// The schema of each parameter of a postback is a property.
    postback: Schema,
    text: Schema,
}

impl Schemas {
    fn generate() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| {
                    settings.definitions_path = "/components/schemas".into();
                    settings.meta_schema = None;
                })
                .with_transform(tidy)
        };
        let mut read = settings().for_deserialize().into_generator();
        report_schema(&mut read);
        let mut postback = postback_schema(&mut read);
        tidy(&mut postback);
        let text = providers::partner::schema::text(&mut read);
        let mut answered = settings().for_serialize().into_generator();
        name::<ReportResponse<'static>>(&mut answered);
        name::<ReferralResponse<'static>>(&mut answered);
        let mut named = read.take_definitions(true);
        named.append(&mut answered.take_definitions(true));
        Self {
            named,
            postback,
            text,
        }
    }
}

/// Puts a type among the named ones.
fn name<T: JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<T>();
}

/// As a document has it: what is absent has no default, where our types have a `null`; and a
/// comment is one line.
fn tidy(schema: &mut Schema) {
    schema.remove("default");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    transform_subschemas(&mut tidy, schema);
}
