//! What can be asked, under which address, and what is answered.

use super::Schemas;
use crate::MAX_BODY_BYTES;
use crate::route::PartnerResource;
use serde_json::{Map, Value, json};

pub(super) fn paths(schemas: &Schemas) -> Value {
    let mut paths = Map::new();
    let partner = json!({ "$ref": "#/components/parameters/Partner" });
    for (address, resource, operation, parameter) in [
        (
            "/partners/{partner}/events",
            PartnerResource::Events,
            events(),
            None,
        ),
        (
            "/partners/{partner}/referrals/{referral}",
            PartnerResource::Referral(String::new()),
            referral(),
            Some(referral_parameter(schemas)),
        ),
        (
            "/partners/{partner}/postback",
            PartnerResource::Postback,
            postback(schemas),
            None,
        ),
    ] {
        let parameters: Value = [partner.clone()].into_iter().chain(parameter).collect();
        let mut methods = Map::new();
        methods.insert("parameters".to_owned(), parameters);
        methods.insert(resource.method().to_lowercase(), operation);
        paths.insert(address.to_owned(), methods.into());
    }
    paths.into()
}

fn events() -> Value {
    let most = MAX_BODY_BYTES / 1024;
    json!({
        "operationId": "report",
        "tags": ["reports"],
        "summary": "Report a lead or a referral, or take a referral back",
        "description": format!(
            "One report a request, at most {most} kB. The webhook-id names the report: the same \
            report sent again under it is a repetition and changes nothing, another one under it \
            is a conflict. A further report of the same referral under an id of its own counts \
            besides."
        ),
        "security": [{ "signature": [] }],
        "parameters": signature_headers(),
        "requestBody": {
            "required": true,
            "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Report" },
                "examples": examples(),
            } },
        },
        "responses": responses(&[
            ("202", "Accepted"),
            ("400", "Garbled"),
            ("401", "Unproven"),
            ("404", "NoSuchAddress"),
            ("409", "Conflict"),
            ("413", "TooLarge"),
            ("422", "Unreadable"),
            ("429", "TooFast"),
            ("431", "HeadersTooLarge"),
            ("503", "TryAgain"),
        ]),
    })
}

fn referral() -> Value {
    json!({
        "operationId": "referral",
        "tags": ["answers"],
        "summary": "How a referral stands",
        "description": "Of a customer that has not paid yet nothing is told, whether there is one \
            or not.",
        "security": [{ "signature": [] }],
        "parameters": signature_headers(),
        "responses": responses(&[
            ("200", "ReferralStatus"),
            ("400", "Garbled"),
            ("401", "Unproven"),
            ("404", "NoSuchReferral"),
            ("429", "TooFast"),
            ("431", "HeadersTooLarge"),
            ("503", "TryAgain"),
        ]),
    })
}

fn referral_parameter(schemas: &Schemas) -> Value {
    json!({
        "name": "referral",
        "in": "path",
        "required": true,
        "description": "Your id of the referral; of one that a code of yours made `code/` and the \
            code. Percent-encoded here, and signed as it is.",
        "schema": schemas.text,
        "example": "r-2207",
    })
}

fn postback(schemas: &Schemas) -> Value {
    json!({
        "operationId": "postback",
        "tags": ["reports"],
        "summary": "Report a referral as trackers do",
        "description": "The transaction names report and referral both: sent again with the same \
            values it is a repetition, with others a conflict. Give `email`, `customer_id` or \
            `code`, and either `token` or `ts` and `sig`. Each name stands once, and a name that \
            is not listed here is refused.",
        "security": [{ "token": [] }, { "querySignature": [], "queryTime": [] }],
        "parameters": postback_parameters(schemas),
        "responses": responses(&[
            ("202", "Accepted"),
            ("400", "Garbled"),
            ("401", "Unproven"),
            ("404", "NoSuchAddress"),
            ("409", "Conflict"),
            ("422", "Unreadable"),
            ("429", "TooFast"),
            ("431", "HeadersTooLarge"),
            ("503", "TryAgain"),
        ]),
    })
}

/// Each property of what a postback is read into, as a parameter of the query.
fn postback_parameters(schemas: &Schemas) -> Value {
    let field = |name: &str| schemas.postback.get(name);
    let required = field("required").and_then(Value::as_array);
    let properties = field("properties").and_then(Value::as_object);
    let properties = properties.into_iter().flatten();
    let parameters = properties.map(|(name, schema)| {
        if required.is_some_and(|names| names.iter().any(|required| required == name)) {
            json!({ "name": name, "in": "query", "required": true, "schema": schema,
                "example": "t-1" })
        } else {
            json!({ "name": name, "in": "query", "schema": schema })
        }
    });
    parameters.collect()
}

fn signature_headers() -> Value {
    let names = ["WebhookId", "WebhookTimestamp", "WebhookSignature"];
    let named = names.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }));
    named.into_iter().collect()
}

fn responses(by_status: &[(&str, &str)]) -> Value {
    let named = by_status.iter().map(|(status, name)| {
        let response = json!({ "$ref": format!("#/components/responses/{name}") });
        ((*status).to_owned(), response)
    });
    Value::Object(named.collect())
}

fn examples() -> Value {
    json!({
        "created": {
            "summary": "A customer was sent",
            "value": { "type": "referral.created", "data": {
                "referral_id": "r-2207",
                "customer": { "email": "nell@example.com" },
                "occurred_at": "2026-02-28T23:15:00Z",
                "sub_ids": { "campaign": "spring" },
            } },
        },
        "by_code": {
            "summary": "A customer was sent who will show a code",
            "value": { "type": "referral.created", "data": {
                "referral_id": "r-2208",
                "customer": { "code": "citrus-blog" },
            } },
        },
        "flat": {
            "summary": "The same without an object of its own for the customer",
            "value": { "type": "referral.created", "data": {
                "referral_id": "r-2209",
                "email": "nell@example.com",
                "customer_id": "shop-1207",
            } },
        },
        "lead": {
            "summary": "Somebody may become a customer",
            "value": { "type": "lead.created", "data": {
                "referral_id": "r-2210",
                "customer": { "email": "ada@example.com" },
            } },
        },
        "canceled": {
            "summary": "A referral is taken back",
            "value": { "type": "referral.canceled", "data": {
                "referral_id": "r-2207",
                "customer": { "email": "nell@example.com" },
            } },
        },
    })
}
