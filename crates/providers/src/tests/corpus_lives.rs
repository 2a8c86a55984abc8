//! Customers' whole stories, each with what the API says of them:
//! `{"answers": {path: document}, "events": [body, …]}`, a form as text. They are written by hand
//! after shapes that were seen in public: ids, names and most amounts are made up, and what no
//! reader looks at is left out. What they come to stands beside them, and was compared by hand with
//! the bodies. Further ones are told where they lie beside the project, and those in the folders
//! `ORANGERY_LIVES/<provider>` get a verdict each.

#![allow(
    clippy::print_stdout,
    reason = "a table for whoever runs it with --nocapture"
)]

use super::corpus::corpus;
use super::step;
use crate::{ApiResponses, FetchStep, ItemOutcome, PROVIDERS, Provider};
use domain::event::{Fact, NormalizedEvent};
use domain::state::fold::fold_with_all_payments;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn each_story_comes_to_what_its_bodies_say() {
    insta::glob!(LIVES, "*/*.json", |path| {
        let folder = path.parent().expect("stands in a folder");
        let provider = folder.file_name().and_then(|name| name.to_str());
        let provider = crate::provider(provider.expect("is text")).expect("is in the list");
        let name = path.file_stem().expect("has a name").to_string_lossy();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder);
        settings.remove_snapshot_suffix();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let told = told(provider, path);
        assert_read(&told);
        settings.bind(|| insta::assert_json_snapshot!(&*name, told));
    });
}

#[test]
fn what_lies_beside_the_project_is_read_without_a_gap() {
    for provider in PROVIDERS {
        let folder = corpus("lives").map(|lives| lives.join(provider.name()));
        for path in folder.iter().flat_map(|folder| lives_in(folder)) {
            let told = told(provider, &path);
            println!("{} {told:#}", path.display());
            assert_read(&told);
        }
    }
}

/// Whatever stands there: a body that is refused or can't be read is a verdict too.
#[test]
fn what_lies_in_a_named_folder_gets_a_verdict() {
    let Some(folder) = std::env::var_os("ORANGERY_LIVES") else {
        println!("skipped: ORANGERY_LIVES names no folder");
        return;
    };
    for provider in PROVIDERS {
        for path in lives_in(&Path::new(&folder).join(provider.name())) {
            println!("{} {:#}", path.display(), told(provider, &path));
        }
    }
}

fn assert_read(told: &Value) {
    let verdicts = told["events"].as_array().expect("are verdicts");
    for verdict in verdicts.iter().filter_map(Value::as_str) {
        let is_read = !verdict.starts_with("unreadable") && !verdict.starts_with(REFUSED);
        assert!(is_read, "{verdict}");
    }
}

fn lives_in(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let entries = fs::read_dir(folder).expect("is a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("can be read").path())
        .collect();
    paths.sort();
    paths
}

/// What the events of a life say, one by one, and what they come to.
fn told(provider: &'static Provider, path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("can be read");
    let life: Value = serde_json::from_str(&text).expect("is JSON");
    let answers = life["answers"].to_string();
    let recorded = ApiResponses::recorded([answers.as_str()]);
    let mut fetched = recorded.expect("are documents");
    fetched.close();
    let mut events = Vec::new();
    let mut verdicts = Vec::new();
    for body in life["events"].as_array().expect("are some") {
        let text = body
            .as_str()
            .map_or_else(|| body.to_string(), str::to_owned);
        let received = match step(provider, text.as_bytes(), &fetched) {
            Ok(FetchStep::Done(received)) => received,
            other => {
                verdicts.push(format!("{REFUSED} ({other:?})"));
                continue;
            }
        };
        for item in received {
            verdicts.push(verdict(&item.outcome));
            if let ItemOutcome::Event(event) = item.outcome {
                events.push(event);
            }
        }
    }
    json!({ "events": verdicts, "comes_to": comes_to(&events) })
}

fn verdict(outcome: &ItemOutcome) -> String {
    match outcome {
        ItemOutcome::Event(event) => {
            let facts: Vec<_> = event.facts.iter().map(name).collect();
            format!("{}: {}", event.kind, facts.join(", "))
        }
        ItemOutcome::Ignored { kind, .. } => format!("{kind}: ignored"),
        ItemOutcome::WrongMode { kind } => format!("{kind}: wrong mode"),
        ItemOutcome::OtherAccount { kind, .. } => format!("{kind}: of another account"),
    }
}

fn name(fact: &Fact) -> String {
    if let Fact::Unclear { what } = fact {
        return format!("unclear ({what})");
    }
    let json = serde_json::to_value(fact).expect("is JSON");
    let tag = json
        .as_object()
        .and_then(|fact| fact.keys().next().cloned());
    tag.unwrap_or_else(|| json.to_string())
}

fn comes_to(events: &[NormalizedEvent]) -> Value {
    let state = fold_with_all_payments(events);
    let payments = state.payments.open.iter().map(|payment| {
        json!({
            "id": payment.id(),
            "paid": payment.paid(),
            "tax_minor": payment.tax_minor(),
            "refunded_minor": payment.refunded_minor(),
            "disputed_minor": payment.disputed_minor(),
        })
    });
    json!({
        "email": state.person.email(),
        "country": state.person.country(),
        "subscriptions": state.subscriptions,
        "payments": payments.collect::<Vec<_>>(),
        "invoices": state.invoices,
        "unclear": state.unclear,
    })
}

const REFUSED: &str = "refused";
const LIVES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lives");
