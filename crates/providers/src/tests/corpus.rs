//! Payloads that nobody on this project wrote, where they lie beside the project.

#![allow(
    clippy::print_stdout,
    reason = "a table for whoever runs it with --nocapture"
)]

use super::{at, deliver, is_unclear, outcome_of};
use crate::{ItemOutcome, Provider, Secret, Secrets, VerificationError};
use domain::event::NormalizedEvent;
use domain::ids::Mode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_old_envelope_is_understood() {
    let Some(folder) = corpus("stripe") else {
        return;
    };
    let mut table = BTreeMap::new();
    let mut count = 0;
    for (name, bytes) in files(&folder) {
        let outcome = outcome_of(&bytes);
        assert_understood(super::stripe(), &name, &outcome);
        table.insert(name, verdict(&outcome));
        count += 1;
    }
    println!("{count} envelopes of the old shape");
    for (name, verdict) in &table {
        println!("{name:<52} {verdict}");
    }
    assert!(count >= 66, "only {count}");
}

#[test]
fn every_object_in_todays_shape_is_understood_in_every_event_it_comes_with() {
    let Some(folder) = corpus("stripe-current") else {
        return;
    };
    let objects: BTreeMap<String, Value> = files(&folder)
        .map(|(name, bytes)| (name, serde_json::from_slice(&bytes).expect("is JSON")))
        .collect();
    println!("objects of today's shape");
    for kind in super::stripe().handled_types() {
        let mut object = match object_of(kind) {
            // It stands nowhere by itself.
            "discount" => objects["customer"]["discount"].clone(),
            name => objects[name].clone(),
        };
        complete(&mut object);
        let event = json!({
            "id": "evt_1", "object": "event", "created": super::T, "livemode": false,
            "type": kind, "data": { "object": object },
        });
        let outcome = outcome_of(event.to_string().as_bytes());
        assert_understood(super::stripe(), kind, &outcome);
        println!("{kind:<52} {}", verdict(&outcome));
    }
    for (name, object) in &objects {
        let event = json!({
            "id": "evt_1", "object": "event", "created": super::T, "livemode": false,
            "type": format!("{name}.unheard_of"), "data": { "object": object },
        });
        let outcome = outcome_of(event.to_string().as_bytes());
        assert!(matches!(outcome, ItemOutcome::Ignored { .. }), "{name}");
    }
}

#[test]
fn every_example_of_paddles_own_library_gets_a_verdict() {
    let Some(folder) = corpus("paddle") else {
        return;
    };
    let paddle = crate::provider("paddle").expect("is in the list");
    let mut table = BTreeMap::new();
    for (count, (name, bytes)) in files(&folder).enumerate() {
        let mut event: Value = serde_json::from_slice(&bytes).expect("is JSON");
        event["event_id"] = format!("evt_{count}").into();
        let body = event.to_string().into_bytes();
        let signed = paddle.sign(&body, &super::secret_of(paddle), at(super::T));
        let headers = crate::Headers::new(signed.expect("can sign")).expect("are few");
        let request = super::post(&headers, &body);
        let secrets = super::secrets_of(paddle);
        let received = super::arrive(paddle, Mode::Test, &request, &secrets, super::T);
        let outcome = received.expect("is rightly signed").remove(0).outcome;
        assert_understood(paddle, &name, &outcome);
        *table.entry((name, verdict(&outcome))).or_insert(0) += 1;
    }
    println!("{} of Paddle's", table.len());
    for ((kind, verdict), count) in &table {
        println!("{kind:<32} {count} {verdict}");
    }
    assert!(table.len() >= 44, "only {}", table.len());
}

#[test]
fn vectors_made_by_the_providers_libraries_are_accepted() {
    let Some(folder) = shared("facts") else {
        return;
    };
    let text = fs::read_to_string(folder.join("vectors.json")).expect("can be read");
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("is a list");
    let of = |name: &str| {
        let of = |vector: &&Value| vector["provider"] == name;
        vectors.iter().find(of).expect("is there").clone()
    };
    let text = |value: &Value| value.as_str().expect("is text").to_owned();

    let stripe = of("stripe");
    let header = text(&stripe["header"]["Stripe-Signature"]);
    let (secret, body) = (text(&stripe["secret"]), text(&stripe["body"]));
    let secrets = super::secrets(&[&secret]);
    let time = stripe["timestamp"].as_i64().expect("is a time");
    let judge = |now| {
        let headers = [("stripe-signature", header.as_str())];
        deliver(&headers, body.as_bytes(), &secrets, now).map(|_| ())
    };
    assert_eq!(judge(time + 300), Ok(()));
    assert_eq!(
        judge(time + 301),
        Err(VerificationError::TooOld { seconds: 301 })
    );

    let standard = of("standardwebhooks");
    let headers = standard["header"].as_object().expect("are headers");
    let pairs = headers
        .iter()
        .map(|(name, value)| (name.clone(), text(value)));
    let headers = crate::Headers::new(pairs).expect("are few");
    let body = text(&standard["body"]);
    let secret = Secret::standard(&text(&standard["secret"])).expect("is strong");
    let secrets = Secrets::new(vec![secret]).expect("is one");
    let request = super::post(&headers, body.as_bytes());
    let time = text(&standard["header"]["webhook-timestamp"]);
    let now = at(time.parse().expect("are seconds"));
    assert!(crate::standard::verify(&request, &secrets, now).is_ok());
}

/// The generated examples leave the one field empty that the event is about.
fn complete(object: &mut Value) {
    if object["object"] == "invoice_payment" {
        object["payment"]["payment_intent"] = "pi_1".into();
    }
    if object["object"] == "discount" {
        object["customer"] = "cus_1".into();
    }
}

fn object_of(kind: &str) -> &'static str {
    let known = [
        ("customer.subscription.", "subscription"),
        ("customer.discount.", "discount"),
        ("customer.", "customer"),
        ("checkout.session.", "checkout.session"),
        ("invoice.", "invoice"),
        ("invoice_payment.", "invoice_payment"),
        ("charge.dispute.", "dispute"),
        ("charge.refund.", "refund"),
        ("charge.", "charge"),
        ("refund.", "refund"),
        ("payment_intent.", "payment_intent"),
    ];
    let of = |(prefix, _): &&(&str, &str)| kind.starts_with(prefix);
    known.iter().find(of).expect("has an object").1
}

fn assert_understood(provider: &Provider, name: &str, outcome: &ItemOutcome) {
    match outcome {
        ItemOutcome::Event(reading) => {
            assert_ne!(&*reading.kind, "unreadable", "{name}: {reading:?}");
            assert!(!is_unclear(reading), "{name}: {reading:?}");
        }
        ItemOutcome::Ignored { kind, .. } => {
            // Of the changes of a charge we act on one alone.
            let is_no_news = &**kind == "charge.updated";
            let is_handled = provider.handled_types().contains(&&**kind);
            assert!(is_no_news || !is_handled, "{name}");
        }
        ItemOutcome::WrongMode { kind } => panic!("{name}: {kind} in the wrong mode"),
        ItemOutcome::OtherAccount { kind } => panic!("{name}: {kind} of another account"),
    }
}

fn verdict(outcome: &ItemOutcome) -> String {
    match outcome {
        ItemOutcome::Event(reading) => format!("reading: {}", facts(reading)),
        ItemOutcome::Ignored { .. } => "ignored".to_owned(),
        ItemOutcome::WrongMode { .. } => "wrong mode".to_owned(),
        ItemOutcome::OtherAccount { .. } => "other account".to_owned(),
    }
}

fn facts(reading: &NormalizedEvent) -> String {
    let name = |fact| {
        let fact = serde_json::to_value(fact).expect("is JSON");
        let tagged = fact
            .as_object()
            .and_then(|fact| fact.keys().next().cloned());
        tagged.unwrap_or_else(|| fact.as_str().unwrap_or_default().to_owned())
    };
    let facts: Vec<_> = reading.facts.iter().map(name).collect();
    if facts.is_empty() {
        "tells nothing".to_owned()
    } else {
        facts.join(", ")
    }
}

fn files(folder: &Path) -> impl Iterator<Item = (String, Vec<u8>)> {
    fs::read_dir(folder).expect("is a folder").map(|entry| {
        let path = entry.expect("can be read").path();
        let name = path.file_stem().expect("has a name").to_string_lossy();
        (name.into_owned(), fs::read(&path).expect("can be read"))
    })
}

pub(super) fn corpus(folder: &str) -> Option<PathBuf> {
    match std::env::var_os("ORANGERY_CORPUS") {
        Some(corpus) => Some(Path::new(&corpus).join(folder)),
        None => shared("corpus").map(|corpus| corpus.join(folder)),
    }
}

pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let from_env = std::env::var_os("ORANGERY_CORPUS")
        .and_then(|corpus| Some(Path::new(&corpus).parent()?.to_path_buf()));
    let path = from_env.unwrap_or(beside).join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {folder} is not beside the project; ORANGERY_CORPUS may say where");
    None
}
