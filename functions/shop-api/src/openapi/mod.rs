//! The document of the shop's interface, made from the types that are read and answered with.

mod paths;
mod components;

use crate::customers::{CustomersResponse, FindRequest};
use crate::entitlements::{CheckRequest, CheckResponse, EntitlementsResponse};
use crate::refusal::RefusalBody;
use crate::tokens::{TokenRequest, TokenResponse};
use crate::usage::{UsageBatch, UsageResponse};
use runtime::openapi::{OpenApiDocument, name, named_schemas};
use serde_json::{Map, Value, json};

/// The document: JSON, by the names in the order of the specification, with a line end.
///
/// # Errors
/// None that a document like this can have.
pub fn document() -> Result<String, serde_json::Error> {
    let info = json!({
        "title": "Orangery for the shop's own code",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "Ask what is known of customers and what they may use; tell what they used.",
        "description": "Times are RFC 3339 in UTC, amounts integers in minor units. Fields may \
            be added. A question that is answered 503 was not answered: ask again; it denies \
            nothing. Every other address, and every other method, is answered 404 or 405.",
    });
    let document = OpenApiDocument {
        tags: json!([
            { "name": "use", "description": "What a customer may use." },
            { "name": "records", "description": "What is known of a customer." },
            { "name": "usage", "description": "What customers used." },
        ]),
        paths: paths::paths(),
        components: components::components(&schemas()),
        ..OpenApiDocument::new(info, "The stage's own.")
    };
    document.to_text()
}

/// What is made from types, by the name under which others refer to it.
fn schemas() -> Map<String, Value> {
    named_schemas(
        |read| {
            name::<FindRequest>(read);
            name::<CheckRequest>(read);
            name::<TokenRequest>(read);
            name::<UsageBatch>(read);
        },
        |answered| {
            name::<CustomersResponse>(answered);
            name::<EntitlementsResponse>(answered);
            name::<CheckResponse>(answered);
            name::<TokenResponse<'static>>(answered);
            name::<UsageResponse>(answered);
            name::<RefusalBody>(answered);
        },
    )
}
