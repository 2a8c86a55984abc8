//! What several addresses share: parameters, proofs, answers, schemas.

use super::{Schemas, webhooks};
use crate::MAX_BODY_BYTES;
use serde_json::{Map, Value, json};

pub(super) fn components(schemas: &Schemas) -> Value {
    let mut named = schemas.named.clone();
    named.insert("Error".to_owned(), error());
    let notices = webhooks::schemas().map(|(name, schema)| (name.to_owned(), schema));
    named.extend(notices);
    json!({
        "parameters": parameters(),
        "securitySchemes": proofs(),
        "responses": responses(),
        "schemas": named,
    })
}

/// As `HttpResponse::error` writes it.
fn error() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "additionalProperties": false,
        "properties": {
            "error": { "type": "string", "description": "What was seen, and what to do." },
        },
    })
}

fn parameters() -> Value {
    let header = |name: &str, description: &str, schema: Value| {
        json!({
            "name": name,
            "in": "header",
            "required": true,
            "description": description,
            "schema": schema,
        })
    };
    json!({
        "Partner": {
            "name": "partner",
            "in": "path",
            "required": true,
            "description": "Your name here.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": 64,
                "pattern": "^[a-z0-9-]+$",
            },
            "example": "acme",
        },
        "WebhookId": header(
            "webhook-id",
            "Your id of this request.",
            json!({
                "type": "string",
                "minLength": 1,
                "maxLength": 128,
                "pattern": "^[A-Za-z0-9_-]+$",
            }),
        ),
        "WebhookTimestamp": header(
            "webhook-timestamp",
            "When you sign: seconds since 1970, at most five minutes from the shop's clock.",
            json!({ "type": "string", "pattern": "^(0|[1-9][0-9]*)$" }),
        ),
        "WebhookSignature": header(
            "webhook-signature",
            "`v1,` and the base64 of the HMAC-SHA256, or `v1a,` and that of an Ed25519 signature \
            with a key of your own; several with blanks between, while a key is replaced.",
            json!({ "type": "string", "maxLength": 4096 }),
        ),
    })
}

fn proofs() -> Value {
    let proof = |place: &str, name: &str, description: &str| {
        let kind = "apiKey";
        json!({ "type": kind, "in": place, "name": name, "description": description })
    };
    json!({
        "signature": proof(
            "header",
            "webhook-signature",
            "Standard Webhooks, under your secret: over id, time and body; over id, time and \
            `GET /partners/NAME/referrals/ID` where there is no body.",
        ),
        "token": proof("query", "token", "A token that opens the postback and nothing else."),
        "querySignature": proof(
            "query",
            "sig",
            "64 lower-case hex digits: the HMAC-SHA256 under your secret over address, time and \
            parameters.",
        ),
        "queryTime": proof(
            "query",
            "ts",
            "The time that is signed with it: seconds since 1970, at most five minutes from the \
            shop's clock.",
        ),
    })
}

fn responses() -> Value {
    let too_large = format!("More than {} kB.", MAX_BODY_BYTES / 1024);
    let answers = [
        (
            "Accepted",
            "Accepted",
            "It is kept. Whether the customer is known is not told.",
        ),
        ("ReferralStatus", "Referral", "How it stands."),
    ];
    let errors = [
        (
            "Garbled",
            "It can't be read in one way: a header, the JSON, the query. Nothing was kept.",
        ),
        (
            "Unproven",
            "Nothing proves that it is yours, it was signed more than five minutes ago or ahead, \
            or the key is no longer in force.",
        ),
        (
            "NoSuchAddress",
            "The address names no partner as partners are named.",
        ),
        (
            "NoSuchReferral",
            "No referral was reported under this id, or the address is none.",
        ),
        (
            "Conflict",
            "The id came before with another content. What it said first stands; both are kept. \
            Or you have reported this customer 32 times, and more is not kept.",
        ),
        (
            "TooFast",
            "More than ten requests a second, and 200 at once. Send it again a little later.",
        ),
        ("TooLarge", &too_large),
        (
            "Unreadable",
            "A field is missing or not what it should be: the field is named. Mend it and send it \
            again under the same id.",
        ),
        (
            "HeadersTooLarge",
            "More than 128 headers, or 32 kB of them.",
        ),
        (
            "TryAgain",
            "It could not be kept, or not be read. Send it again under the same id.",
        ),
    ];
    let errors = errors.map(|(name, description)| (name, "Error", description));
    let all = answers.into_iter().chain(errors);
    let named = all.map(|(name, schema, description)| {
        let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
        let content = json!({ "application/json": { "schema": schema } });
        let response = json!({ "description": description, "content": content });
        (name.to_owned(), response)
    });
    Value::Object(named.collect::<Map<_, _>>())
}
