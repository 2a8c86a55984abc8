//! The walker: every fixture of every provider, against what is expected of it beside it.
//!
//! `UPDATE_EXPECT=1 cargo test -p providers` rewrites the expectations; review the diff.

use super::{SECRET, T, at, master, person_key, secrets, stripe};
use crate::{Headers, Outcome, Received, Request, Secrets, partner};
use domain::ids::{Mode, PartnerId};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_fixture_gives_what_is_expected_beside_it() {
    let mut failures = Vec::new();
    for folder in ["stripe", "partner"] {
        let (fixtures, expectations) = list(&folder_of(folder));
        let orphans: Vec<_> = expectations.difference(&fixtures).collect();
        assert!(
            orphans.is_empty(),
            "{folder}: expectations of nothing: {orphans:?}"
        );
        for name in fixtures {
            let path = folder_of(folder).join(format!("{name}.json"));
            let body = fs::read(&path).expect("can be read");
            failures.extend(compare(folder, &name, &outcome(folder, &name, &body)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_fixture_has_the_fate_its_name_says() {
    for folder in ["stripe", "partner"] {
        for name in list(&folder_of(folder)).0 {
            let path = folder_of(folder).join(format!("{name}.json"));
            let outcome = outcome(folder, &name, &fs::read(&path).expect("can be read"));
            let verdict = outcome["verdict"].as_str().expect("has one").to_owned();
            let expected = match name.split('-').next().expect("has a first word") {
                "refused" => "refused",
                "ignored" => "ignored",
                "wrong" => "wrong mode",
                "unclear" => "unclear",
                "unreadable" if folder == "partner" => "refused",
                "unreadable" => "unreadable",
                _ => "reading",
            };
            assert_eq!(verdict, expected, "{folder}/{name}");
        }
    }
}

#[test]
fn there_is_a_sample_for_every_event_acted_upon_and_none_beside() {
    let samples: BTreeSet<_> = stripe()
        .samples()
        .iter()
        .map(|(name, _)| name.split('-').next().expect("has a first word"))
        .collect();
    let acted_upon: BTreeSet<_> = crate::stripe::acted_upon().collect();
    assert_eq!(samples, acted_upon);
}

#[test]
fn a_sample_begins_with_the_name_of_its_event() {
    for (name, body) in stripe().samples() {
        let kind: Value = serde_json::from_str(body).expect("is JSON");
        let kind = kind["type"].as_str().expect("has a type");
        assert!(name.starts_with(kind), "{name} is a {kind}");
    }
}

/// A request by its fate: headers and time are part of the fixture.
#[derive(Deserialize)]
struct Fate {
    #[expect(dead_code, reason = "said to the reader of the fixture")]
    why: String,
    headers: Vec<(String, String)>,
    now: i64,
    body: String,
}

fn outcome(folder: &str, name: &str, body: &[u8]) -> Value {
    let by_fate = name.starts_with("refused-") || name.starts_with("accepted-");
    if folder == "partner" {
        return partner_outcome(body);
    }
    let secrets = secrets(&["whsec_put_out_of_force_soon", SECRET]);
    if by_fate {
        let fate: Fate = serde_json::from_slice(body).expect("is a fate");
        let headers = Headers::new(fate.headers).expect("are few");
        return stripe_outcome(&headers, fate.body.as_bytes(), &secrets, at(fate.now));
    }
    let secret = crate::Secret::new(SECRET).expect("is strong");
    let signed = stripe().sign(body, &secret, at(T)).expect("can sign");
    let headers = Headers::new(signed).expect("are few");
    stripe_outcome(&headers, body, &secrets, at(T))
}

fn stripe_outcome(headers: &Headers, body: &[u8], secrets: &Secrets, now: Timestamp) -> Value {
    let request = super::post(headers, body);
    match super::arrive(stripe(), Mode::Test, &request, secrets, now.as_second()) {
        Ok(received) => {
            assert_eq!(received.len(), 1);
            shown(&received[0])
        }
        Err(refused) => json!({
            "verdict": "refused",
            "status": refused.status(),
            "reason": refused.reason(),
            "said": refused.to_string(),
        }),
    }
}

fn partner_outcome(body: &[u8]) -> Value {
    let acme = PartnerId::new("acme");
    let secret = crate::partner_secret(&master(), &acme, 1).expect("follows");
    let secrets = Secrets::new(vec![secret.clone()]).expect("is one");
    let headers = Headers::new(partner::sign(body, &secret, at(T))).expect("are few");
    let request = Request {
        path: "/partners/acme/events",
        ..super::post(&headers, body)
    };
    match partner::receive(&acme, &request, &secrets, &person_key(), at(T)) {
        Ok(received) => shown(&received),
        Err(refusal) => json!({
            "verdict": "refused",
            "status": refusal.status(),
            "said": refusal.to_string(),
        }),
    }
}

fn shown(received: &Received) -> Value {
    match &received.outcome {
        Outcome::Reading(reading) => {
            let verdict = match (&*reading.kind, super::is_unclear(reading)) {
                ("unreadable", _) => "unreadable",
                (_, true) => "unclear",
                (_, false) => "reading",
            };
            json!({ "verdict": verdict, "reading": reading })
        }
        Outcome::Ignored { id, kind } => {
            json!({ "verdict": "ignored", "id": id, "kind": kind })
        }
        Outcome::WrongMode { kind } => json!({ "verdict": "wrong mode", "kind": kind }),
    }
}

fn compare(folder: &str, name: &str, outcome: &Value) -> Option<String> {
    let path = folder_of(folder).join(format!("{name}.expect.json"));
    let actual = format!(
        "{}\n",
        serde_json::to_string_pretty(outcome).expect("is JSON")
    );
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if actual == expected {
        return None;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, actual).expect("can be written");
        return None;
    }
    Some(format!(
        "{folder}/{name}: expected\n{expected}\nbut it is\n{actual}"
    ))
}

fn folder_of(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(folder)
}

/// Names of fixtures and of expectations.
fn list(folder: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut fixtures = BTreeSet::new();
    let mut expectations = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("is a folder") {
        let name = entry.expect("can be read").file_name();
        let name = name.to_str().expect("is plain text");
        let stem = name.strip_suffix(".json").expect("is a fixture");
        match stem.strip_suffix(".expect") {
            Some(stem) => expectations.insert(stem.to_owned()),
            None => fixtures.insert(stem.to_owned()),
        };
    }
    (fixtures, expectations)
}
