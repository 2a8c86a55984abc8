//! What partners send to their endpoint: signed reports, postbacks and questions.

use domain::ids::PartnerId;
use jiff::Timestamp;
use providers::partner::postback::PostbackToken;
use providers::{Secret, partner, partner_secret, standard};
use serde_json::{Value, json};

/// One request.
#[derive(Clone)]
pub struct PartnerRequest {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query.
    pub address: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, empty for a GET.
    pub body: String,
}

impl PartnerRequest {
    /// A report, signed.
    pub fn report(partner: &str, id: &str, body: &str, now: Timestamp) -> Self {
        Self {
            method: "POST",
            address: format!("/partners/{partner}/events"),
            headers: signed_headers(id, body, &key(partner), now),
            body: body.to_owned(),
        }
    }

    /// A postback, without a token.
    pub fn postback(partner: &str, query: &str) -> Self {
        Self {
            method: "GET",
            address: format!("/partners/{partner}/postback?{query}"),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// A question for a referral's status, signed.
    pub fn question(partner: &str, referral: &str, now: Timestamp) -> Self {
        let text = partner::status_request_text(&PartnerId::parse(partner).unwrap(), referral);
        let address = format!(
            "/partners/{partner}/referrals/{}",
            referral.replace('/', "%2F")
        );
        Self {
            method: "GET",
            address,
            headers: signed_headers("ask_1", &text, &key(partner), now),
            body: String::new(),
        }
    }
}

fn signed_headers(id: &str, text: &str, secret: &Secret, now: Timestamp) -> Vec<(String, String)> {
    let headers = standard::sign(id, text.as_bytes(), secret, now);
    let owned = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    owned.collect()
}

/// The first version of a partner's key.
pub fn key(partner: &str) -> Secret {
    let master = Secret::new(MASTER).unwrap();
    partner_secret(&master, &PartnerId::parse(partner).unwrap(), 1).unwrap()
}

/// The token of that version.
pub fn token(partner: &str) -> PostbackToken {
    let master = Secret::new(MASTER).unwrap();
    PostbackToken::derive(&master, &PartnerId::parse(partner).unwrap(), 1).unwrap()
}

/// A report of this customer.
pub fn created_report(referral: &str, email: &str) -> Value {
    let data = json!({ "referral_id": referral, "customer": { "email": email } });
    json!({ "type": "referral.created", "data": data })
}

/// The report under another type.
pub fn with_type(kind: &str, report: &Value) -> Value {
    let mut report = report.clone();
    report["type"] = kind.into();
    report
}

/// From which the keys of these partners are derived.
pub const MASTER: &str = "a-master-key-for-the-endpoint-of-partners";
