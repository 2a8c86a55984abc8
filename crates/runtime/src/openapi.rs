//! What the documents of our interfaces have in common. They are made from the types that are read
//! and answered with: OpenAPI's schemas are JSON Schema since its version 3.1, which `schemars`
//! writes. Nothing that is deployed has this.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A document, by the names in the order of the specification.
#[derive(Serialize)]
pub struct OpenApiDocument {
    /// The version of the specification.
    pub openapi: &'static str,
    /// Title, version, summary, description.
    pub info: Value,
    /// Where it is answered.
    pub servers: Value,
    /// What its operations are grouped by.
    pub tags: Value,
    /// What may be asked.
    pub paths: Value,
    /// What is sent by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<Value>,
    /// What several addresses share.
    pub components: Value,
}

impl OpenApiDocument {
    /// An empty one. `host` says whose host name its addresses have.
    pub fn new(info: Value, host: &str) -> Self {
        Self {
            openapi: "3.1.0",
            info,
            servers: json!([{
                "url": "https://{host}",
                "variables": {
                    "host": { "default": "shop.example.com", "description": host },
                },
            }]),
            tags: Value::Null,
            paths: Value::Null,
            webhooks: None,
            components: Value::Null,
        }
    }

    /// As a file has it, with a line end.
    ///
    /// # Errors
    /// None that a document like this can have.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}

/// What is made from types, by the name under which others refer to it: those that `read` and
/// `answered` name.
pub fn named_schemas(
    read: impl FnOnce(&mut SchemaGenerator),
    answered: impl FnOnce(&mut SchemaGenerator),
) -> Map<String, Value> {
    let settings = || {
        SchemaSettings::draft2020_12()
            .with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
            .with_transform(tidy)
    };
    let mut reader = settings().for_deserialize().into_generator();
    read(&mut reader);
    let mut writer = settings().for_serialize().into_generator();
    answered(&mut writer);
    let mut named = reader.take_definitions(true);
    named.append(&mut writer.take_definitions(true));
    named
}

/// Puts a type among the named ones.
pub fn name<T: JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<T>();
}

/// As a document has it: what is absent has no default, where our types have a `null`; a whole
/// number's width is ours to know; and a comment is one line.
pub fn tidy(schema: &mut Schema) {
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
