//! Who runs the functions, and where they begin.

use crate::seam::{Actor, Answer, Seam};
use crate::support::{at, at_once, entry};
use domain::event::{About, NormalizedEvent};
use domain::ids::CustomerKey;
use domain::record::Entry;
use jiff::Timestamp;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use store::StoreError;
use store::folding::{FoldStatus, fold, replan};
use store::ingest::{append_or_park, ingest_entries, retry_parked};
use store::memory::{MemoryTable, SteppedTable, TableState};

/// When everybody runs, and when the nets do where a seam says nothing else.
pub(crate) fn now() -> Timestamp {
    at(3)
}

/// Somebody who does this.
pub(crate) fn actor<F: Future<Output = Answer> + Send + 'static>(
    what: &'static str,
    run: impl Fn(SteppedTable, u32) -> F + Send + Sync + 'static,
) -> Actor {
    Actor {
        what,
        run: Box::new(move |table, tried| Box::pin(run(table, tried))),
        keeps: Vec::new(),
    }
}

/// A seam whose nets hold alike for one actor and for several, and that has no law of its own.
pub(crate) fn seam(case: &'static str, base: TableState, actors: Vec<Actor>) -> Seam {
    Seam {
        case,
        base,
        actors,
        nets: Vec::new(),
        together: Vec::new(),
        law: |_, _| Ok(()),
        in_order: false,
        compares_answers: false,
        later: now(),
        most_runs: 3_000,
    }
}

/// What a store function gave, as its caller hears it.
pub(crate) fn heard<T: Debug>(given: Result<T, StoreError>) -> Answer {
    given
        .map(|given| format!("{given:?}"))
        .map_err(|error| error.to_string())
}

/// A sender of these events in one request; each try has a receipt of its own.
pub(crate) fn sends(what: &'static str, events: &[NormalizedEvent]) -> Actor {
    let told = events.to_vec();
    let mut sender = actor(what, move |table, tried| {
        let receipt = format!("{what} {tried}");
        let entries: Vec<Arc<Entry>> = told
            .iter()
            .map(|event| entry(event.clone(), &receipt))
            .collect();
        async move { heard(ingest_entries(&table, &entries, now()).await) }
    });
    sender.keeps = events.to_vec();
    sender
}

/// Whoever puts what a record owes, and plans again.
pub(crate) fn replans(what: &'static str, customer: CustomerKey) -> Actor {
    actor(what, move |table, _| {
        let customer = customer.clone();
        async move { is_done(replan(&table, &customer, now()).await) }
    })
}

/// The stream's reader at a parked entry.
pub(crate) fn offers(what: &'static str, event: NormalizedEvent) -> Actor {
    let parked = entry(event, "parked");
    actor(what, move |table, _| {
        let parked = parked.clone();
        async move {
            let offered = async {
                for customer in retry_parked(&table, &parked).await? {
                    fold(&table, &customer, vec![parked.clone()], now()).await?;
                }
                Ok(FoldStatus::Done)
            };
            is_done(offered.await)
        }
    })
}

/// A fold that others kept from its end is no answer.
pub(crate) fn is_done(folded: Result<FoldStatus, StoreError>) -> Answer {
    match folded {
        Ok(FoldStatus::Done) => Ok("done".into()),
        other => Err(format!("{other:?}")),
    }
}

/// A table in which these events were taken in and everything that follows was done.
pub(crate) fn after(events: &[NormalizedEvent]) -> TableState {
    let table = MemoryTable::without_attributes();
    for event in events {
        let entries = [entry(event.clone(), "before")];
        at_once(ingest_entries(&table, &entries, at(1))).unwrap();
    }
    settled(&table)
}

/// The table as it stands; the stream has told all of it.
pub(crate) fn settled(table: &MemoryTable) -> TableState {
    let mut state = table.state();
    state.changes.clear();
    state
}

/// The same with these events made durable and nothing more.
pub(crate) fn with_appended(base: TableState, events: &[NormalizedEvent]) -> TableState {
    let table = MemoryTable::new(base);
    for event in events {
        at_once(append_or_park(&table, &entry(event.clone(), "parked"))).unwrap();
    }
    table.state()
}

/// The event as another customer's.
pub(crate) fn of(customer: CustomerKey, event: NormalizedEvent) -> NormalizedEvent {
    NormalizedEvent {
        about: About::Customer(customer),
        ..event
    }
}
