//! What others recorded of providers whose events are thin, where it lies beside the project.

#![allow(
    clippy::print_stdout,
    reason = "a table for whoever runs it with --nocapture"
)]

use super::api_documents::{answer, at_path, expect_received};
use super::corpus::{corpus, shared};
use super::{T, at, person_key, post, recorded_responses};
use crate::{
    ApiResponses, EndpointConfig, FetchStep, Headers, InboundRequest, ItemOutcome, Provider,
    Secret, Secrets,
};
use crate::{provider, receive};
use domain::ids::Mode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

#[test]
fn a_body_that_gocardless_signed_is_understood_with_the_objects_of_its_own_library() {
    let Some(folder) = corpus("gocardless") else {
        return;
    };
    let read = |name: &str| -> Value {
        let text = fs::read_to_string(folder.join(name)).expect("can be read");
        serde_json::from_str(&text).expect("is JSON")
    };
    let gocardless = provider("gocardless").expect("is in the list");
    let mut body = read("webhook_body.json");
    let object = read("subscriptions.json")["get"]["body"].take();
    assert!(
        object["subscriptions"]["id"].is_string(),
        "has a subscription"
    );
    let mut fetched = (*recorded_responses(gocardless, "")).clone();
    for (place, event) in body["events"]
        .as_array_mut()
        .expect("is a list")
        .iter_mut()
        .enumerate()
    {
        event["id"] = format!("EV{place:04}").into();
        for id in event["links"].as_object().expect("are links").values() {
            let id = id.as_str().expect("is an id");
            let mandate = json!({ "mandates": { "id": id, "links": { "customer": "CU123" } } });
            for (path, document) in [
                (format!("/subscriptions/{id}"), &object),
                (format!("/mandates/{id}"), &mandate),
            ] {
                let said = answer(200, &document.to_string());
                fetched.insert(at_path(&path), Some(said));
            }
        }
    }
    let named = object["subscriptions"]["links"]["mandate"]
        .as_str()
        .expect("has one");
    let mandate = json!({ "mandates": { "id": named, "links": { "customer": "CU123" } } });
    let said = answer(200, &mandate.to_string());
    fetched.insert(at_path(&format!("/mandates/{named}")), Some(said));
    fetched.insert(at_path("/customers/CU123"), Some(answer(404, "")));
    let bytes = body.to_string();
    for (api, expected, fetched) in [
        ("the API answers", "event", &fetched),
        ("the API is silent", "waiting", &ApiResponses::closed()),
    ] {
        let received = expect_received(gocardless, bytes.as_bytes(), fetched).expect("is proven");
        let mut table: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for received in received {
            let ItemOutcome::Event(reading) = received.outcome else {
                panic!("{:?}", received.outcome);
            };
            let verdict = match (reading.is_unclear(), reading.is_waiting()) {
                (true, _) => "unclear",
                (false, true) => "waiting",
                (false, false) => "event",
            };
            assert_eq!(verdict, expected, "{api}: {reading:?}");
            let count = table
                .entry((reading.kind.to_string(), verdict))
                .or_default();
            *count += 1;
        }
        println!("{api}");
        for ((kind, verdict), count) in &table {
            println!("  {kind:<40} {verdict} {count}");
        }
    }
}

#[test]
fn vectors_of_these_schemes_fit() {
    let Some(folder) = shared("facts") else {
        return;
    };
    let text = fs::read_to_string(folder.join("vectors.json")).expect("can be read");
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("is a list");
    let mut tried = 0;
    for vector in &vectors {
        let name = vector["provider"].as_str().expect("has one");
        let Some(provider) = provider(name.trim_end_matches("-nextgen")) else {
            continue;
        };
        if provider.api().is_none() || vector["header"].is_null() {
            continue;
        }
        let headers = vector["header"].as_object().expect("are headers");
        let pairs = headers
            .iter()
            .map(|(name, value)| (name, value.as_str().expect("is text")));
        let headers = Headers::new(pairs).expect("are few");
        let body = vector["body"].as_str().expect("is text").as_bytes();
        // One of them is shorter than we take; zeros at its end make the same key.
        let mut key = vector["secret"]
            .as_str()
            .expect("is text")
            .as_bytes()
            .to_vec();
        key.resize(key.len().max(16), 0);
        for place in 0..key.len() * 8 {
            let mut bent = key.clone();
            bent[place / 8] ^= 1 << (place % 8);
            assert!(
                fits(provider, &headers, body, &bent).is_err(),
                "{name} {place}"
            );
        }
        fits(provider, &headers, body, &key).expect("fits");
        tried += 1;
    }
    println!("{tried} vectors");
    assert!(tried >= 2, "only {tried}");
}

fn fits(
    provider: &'static Provider,
    headers: &Headers,
    body: &[u8],
    key: &[u8],
) -> Result<(), crate::VerificationError> {
    let secret = Secret::from_bytes(key).expect("is long enough");
    let arrival = InboundRequest {
        request: post(headers, body),
        endpoint: EndpointConfig::new(Mode::Test),
        secrets: &Secrets::new(vec![secret]).expect("is one"),
        fetched: &ApiResponses::closed(),
        now: at(T),
    };
    match receive(provider, &arrival, &person_key())? {
        FetchStep::Done(_) => Ok(()),
        FetchStep::Fetch(questions) => panic!("asks {questions:?}"),
    }
}
