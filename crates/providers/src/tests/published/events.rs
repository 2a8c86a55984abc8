//! Every published type of event is heard, or counted and not read, as the table says.

use super::deliveries::{Delivery, Said, samples};
use super::schema::{self, Published};
use crate::{ItemOutcome, Provider};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// The part of a provider's table that is about types of events.
#[derive(Deserialize)]
struct EventDecisions {
    heard: BTreeSet<String>,
    /// Heard, and not in the published list: old types, and those of which the list says nothing.
    heard_beside_the_list: BTreeSet<String>,
    counted: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Decisions {
    events: EventDecisions,
}

#[test]
fn every_published_event_is_decided_and_no_other() {
    for (provider, published) in schema::all() {
        let decided = decisions(provider);
        let both: BTreeSet<_> = decided.heard.intersection(&decided.counted).collect();
        assert!(both.is_empty(), "{provider:?}: decided twice: {both:?}");
        let all: BTreeSet<_> = decided.heard.union(&decided.counted).cloned().collect();
        let new: Vec<_> = published.events.difference(&all).collect();
        let gone: Vec<_> = all.difference(&published.events).collect();
        assert!(
            new.is_empty() && gone.is_empty(),
            "{} publishes events that {} does not decide, or decides others.\n\
             published and not decided: {new:?}\ndecided and not published: {gone:?}\n\
             Put each under `heard` (then it needs a reader) or `counted`.",
            provider.name(),
            schema::path(provider, "decisions.json").display(),
        );
        let heard = decided.heard.union(&decided.heard_beside_the_list).cloned();
        let handled = provider.handled_types().into_iter().map(str::to_owned);
        assert_eq!(
            heard.collect::<BTreeSet<_>>(),
            handled.collect(),
            "{provider:?}: what the table calls heard, and what is read"
        );
    }
}

#[test]
fn what_is_counted_is_not_read_and_what_is_heard_is() {
    for (provider, published) in schema::all() {
        let decided = decisions(provider);
        let samples = samples(provider);
        for kind in &decided.counted {
            for sample in of_another_type(&samples, &published, kind) {
                let said = sample.outcomes();
                let is_counted = |one: &ItemOutcome| matches!(one, ItemOutcome::Ignored { .. });
                assert!(
                    said.iter().all(is_counted),
                    "{} {kind}: {said:?}",
                    sample.name
                );
                assert!(!said.is_empty(), "{provider:?} refuses {kind}");
            }
        }
        for kind in decided.heard.union(&decided.heard_beside_the_list) {
            let own = samples
                .iter()
                .filter(|sample| sample.name.starts_with(kind.as_str()));
            let is_event = |one: &Said| matches!(one, Said::Event(_));
            let mut read = own.flat_map(Delivery::said);
            assert!(
                read.any(|one| is_event(&one)),
                "{provider:?} does not read {kind}"
            );
        }
    }
}

/// A few samples, called this type.
fn of_another_type(samples: &[Delivery], published: &Published, kind: &str) -> Vec<Delivery> {
    let typed = samples
        .iter()
        .filter(|sample| sample.parts["body"].is_object());
    // Mollie's first bodies are forms, which have no type.
    let renamed = typed.map(|sample| sample.with(renamed(sample, published, kind)));
    renamed.step_by(7).collect()
}

fn renamed(sample: &Delivery, published: &Published, kind: &str) -> Value {
    assert!(published.events.contains(kind));
    let mut parts = sample.parts.clone();
    let body = &mut parts["body"];
    if let Some(event) = body.pointer_mut("/events/0") {
        let (resource, action) = kind.split_once('.').expect("is two words");
        event["resource_type"] = resource.into();
        event["action"] = action.into();
        let first = event.clone();
        body["events"] = json!([first]);
    } else if body.get("event_type").is_some() {
        body["event_type"] = kind.into();
    } else {
        body["type"] = kind.into();
    }
    parts
}

fn decisions(provider: &Provider) -> EventDecisions {
    let path = schema::path(provider, "decisions.json");
    let text = fs::read_to_string(&path);
    let text = text.unwrap_or_else(|_| panic!("{} is missing", path.display()));
    let decisions: Decisions = serde_json::from_str(&text).expect("is a table");
    decisions.events
}
