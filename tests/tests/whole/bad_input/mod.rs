//! Whatever comes to an endpoint has one named answer: never a 500, never a panic, and no store
//! request where nothing was proven.

mod refused;
mod authentic;
mod too_large;
mod partners;
mod events;
mod canary;

use jiff::Timestamp;
use local_shop::delivery::{DeliveryResponse, sample, set};
use providers::Secret;
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};
use tests::harness::TestHarness;
use tests::harness::counting_proxy::CountingProxy;

const WEBHOOK_PATH: &str = "/webhooks/stripe";
const PARTNER_EVENTS_PATH: &str = "/partners/acme/events";

/// Header names and values.
type RequestHeaders = Vec<(&'static str, String)>;

/// One request and its answer.
struct RequestCase {
    name: &'static str,
    headers: RequestHeaders,
    body: Vec<u8>,
    status: u16,
    /// What the answer says.
    expected_text: &'static str,
}

fn case(
    name: &'static str,
    headers: RequestHeaders,
    body: &[u8],
    status: u16,
    words: &'static str,
) -> RequestCase {
    RequestCase {
        name,
        headers,
        body: body.to_vec(),
        status,
        expected_text: words,
    }
}

/// A harness, and somebody who knows the secret of its payment provider's endpoint.
struct SignedSender {
    harness: TestHarness,
    proxy: CountingProxy,
    secret: Secret,
}

impl SignedSender {
    async fn open() -> Self {
        let harness = TestHarness::local_stack().counted().open().await;
        let wire = harness.proxy().clone();
        let secret = Secret::new(&harness.signers().secret).unwrap();
        Self {
            harness,
            proxy: wire,
            secret,
        }
    }

    fn now(&self) -> Timestamp {
        self.harness.now()
    }

    fn header(&self, body: &[u8], secret: &Secret, now: Timestamp) -> String {
        let signed = self.harness.signers().provider.sign(body, secret, now);
        signed.unwrap().remove(0).1
    }

    /// The headers under which this body would be believed.
    fn signed(&self, body: &[u8]) -> RequestHeaders {
        let header = self.header(body, &self.secret, self.now());
        vec![("stripe-signature", header)]
    }

    async fn post(&self, headers: &RequestHeaders, body: Vec<u8>) -> DeliveryResponse {
        self.harness.post("POST", WEBHOOK_PATH, headers, body).await
    }
}

/// Every event under an id of its own.
static EVENTS: AtomicU32 = AtomicU32::new(0);

fn invoice(fields: &[(&str, Value)]) -> Vec<u8> {
    changed("invoice.paid", fields)
}

fn changed(name: &str, fields: &[(&str, Value)]) -> Vec<u8> {
    let samples = providers::provider("stripe").unwrap().samples();
    let mut body: Value = serde_json::from_str(&sample(samples, name).unwrap()).unwrap();
    let number = EVENTS.fetch_add(1, Ordering::Relaxed);
    set(&mut body, "id", format!("evt_bad{number}").into()).unwrap();
    for (path, value) in fields {
        set(&mut body, path, value.clone()).unwrap();
    }
    body.to_string().into_bytes()
}
