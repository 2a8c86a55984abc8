//! Whatever comes to a door has one named answer: never a 500, never a panic, and no store
//! request where nothing was proven.

mod refused;
mod taken;
mod partners;
mod events;
mod canary;

use crate::support::house::{House, shop};
use crate::support::wire::Wire;
use jiff::Timestamp;
use orangery::delivery::{Answer, sample, set};
use providers::Secret;
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};

const DOOR: &str = "/webhooks/stripe";
const PARTNERS: &str = "/partners/acme/events";

/// Header names and values.
type Headers = Vec<(&'static str, String)>;

/// One request and its answer.
struct Case {
    name: &'static str,
    headers: Headers,
    body: Vec<u8>,
    status: u16,
    /// What the answer says.
    words: &'static str,
}

fn case(
    name: &'static str,
    headers: Headers,
    body: &[u8],
    status: u16,
    words: &'static str,
) -> Case {
    Case {
        name,
        headers,
        body: body.to_vec(),
        status,
        words,
    }
}

/// A house, and somebody who knows the secret of its payment provider's door.
struct Sender {
    house: House,
    wire: Wire,
    secret: Secret,
}

impl Sender {
    async fn at_work() -> Self {
        let (house, wire) = House::counted(shop()).await;
        let secret = Secret::new(&house.signers().secret).unwrap();
        Self {
            house,
            wire,
            secret,
        }
    }

    fn now(&self) -> Timestamp {
        self.house.now()
    }

    fn header(&self, body: &[u8], secret: &Secret, now: Timestamp) -> String {
        let signed = self.house.signers().provider.sign(body, secret, now);
        signed.unwrap().remove(0).1
    }

    /// The headers under which this body would be believed.
    fn signed(&self, body: &[u8]) -> Headers {
        let header = self.header(body, &self.secret, self.now());
        vec![("stripe-signature", header)]
    }

    async fn post(&self, headers: &Headers, body: Vec<u8>) -> Answer {
        self.house.post("POST", DOOR, headers, body).await
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
