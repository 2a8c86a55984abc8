//! The walker: every fixture of every provider, against what is expected of it beside it.
//!
//! `INSTA_UPDATE=always cargo test -p providers` rewrites the expectations; review the diff.

use super::{T, arrive_as_sample, at, deliver_sample, master, person_key, secrets_of};
use crate::partner::FirstHeard;
use crate::{Headers, ItemOutcome, PROVIDERS, ReceivedItem, Request, Secrets, partner, provider};
use domain::ids::{Mode, PartnerId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_fixture_gives_what_is_expected_beside_it() {
    let mut compared = BTreeSet::new();
    insta::glob!(FIXTURES, "**/*.json", |path| {
        let Some(name) = fixture_name(path) else {
            return;
        };
        let beside = path.parent().expect("stands in a folder");
        let folder = beside.strip_prefix(FIXTURES).expect("stands among them");
        let folder = folder.to_str().expect("is plain text");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(beside);
        settings.remove_snapshot_suffix();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let body = fs::read(path).expect("can be read");
        settings.bind(|| insta::assert_json_snapshot!(name, outcome(folder, name, &body)));
        compared.insert(path.to_owned());
    });
    let all = folders()
        .into_iter()
        .map(|folder| list(&folder_of(&folder)).0);
    assert_eq!(compared.len(), all.map(|names| names.len()).sum::<usize>());
}

#[test]
fn no_expectation_is_orphaned() {
    for folder in folders() {
        let (fixtures, expectations) = list(&folder_of(&folder));
        assert_eq!(fixtures, expectations, "{folder}");
    }
}

#[test]
fn every_fixture_has_the_verdict_its_name_says() {
    for folder in folders() {
        for name in list(&folder_of(&folder)).0 {
            let path = folder_of(&folder).join(format!("{name}.json"));
            let outcome = outcome(&folder, &name, &fs::read(&path).expect("can be read"));
            let verdict = outcome["verdict"].as_str().expect("has one").to_owned();
            let expected = match name.split('-').next().expect("has a first word") {
                "refused" => "refused",
                "ignored" => "ignored",
                "wrong" => "wrong mode",
                "unclear" => "unclear",
                "waiting" => "waiting",
                "unreadable" if folder == "partner" => "refused",
                "unreadable" => "unreadable",
                _ => "event",
            };
            assert_eq!(verdict, expected, "{folder}/{name}: {outcome:#}");
        }
    }
}

#[test]
fn there_is_a_sample_for_every_event_acted_upon_and_none_beside() {
    for provider in PROVIDERS {
        let acted_upon: BTreeSet<_> = provider.handled_types().into_iter().collect();
        let kind = |name: &str| {
            let named = |kind: &&str| {
                let rest = name.strip_prefix(kind);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            };
            acted_upon.iter().copied().find(named).expect("is one's")
        };
        let samples = provider.samples().iter();
        let samples: BTreeSet<_> = samples.map(|(name, _)| kind(name)).collect();
        assert_eq!(samples, acted_upon, "{provider:?}");
    }
}

#[test]
fn every_sample_and_scenario_is_a_fixture_under_the_name_of_its_event() {
    for provider in PROVIDERS {
        let folder = provider.name();
        let fixtures = list(&folder_of(folder)).0;
        for (name, body) in provider.samples() {
            assert!(fixtures.contains(*name), "{folder}/{name}");
            let kind = outcome(folder, name, body.as_bytes())["normalized"]["kind"].take();
            let kind = kind.as_str().expect("has a kind");
            assert!(name.starts_with(kind), "{folder}/{name} is a {kind}");
        }
        let told: BTreeSet<_> = provider
            .scenario()
            .iter()
            .map(|(n, _)| (*n).to_owned())
            .collect();
        let scenario = format!("{folder}/scenario");
        if !told.is_empty() {
            assert_eq!(told, list(&folder_of(&scenario)).0, "{scenario}");
        }
    }
}

/// The folders of fixtures: one a provider, its scenario below, and the partners'.
fn folders() -> Vec<String> {
    let mut folders = vec!["partner".to_owned()];
    for provider in PROVIDERS {
        folders.push(provider.name().to_owned());
        if !provider.scenario().is_empty() {
            folders.push(format!("{}/scenario", provider.name()));
        }
    }
    folders
}

/// A request by its fate: headers and time are part of the fixture.
#[derive(Deserialize)]
struct RequestFixture {
    #[expect(dead_code, reason = "said to the reader of the fixture")]
    why: String,
    headers: Vec<(String, String)>,
    now: i64,
    body: String,
}

fn outcome(folder: &str, name: &str, body: &[u8]) -> Value {
    let by_fate = name.starts_with("refused-") || name.starts_with("accepted-");
    let (folder, name) = match folder.split_once('/') {
        Some((folder, below)) => (folder, format!("{below}/{name}")),
        None => (folder, name.to_owned()),
    };
    let Some(provider) = provider(folder) else {
        return partner_outcome(body);
    };
    let received = if by_fate {
        let fate: RequestFixture = serde_json::from_slice(body).expect("is a fate");
        let headers = Headers::new(fate.headers).expect("are few");
        let request = super::post(&headers, fate.body.as_bytes());
        let secrets = secrets_of(provider);
        arrive_as_sample(provider, Mode::Test, &request, &secrets, fate.now, &name)
    } else {
        deliver_sample(provider, &name, body)
    };
    match received {
        Ok(received) => match received.as_slice() {
            [one] => shown(one),
            many => many.iter().map(shown).collect(),
        },
        Err(refused) => json!({
            "verdict": "refused",
            "status": provider.refused_status(&refused),
            "reason": refused.reason(),
            "said": refused.to_string(),
        }),
    }
}

fn partner_outcome(body: &[u8]) -> Value {
    let acme = PartnerId::parse("acme").unwrap();
    let secret = crate::partner_secret(&master(), &acme, 1).expect("follows");
    let secrets = Secrets::new(vec![secret.clone()]).expect("is one");
    let headers = Headers::new(partner::sign(body, &secret, at(T))).expect("are few");
    let request = Request {
        path: "/partners/acme/events",
        ..super::post(&headers, body)
    };
    match partner::receive(&acme, &request, &secrets, &person_key(), at(T)) {
        Ok(reported) => {
            let first = FirstHeard {
                signed_at: reported.signed_at,
                heard_at: at(T),
            };
            json!({ "verdict": "event", "normalized": reported.report.event(first) })
        }
        Err(refusal) => json!({
            "verdict": "refused",
            "status": refusal.status(),
            "said": refusal.to_string(),
        }),
    }
}

pub(super) fn shown(received: &ReceivedItem) -> Value {
    match &received.outcome {
        ItemOutcome::Event(reading) => {
            let verdict = match (&*reading.kind, reading.is_unclear()) {
                ("unreadable", _) => "unreadable",
                (_, true) => "unclear",
                (_, false) if reading.is_waiting() => "waiting",
                (_, false) => "event",
            };
            json!({ "verdict": verdict, "normalized": reading })
        }
        ItemOutcome::Ignored { id, kind } => {
            json!({ "verdict": "ignored", "id": id, "kind": kind })
        }
        ItemOutcome::WrongMode { kind } => json!({ "verdict": "wrong mode", "kind": kind }),
        ItemOutcome::OtherAccount { kind } => json!({ "verdict": "other account", "kind": kind }),
    }
}

fn folder_of(folder: &str) -> PathBuf {
    Path::new(FIXTURES).join(folder)
}

/// The name of a fixture; none of what an API answers to one.
fn fixture_name(path: &Path) -> Option<&str> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".json")?;
    (!stem.ends_with("answers")).then_some(stem)
}

/// Names of fixtures and of expectations.
fn list(folder: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut fixtures = BTreeSet::new();
    let mut expectations = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("is a folder") {
        let path = entry.expect("can be read").path();
        if let Some(name) = fixture_name(&path) {
            fixtures.insert(name.to_owned());
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.expect("is plain text");
        if let Some(name) = name.strip_suffix(".snap") {
            expectations.insert(name.to_owned());
            continue;
        }
        let beside =
            name == "scenario" || name == "unsupported.txt" || name.ends_with("answers.json");
        // What a failed comparison leaves behind is no expectation yet.
        assert!(
            beside || name.ends_with(".snap.new"),
            "{name} is not a fixture"
        );
    }
    (fixtures, expectations)
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
