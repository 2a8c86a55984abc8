//! What can be asked, under which address, and what is answered.

use serde_json::{Map, Value, json};

pub(super) fn paths() -> Value {
    let reference = json!([{ "$ref": "#/components/parameters/Reference" }]);
    json!({
        "/v1/check": { "post": check(), "options": preflight("checkPreflight") },
        "/v1/usage": { "post": usage() },
        "/v1/customers/{reference}/entitlements": {
            "parameters": reference,
            "get": entitlements(),
            "options": preflight("entitlementsPreflight"),
        },
        "/v1/customers/{reference}": { "parameters": reference, "get": customers() },
        "/v1/customers/find": { "post": find() },
        "/v1/customers/{reference}/tokens": { "parameters": reference, "post": tokens() },
    })
}

fn check() -> Value {
    json!({
        "operationId": "check",
        "tags": ["use"],
        "summary": "May this customer use this feature, and so much of it?",
        "description": "Always 200 where the question can be understood: a customer or a feature \
            that is not known is `allowed: false`, and `why` says so. Of several customers who \
            share a reference, the one who may use most answers.",
        "security": [{ "key": [] }, { "token": [] }],
        "requestBody": body("Question", true, &json!({
            "flag": {
                "summary": "A flag",
                "value": { "customer": "shop/1207", "feature": "export" },
            },
            "limit": {
                "summary": "So many of a limit",
                "value": { "customer": "shop/1207", "feature": "seats", "want": 3 },
            },
            "tier": {
                "summary": "This level of a tier, or a higher one",
                "value": { "customer": "shop/1207", "feature": "support", "want": "premium" },
            },
            "browser": {
                "summary": "With a token, of its own customer",
                "value": { "feature": "export" },
            },
        })),
        "responses": responses(&[
            ("200", "CheckAnswer"),
            ("400", "Malformed"),
            ("401", "NotProven"),
            ("403", "OutOfScope"),
            ("413", "TooLarge"),
            ("422", "InvalidField"),
            ("429", "TooFast"),
            ("503", "TryAgain"),
        ]),
    })
}

fn usage() -> Value {
    json!({
        "operationId": "tellUsage",
        "tags": ["usage"],
        "summary": "What customers used: up to 1,000 events, each taken by itself",
        "description": "An event is known by its id, within its customer's meter, for ever: told \
            again it is a `duplicate` and changes nothing, with another content a `conflict`, of \
            which both are kept and the first by time counts. Tell the same again after a 503, or \
            no answer. Usage of a customer who is not known yet waits.",
        "security": [{ "key": [] }],
        "requestBody": body("Usage", true, &json!({
            "one": { "value": { "events": [{
                "id": "req-0190a6b2-7f3e", "customer": "shop/1207", "meter": "requests",
                "quantity": "1.5", "occurred_at": "2026-03-14T10:05:07.123Z",
                "properties": { "region": "eu" },
            }] } },
        })),
        "responses": responses(&[
            ("200", "UsageAnswer"),
            ("400", "Malformed"),
            ("401", "NotProven"),
            ("403", "OutOfScope"),
            ("413", "TooLarge"),
            ("422", "InvalidField"),
            ("503", "TryAgain"),
        ]),
    })
}

fn entitlements() -> Value {
    json!({
        "operationId": "entitlements",
        "tags": ["use"],
        "summary": "What the customers of a reference may use: every feature of the catalog",
        "security": [{ "key": [] }, { "token": [] }],
        "parameters": [{ "$ref": "#/components/parameters/IfNoneMatch" }],
        "responses": responses(&[
            ("200", "Entitlements"),
            ("304", "NotModified"),
            ("400", "Malformed"),
            ("401", "NotProven"),
            ("403", "OutOfScope"),
            ("404", "UnknownCustomer"),
            ("414", "ReferenceTooLong"),
            ("429", "TooFast"),
            ("503", "TryAgain"),
        ]),
    })
}

fn customers() -> Value {
    json!({
        "operationId": "customers",
        "tags": ["records"],
        "summary": "The records of the customers that a reference leads to",
        "description": "A record has the latest twelve payments; `payments=1` gives the latest 50 \
            of all, `payments=2` those before.",
        "security": [{ "key": [] }],
        "parameters": [
            {
                "name": "payments",
                "in": "query",
                "description": "Which page of all payments.",
                "schema": { "type": "integer", "minimum": 1, "maximum": 1000 },
            },
            { "$ref": "#/components/parameters/IfNoneMatch" },
        ],
        "responses": responses(&[
            ("200", "Customers"),
            ("304", "NotModified"),
            ("400", "Malformed"),
            ("401", "NotProven"),
            ("403", "OutOfScope"),
            ("404", "UnknownCustomer"),
            ("414", "ReferenceTooLong"),
            ("503", "TryAgain"),
        ]),
    })
}

fn find() -> Value {
    json!({
        "operationId": "find",
        "tags": ["records"],
        "summary": "The records of the customers with an e-mail address",
        "security": [{ "key": [] }],
        "requestBody": body("Find", true, &json!({
            "address": { "value": { "email": "nell@example.com" } },
        })),
        "responses": responses(&[
            ("200", "Customers"),
            ("400", "Malformed"),
            ("401", "NotProven"),
            ("403", "OutOfScope"),
            ("404", "UnknownCustomer"),
            ("413", "TooLarge"),
            ("422", "InvalidField"),
            ("503", "TryAgain"),
        ]),
    })
}

fn tokens() -> Value {
    json!({
        "operationId": "makeToken",
        "tags": ["use"],
        "summary": "A token for the browser of the customer that a reference leads to",
        "description": "It opens what that customer may use, asked for as `me`, and nothing else. \
            A key that reads is enough. Without a body it lasts 15 minutes.",
        "security": [{ "key": [] }],
        "requestBody": body("TokenWish", false, &json!({
            "hour": { "value": { "minutes": 60 } },
        })),
        "responses": responses(&[
            ("201", "Token"),
            ("400", "Malformed"),
            ("401", "NotProven"),
            ("403", "OutOfScope"),
            ("404", "UnknownCustomer"),
            ("409", "SeveralCustomers"),
            ("413", "TooLarge"),
            ("414", "ReferenceTooLong"),
            ("422", "InvalidField"),
            ("503", "TryAgain"),
        ]),
    })
}

fn preflight(operation: &str) -> Value {
    json!({
        "operationId": operation,
        "tags": ["use"],
        "summary": "A browser asks whether it may ask; it does so by itself",
        "responses": responses(&[("204", "Preflight")]),
    })
}

fn body(schema: &str, required: bool, examples: &Value) -> Value {
    let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
    let content = json!({ "application/json": { "schema": schema, "examples": examples } });
    json!({ "required": required, "content": content })
}

fn responses(by_status: &[(&str, &str)]) -> Value {
    let named = by_status.iter().map(|(status, name)| {
        let response = json!({ "$ref": format!("#/components/responses/{name}") });
        ((*status).to_owned(), response)
    });
    Value::Object(named.collect::<Map<_, _>>())
}
