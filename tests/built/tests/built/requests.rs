//! What senders say: events of a payment provider under ids of their own, and partners' reports.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use lambda::{ClientRequest, HttpEventFormat};
use local_shop::shop::{LOCAL_MASTER, local_secret};
use providers::{Secret, partner, partner_secret, provider};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// The payment provider's endpoint.
pub(crate) const WEBHOOK_PATH: &str = "/webhooks/stripe";

/// A request: headers and body.
#[derive(Clone, Debug)]
pub(crate) struct SignedRequest {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// A subscription of a customer of its own, signed just now.
pub(crate) fn webhook() -> SignedRequest {
    let number = EVENTS.fetch_add(1, Ordering::Relaxed);
    let provider = provider("stripe").unwrap();
    let name = "customer.subscription.updated";
    let mut samples = provider.samples().iter();
    let (_, body) = samples.find(|(known, _)| *known == name).unwrap();
    let mut event: Value = serde_json::from_str(body).unwrap();
    event["id"] = format!("evt_built{number}").into();
    event["created"] = Timestamp::now().as_second().into();
    event["data"]["object"]["id"] = format!("sub_built{number}").into();
    event["data"]["object"]["customer"] = format!("cus_built{number}").into();
    signed(event.to_string())
}

/// These bytes under the provider's secret, signed just now.
pub(crate) fn signed(body: String) -> SignedRequest {
    let secret = Secret::new(&local_secret("stripe")).unwrap();
    let provider = provider("stripe").unwrap();
    let headers = provider.sign(body.as_bytes(), &secret, Timestamp::now());
    SignedRequest {
        headers: headers.unwrap(),
        body,
    }
}

/// A partner's report of somebody whom nobody knows.
pub(crate) fn referral(name: &str) -> SignedRequest {
    let number = EVENTS.fetch_add(1, Ordering::Relaxed);
    let partner = domain::ids::PartnerId::parse(name).unwrap();
    let secret = partner_secret(&Secret::new(LOCAL_MASTER).unwrap(), &partner, 1).unwrap();
    let now = Timestamp::now();
    let body = json!({
        "type": "referral.created",
        "data": {
            "referral_id": format!("r-{number}"),
            "customer": { "email": format!("b{number}@example.com") },
        },
    });
    let body = body.to_string();
    SignedRequest {
        headers: partner::sign(body.as_bytes(), &secret, now),
        body,
    }
}

impl SignedRequest {
    /// As an HTTP API hands it over.
    pub(crate) fn event(&self) -> Value {
        self.shaped(HttpEventFormat::HttpApi2, Some(self.body.clone()), false)
    }

    /// As this form has it, with whatever body.
    pub(crate) fn shaped(
        &self,
        shape: HttpEventFormat,
        body: Option<String>,
        base64: bool,
    ) -> Value {
        let event = shape.event(&ClientRequest {
            method: "POST",
            path: WEBHOOK_PATH,
            parameters: &[],
            headers: &self.headers,
            body,
            base64,
        });
        event.unwrap()
    }

    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(&self.body)
    }
}

static EVENTS: AtomicU32 = AtomicU32::new(1);
