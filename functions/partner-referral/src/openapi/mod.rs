//! The document of the partners' interface, made from the types that are read and answered with.

mod paths;
mod components;
mod webhooks;

use crate::referral_status::ReferralResponse;
use crate::report::ReportResponse;
use providers::partner::report_schema::{postback_schema, report_schema};
use runtime::openapi::{OpenApiDocument, name, named_schemas, tidy};
use schemars::Schema;
use serde_json::{Map, Value, json};

/// The document: JSON, by the names in the order of the specification, with a line end.
///
/// # Errors
/// None that a document like this can have.
pub fn document() -> Result<String, serde_json::Error> {
    let schemas = Schemas::generate();
    let info = json!({
        "title": "Orangery for partners",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "Report whom you sent, and ask what became of it.",
        "description": "How requests are signed is in signing.md beside this file. Times are \
            RFC 3339 in UTC. A request that is answered 503 was not taken in for certain: send \
            it again under the same id. Every other address, and every other method, is \
            answered 404 or 405.",
    });
    let document = OpenApiDocument {
        tags: json!([
            { "name": "reports", "description": "What you tell the shop." },
            { "name": "answers", "description": "What the shop tells you." },
            { "name": "notices", "description": "What the shop tells you by itself." },
        ]),
        paths: paths::paths(&schemas),
        webhooks: Some(webhooks::webhooks()),
        components: components::components(&schemas),
        ..OpenApiDocument::new(info, "The shop's.")
    };
    document.to_text()
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
        let (mut postback, mut text) = (Schema::default(), Schema::default());
        let named = named_schemas(
            |read| {
                report_schema(read);
                postback = postback_schema(read);
                tidy(&mut postback);
                text = providers::partner::schema::text(read);
            },
            |answered| {
                name::<ReportResponse<'static>>(answered);
                name::<ReferralResponse<'static>>(answered);
            },
        );
        Self {
            named,
            postback,
            text,
        }
    }
}
