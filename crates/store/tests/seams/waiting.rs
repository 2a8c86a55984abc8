//! Waiting: what waits for a provider's API is taken in before it waits no more.

use crate::actors::{actor, after, now, seam, sends};
use crate::fallbacks::Net;
use crate::seam::{Actor, Holds, Seam, explore};
use crate::support::{about, at, empty, entry, event_of, object};
use domain::event::{Fact, NormalizedEvent};
use store::StoreError;
use store::ingest::ingest_entries;
use store::memory::TableState;
use store::waiting::{delete_waiting, read_waiting};

const NETS: [(Net, Holds); 1] = [(Net::Sender, Holds::Whole)];

pub(crate) fn seams() -> Vec<Seam> {
    let waited = |case, count: i64, actors| Seam {
        nets: NETS.to_vec(),
        together: NETS.to_vec(),
        law: nothing_lost,
        ..seam(
            case,
            after(&(0..count).map(waits).collect::<Vec<_>>()),
            actors,
        )
    };
    vec![
        waited("three that wait", 3, vec![completes("calendar")]),
        waited(
            "two calendars",
            2,
            vec![completes("one"), completes("other")],
        ),
        Seam {
            together: vec![(Net::Sender, Holds::Kept)],
            ..waited(
                "one that comes again meanwhile",
                1,
                vec![completes("calendar"), sends("sends", &[waits(0)])],
            )
        },
    ]
}

/// The n-th event, before its API was asked.
fn waits(n: i64) -> NormalizedEvent {
    let fact = Fact::Waiting {
        what: "a payment".into(),
    };
    let event = event_of(1, format!("stripe/test/evt_empty_{n}"), at(1), vec![fact]);
    about(event, &[&object("waiting")])
}

/// As the calendar does with what an API answers: under the receipt of what waited.
fn completes(what: &'static str) -> Actor {
    actor(what, |table, _| async move {
        let completed = async {
            let mut after = None;
            loop {
                let batch = read_waiting(&table, &object("waiting"), after, 2).await?;
                for waiting in &batch.entries {
                    let n = waiting.event.id.as_str().rsplit('_').next();
                    let n = n.and_then(|n| n.parse().ok()).expect("a number");
                    let complete = [entry(empty(1, n), &waiting.receipt)];
                    ingest_entries(&table, &complete, now()).await?;
                    delete_waiting(&table, &object("waiting"), &waiting.event.id).await?;
                }
                after = batch.last;
                if after.is_none() {
                    return Ok("completed".into());
                }
            }
        };
        let completed: Result<String, StoreError> = completed.await;
        completed.map_err(|error| error.to_string())
    })
}

/// Each of them waits, or is in the journal.
fn nothing_lost(base: &TableState, table: &TableState) -> Result<(), String> {
    for item in base.items() {
        let store::Item::Parked(_, waiting) = item else {
            continue;
        };
        let there = |item: &store::Item| match item {
            store::Item::Parked(_, entry) | store::Item::Entry(_, entry) => {
                entry.event.id == waiting.event.id
            }
            _ => false,
        };
        if !table.items().any(there) {
            return Err(format!("{} is nowhere", waiting.event.id));
        }
    }
    Ok(())
}

#[test]
fn what_waits_is_taken_in_before_it_waits_no_more() {
    explore("waiting", &seams());
}
