//! What several addresses share: parameters, credentials, answers, schemas.

use crate::body::MAX_BODY_BYTES;
use crate::route::MAX_REFERENCE;
use crate::usage::MAX_BYTES;
use serde_json::{Map, Value, json};

pub(super) fn components(schemas: &Map<String, Value>) -> Value {
    json!({
        "parameters": parameters(),
        "securitySchemes": credentials(),
        "responses": responses(),
        "schemas": schemas,
    })
}

fn parameters() -> Value {
    json!({
        "Reference": {
            "name": "reference",
            "in": "path",
            "required": true,
            "description": "Anything that leads to a customer: its key (provider/mode/id), any id \
                in full in the same way, `shop/ID` for the shop's own id, or an id alone. \
                Percent-encoded, `/` too. With a token `me`.",
            "schema": { "type": "string", "minLength": 1, "maxLength": MAX_REFERENCE },
            "example": "shop/1207",
        },
        "IfNoneMatch": {
            "name": "if-none-match",
            "in": "header",
            "description": "The `etag` of an answer that is at hand.",
            "schema": { "type": "string" },
        },
    })
}

fn credentials() -> Value {
    json!({
        "key": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "orangery_key_…",
            "description": "A key of the shop's server, by `orangery key create`.",
        },
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "orangery_token_…",
            "description": "A token of one customer's browser.",
        },
    })
}

fn responses() -> Value {
    let (asked, told) = (MAX_BODY_BYTES / 1024, MAX_BYTES / 1024);
    let too_large = format!("More than {asked} kB; of usage, more than {told} kB.");
    let too_long = format!("A reference of more than {MAX_REFERENCE} bytes.");
    let answers = [
        ("CheckAnswer", "CheckAnswer", "May, or may not, and why."),
        ("Entitlements", "AllEntitlements", "What they may use."),
        ("Customers", "Customers", "What is known of them."),
        ("Token", "Token", "For that customer's browser alone."),
        ("UsageAnswer", "UsageAnswer", "What became of each event."),
    ];
    let refusals = [
        (
            "Malformed",
            "The query or the body can't be read in one way.",
        ),
        (
            "NotProven",
            "No key or token that is in force here: it is missing, mistyped, of another stage, \
            forged, revoked, or its time is over. `code` says which.",
        ),
        (
            "OutOfScope",
            "A token opens what its own customer may use, and nothing else; a key that may only \
                ask tells no usage.",
        ),
        (
            "TooFast",
            "A customer's browsers ask more than five times a second, and 50 times at once. \
            `retry-after` says when to ask again.",
        ),
        ("UnknownCustomer", "Nobody is known by that reference."),
        (
            "SeveralCustomers",
            "Several customers share that reference, and this is for one.",
        ),
        ("TooLarge", &too_large),
        ("ReferenceTooLong", &too_long),
        (
            "InvalidField",
            "A field is not what it should be: it is named.",
        ),
        (
            "TryAgain",
            "It could not be read. Ask again; nothing is denied by it.",
        ),
    ];
    let refusals = refusals.map(|(name, description)| (name, "Refusal", description));
    let all = answers.into_iter().chain(refusals);
    let mut named: Map<String, Value> = all
        .map(|(name, schema, description)| {
            let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
            let content = json!({ "application/json": { "schema": schema } });
            let response = json!({ "description": description, "content": content });
            (name.to_owned(), response)
        })
        .collect();
    for (name, description) in [
        ("NotModified", "The answer at hand still holds."),
        ("Preflight", "It may."),
    ] {
        named.insert(name.to_owned(), json!({ "description": description }));
    }
    Value::Object(named)
}
