//! What is parsed once its sender is proven: bodies, an API's answers, what the journal kept.

use super::FuzzTarget;
use crate::delivery_format::ProofKind;
use crate::genuine::{answer, certificate, signed_headers};
use crate::types::{
    EndpointOwner, EndpointRequest, EndpointVerdict, GenuineDelivery, T, TestEndpoint, at,
};
use domain::event::NormalizedEvent;
use domain::ids::Mode;
use domain::record::Entry;
use providers::{
    ApiCall, ApiResponse, ApiResponses, CallTarget, Headers, ItemOutcome, ReceivedItem,
};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A body that is proven, whatever it says: JSON, its words, times, days, amounts. It means the
/// same each time, and what is journaled of it reads the same again.
pub(super) fn bodies(endpoint: &'static TestEndpoint) -> FuzzTarget {
    let run = move |bytes: &[u8]| {
        let heard = receive_proven(endpoint, bytes);
        assert_eq!(heard, receive_proven(endpoint, bytes), "{}", endpoint.name);
        if let EndpointVerdict::Accepted(items) = &heard {
            items
                .iter()
                .for_each(|received| assert_rereads_equal(endpoint, received));
        }
    };
    FuzzTarget {
        name: format!("bodies at {}", endpoint.name),
        seeds: endpoint.bodies(),
        run: Box::new(run),
    }
}

/// Documents that an API shows to whatever it is asked, behind a genuine delivery.
pub(super) fn answers(endpoint: &'static TestEndpoint) -> FuzzTarget {
    let run = move |bytes: &[u8]| {
        let shown = answer(200, &String::from_utf8_lossy(bytes));
        for genuine in [endpoint.genuine.first(), endpoint.genuine.last()]
            .into_iter()
            .flatten()
        {
            let known = |call: &ApiCall| match call.target {
                CallTarget::Certificate(_) => Some(answer(200, certificate("sandbox"))),
                CallTarget::Api(_) => Some(shown.clone()),
            };
            if let EndpointVerdict::Accepted(items) =
                receive(endpoint, &genuine.headers, &genuine.body, known)
            {
                items
                    .iter()
                    .for_each(|received| assert_rereads_equal(endpoint, received));
            }
        }
    };
    let documents = endpoint
        .genuine
        .iter()
        .flat_map(|genuine| &genuine.documents);
    let documents: BTreeSet<&str> = documents.copied().collect();
    FuzzTarget {
        name: format!("answers behind {}", endpoint.name),
        seeds: documents
            .into_iter()
            .map(|text| text.as_bytes().to_vec())
            .collect(),
        run: Box::new(run),
    }
}

/// Raw bytes of a journal entry, whatever stands there. Reading it once more ends.
pub(super) fn journal_entries(endpoint: &'static TestEndpoint) -> Option<FuzzTarget> {
    let EndpointOwner::Provider(_) = endpoint.owner else {
        return None;
    };
    let items = endpoint
        .genuine
        .iter()
        .flat_map(|genuine| &genuine.received);
    let mut readings = items
        .clone()
        .filter_map(|received| event_of(&received.outcome));
    let first = readings.next()?.clone();
    let run = move |bytes: &[u8]| {
        let once = reread(endpoint, &first, bytes.into());
        if let ItemOutcome::Event(reading) = &once.outcome
            && !reading.is_waiting()
        {
            let twice = reread(endpoint, reading, Arc::clone(&once.raw));
            assert_eq!(twice.raw, once.raw, "{}", endpoint.name);
        }
    };
    Some(FuzzTarget {
        name: format!("kept of {}", endpoint.name),
        seeds: items.map(|received| received.raw.to_vec()).collect(),
        run: Box::new(run),
    })
}

/// What an endpoint makes of this body, proven as that endpoint wants it.
fn receive_proven(endpoint: &TestEndpoint, bytes: &[u8]) -> EndpointVerdict {
    let genuine = &endpoint.genuine[0];
    let by_api = match endpoint.delivery_format.proof {
        ProofKind::Hex | ProofKind::Base64 | ProofKind::Ed25519 | ProofKind::Query => false,
        ProofKind::Rsa | ProofKind::ApiConfirmed => true,
    };
    let named = delivery_id(genuine);
    let known = |call: &ApiCall| match &call.target {
        CallTarget::Certificate(_) => Some(answer(200, certificate("sandbox"))),
        CallTarget::Api(path) if by_api && path.contains(&named) => {
            Some(answer(200, &String::from_utf8_lossy(bytes)))
        }
        CallTarget::Api(_) => genuine.answers.response(call).ok().cloned(),
    };
    if by_api {
        return receive(endpoint, &genuine.headers, &genuine.body, known);
    }
    let headers = signed_headers(endpoint, 0, bytes).expect("can be signed");
    receive(endpoint, &headers, bytes, known)
}

/// The id that a delivery names.
fn delivery_id(genuine: &GenuineDelivery) -> String {
    let body = String::from_utf8_lossy(&genuine.body);
    match body.strip_prefix("id=") {
        Some(id) => id.to_owned(),
        None => {
            let event: Value = serde_json::from_str(&body).unwrap_or_default();
            event["id"].as_str().unwrap_or_default().to_owned()
        }
    }
}

fn receive(
    endpoint: &TestEndpoint,
    headers: &[(String, String)],
    body: &[u8],
    known: impl FnMut(&ApiCall) -> Option<ApiResponse>,
) -> EndpointVerdict {
    let headers = Headers::new(headers.iter().map(|(name, value)| (name, value)));
    let knock = EndpointRequest {
        headers: &headers.expect("are few"),
        body,
        mode: Mode::Test,
        secrets: &endpoint.own_tenant().secrets,
        now: T,
    };
    endpoint.receive(&knock, &ApiResponses::default(), known)
}

/// What is journaled reads the same again, long after the API has forgotten; and what was
/// understood can be read in one way only.
fn assert_rereads_equal(endpoint: &TestEndpoint, received: &ReceivedItem) {
    let Some(reading) = event_of(&received.outcome).filter(|reading| !reading.is_waiting()) else {
        return;
    };
    if !reading.is_unclear() {
        let UniqueKeys(sound) = serde_json::from_slice(&received.raw).expect("is JSON");
        assert!(sound, "{}: a key twice was understood", endpoint.name);
    }
    if let EndpointOwner::Provider(_) = endpoint.owner {
        let again = reread(endpoint, reading, Arc::clone(&received.raw));
        assert_eq!(&again, received, "{}", endpoint.name);
    }
}

fn event_of(outcome: &ItemOutcome) -> Option<&NormalizedEvent> {
    match outcome {
        ItemOutcome::Event(reading) => Some(reading),
        ItemOutcome::Ignored { .. }
        | ItemOutcome::WrongMode { .. }
        | ItemOutcome::OtherAccount { .. } => None,
    }
}

fn reread(endpoint: &TestEndpoint, reading: &NormalizedEvent, raw: Arc<[u8]>) -> ReceivedItem {
    endpoint.read_again(&Entry::new(
        reading.clone(),
        raw,
        1,
        at(T),
        "receipt".into(),
    ))
}

/// Whether no object in a document has a key twice.
struct UniqueKeys(bool);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(UniqueKeysVisitor)
    }
}

struct UniqueKeysVisitor;

impl<'de> Visitor<'de> for UniqueKeysVisitor {
    type Value = UniqueKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(true))
    }

    fn visit_i64<E>(self, _: i64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(true))
    }

    fn visit_u64<E>(self, _: u64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(true))
    }

    fn visit_f64<E>(self, _: f64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(true))
    }

    fn visit_str<E>(self, _: &str) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(true))
    }

    fn visit_unit<E>(self) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(true))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<UniqueKeys, A::Error> {
        let (mut names, mut sound) = (BTreeSet::new(), true);
        while let Some((name, UniqueKeys(inner))) = entries.next_entry::<String, UniqueKeys>()? {
            sound &= names.insert(name) && inner;
        }
        Ok(UniqueKeys(sound))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<UniqueKeys, A::Error> {
        let mut sound = true;
        while let Some(UniqueKeys(inner)) = items.next_element()? {
            sound &= inner;
        }
        Ok(UniqueKeys(sound))
    }
}

/// What senders and forgers write.
pub(super) const TOKENS: &[&str] = &[
    "v1=",
    "v1,",
    "v1a,",
    "h1=",
    "t=",
    "ts=",
    ",",
    ";",
    " ",
    "=",
    ".",
    "\n",
    "\n\n",
    "a",
    "b",
    "c",
    "\u{1}",
    "\u{2}",
    "\u{3}",
    "\r\n",
    "\t",
    "null",
    "true",
    "{}",
    "[]",
    "\"",
    "{\"id\":1}",
    "0",
    "-1",
    "1e9",
    "1.5",
    "9223372036854775807",
    "9223372036854775808",
    "-0",
    "0.000000001",
    "2026-01-31",
    "2026-02-30",
    "2026-01-15T10:00:00Z",
    "2026-01-15T10:00:00.123456789+01:00",
    "-009999-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "P1M",
    "months",
    "1 month",
    "2028-02-29",
    "JPY",
    "KWD",
    "XXX",
    "eur",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{430}",
    "&id=",
    "id=",
    "whsec_",
    "whpk_",
    "root:",
    "-----BEGIN CERTIFICATE-----\n",
    "-----END CERTIFICATE-----\n",
    "%00",
    "../",
    "{\"wire_item\":",
    "\"fetched\":[",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];
