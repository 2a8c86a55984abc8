//! What the shop tells partners by itself: a notice of each kind, with an invented example.

use domain::ids::PartnerId;
use domain::notice::samples;
use domain::notice::{Notice, NoticeData};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The schemas that notices refer to, by name.
pub(super) fn schemas() -> [(&'static str, Value); 3] {
    let text = || json!({ "type": "string" });
    let time = || json!({ "type": "string", "format": "date-time" });
    let sub_ids = || {
        json!({
            "type": "object",
            "additionalProperties": { "type": "string" },
            "description": "Yours, as you reported them.",
        })
    };
    let amount = || {
        json!({
            "amount_minor": { "type": "integer", "description": "In minor units." },
            "currency": { "type": "string", "description": "ISO 4217, in lower case." },
            "exponent": { "type": "integer", "description": "Decimal places of the minor unit." },
        })
    };
    let commission = fields(&[
        ("at", time()),
        ("cause", text()),
        (
            "kind",
            json!({ "enum": ["commission", "refund", "dispute", "reversal"] }),
        ),
        (
            "state",
            json!({ "enum": ["pending", "released", "paid", "held"] }),
        ),
        ("referral_id", text()),
        ("sub_ids", sub_ids()),
        ("releases_at", time()),
        ("text", text()),
    ]);
    let referral = fields(&[
        ("referral_id", text()),
        ("sub_ids", sub_ids()),
        (
            "state",
            json!({ "enum": ["attributed", "held", "refused", "waiting"] }),
        ),
        ("reason", json!({ "$ref": "#/components/schemas/Reason" })),
    ]);
    let amounts = json!({
        "type": "array",
        "items": object(&["amount_minor", "currency", "exponent"], amount()),
    });
    let payout = fields(&[
        ("date", json!({ "type": "string", "format": "date" })),
        ("amounts", amounts),
    ]);
    [
        (
            "CommissionNotice",
            notice(&COMMISSION_REQUIRED, merged(commission, amount())),
        ),
        (
            "ReferralNotice",
            notice(&["referral_id", "state"], referral),
        ),
        ("PayoutNotice", notice(&["date", "amounts"], payout)),
    ]
}

/// A POST to the partner's endpoint for each kind of notice.
pub(super) fn webhooks() -> Value {
    let samples = PartnerId::parse("acme").map_or_else(
        |_| Vec::new(),
        |acme| {
            let notices = samples::samples(&acme, example_time());
            let webhook = |notice: Notice| (notice.kind.to_owned(), webhook(&acme, &notice));
            notices.into_iter().map(webhook).collect()
        },
    );
    samples.into_iter().collect::<Map<_, _>>().into()
}

fn webhook(partner: &PartnerId, notice: &Notice) -> Value {
    let (schema, summary) = match &notice.data {
        NoticeData::Commission(_) => ("CommissionNotice", "A row of your ledger"),
        NoticeData::Referral { .. } => ("ReferralNotice", "How a referral of yours stands"),
        NoticeData::Payout { .. } => ("PayoutNotice", "Money was paid out to you"),
        // No partner is told of these.
        NoticeData::Shop(_) | NoticeData::Access(_) => return Value::Null,
    };
    json!({ "post": {
        "operationId": notice.kind,
        "tags": ["notices"],
        "summary": summary,
        "description": "Signed like a report, under the secret of your endpoint. It comes at least \
            once, and under one webhook-id however often it comes.",
        "requestBody": {
            "required": true,
            "content": { "application/json": {
                "schema": { "$ref": format!("#/components/schemas/{schema}") },
                "example": notice.body(partner, notice.kind),
            } },
        },
        "responses": {
            "2XX": { "description": "You have it. Else it is sent again, for three days." },
            "410": { "description": "You want no more notices." },
        },
    } })
}

fn notice(required: &[&str], data: Map<String, Value>) -> Value {
    let mut data = data;
    data.insert("id".to_owned(), json!({ "type": "string" }));
    let required = [&["id"], required].concat();
    let properties = json!({
        "type": { "type": "string" },
        "timestamp": { "type": "string", "format": "date-time" },
        "data": object(&required, data.into()),
    });
    object(&["type", "timestamp", "data"], properties)
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn fields(named: &[(&str, Value)]) -> Map<String, Value> {
    let named = named
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()));
    named.collect()
}

fn merged(mut fields: Map<String, Value>, more: Value) -> Map<String, Value> {
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    fields
}

/// The first second of March 2026.
fn example_time() -> Timestamp {
    Timestamp::from_second(1_772_323_200).unwrap_or_default()
}

/// What every notice of a commission has.
const COMMISSION_REQUIRED: [&str; 8] = [
    "at",
    "cause",
    "kind",
    "amount_minor",
    "currency",
    "exponent",
    "state",
    "text",
];
