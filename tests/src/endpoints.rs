//! The providers' endpoints without the wire: what a body says, signed as its sender would sign it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own machinery: a panic here is a failed test, which is what it is for"
)]

use domain::event::{About, NormalizedEvent};
use domain::ids::{Mode, ObjectId};
use domain::record::Entry;
use jiff::Timestamp;
use providers::{
    ApiResponses, EndpointConfig, FetchStep, Headers, InboundRequest, PersonKey, Provider,
    ReceivedItem, Request, Secret, Secrets, VerificationError,
};

/// What a body says while its provider's API says this and no more. Of a provider that alone can
/// sign it is read as if it were proven.
///
/// # Errors
/// [`VerificationError`] where the API's answer is the proof, and there is none.
pub fn receive_signed(
    provider: &'static Provider,
    secret: &Secret,
    body: &[u8],
    fetched: &ApiResponses,
    now: Timestamp,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    let keys = keys();
    let step = match provider.sign(body, secret, now) {
        Some(signed) => {
            let headers = Headers::new(signed).expect("what was signed is a header");
            let arrival = InboundRequest {
                request: Request {
                    method: "POST",
                    path: "/",
                    query: "",
                    headers: &headers,
                    body,
                },
                endpoint: EndpointConfig::new(Mode::Test),
                secrets: &Secrets::new(vec![secret.clone()]).expect("one secret"),
                fetched,
                now,
            };
            providers::receive(provider, &arrival, &keys)?
        }
        None => {
            let proven = unnormalized_entry(provider, body, now);
            let again = providers::read_again(provider, Mode::Test, &proven, fetched, &keys);
            again.map(|one| vec![one])
        }
    };
    match step {
        FetchStep::Done(received) => Ok(received),
        FetchStep::Fetch(_) => panic!("{provider:?} asks though nobody answers any more"),
    }
}

/// An entry of which nothing is known but its bytes.
pub fn unnormalized_entry(provider: &Provider, raw: &[u8], now: Timestamp) -> Entry {
    let reading = NormalizedEvent {
        id: provider
            .account(Mode::Test)
            .event(&ObjectId::parse("unread").expect("is an id")),
        kind: "unread".into(),
        occurred_at: now,
        rank: 0,
        about: About::ByReference(Vec::new()),
        facts: Vec::new(),
        references: Vec::new(),
    };
    Entry::new(reading, raw.into(), 0, now, "unread".into())
}

/// The person key of every local stack.
fn keys() -> PersonKey {
    let master = Secret::new(orangery::wiring::LOCAL_MASTER).expect("a master key");
    PersonKey::derive(&master).expect("a key follows from it")
}
