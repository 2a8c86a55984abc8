//! What became of each event: computed from the journal when somebody asks.

use crate::event::{Fact, Position};
use crate::ids::EventId;
use crate::record::Entry;
use crate::state::CustomerState;
use jiff::Timestamp;
use std::sync::Arc;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventVerdict {
    /// It was the latest event when it arrived, and was folded on top of the others.
    Applied,
    /// It arrived after an event that happened later, and was folded into its place.
    OutOfOrder,
    /// Part of it could not be read. It waits to be normalized again.
    Quarantined,
    /// Another snapshot has the same time, and nothing says which came last.
    Ambiguous,
}

/// An event and its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedEvent {
    /// The event's id.
    pub id: EventId,
    /// The sender's name for this type of event.
    pub kind: Arc<str>,
    /// When it happened, by the sender's clock.
    pub occurred_at: Timestamp,
    /// When we received it, by our clock.
    pub received_at: Timestamp,
    /// What became of it.
    pub verdict: EventVerdict,
    /// What of it can't be read; nothing where it is not quarantined.
    pub unclear: Vec<Arc<str>>,
}

impl EventVerdict {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::OutOfOrder => "out_of_order",
            Self::Quarantined => "quarantined",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// Every event of a journal, in the order of the fold, with its verdict.
pub fn explain(journal: &[Arc<Entry>], state: &CustomerState) -> Vec<ExplainedEvent> {
    let mut by_arrival: Vec<&Entry> = journal.iter().map(AsRef::as_ref).collect();
    by_arrival.sort_by(|a, b| (a.received_at, &a.event.id).cmp(&(b.received_at, &b.event.id)));
    let mut latest: Option<Position> = None;
    let mut explained = Vec::with_capacity(by_arrival.len());
    for entry in by_arrival {
        let position = entry.event.position();
        let out_of_order = latest.as_ref().is_some_and(|latest| position < *latest);
        let verdict = verdict(entry, state, out_of_order);
        explained.push((
            position.clone(),
            ExplainedEvent {
                id: entry.event.id.clone(),
                kind: entry.event.kind.clone(),
                occurred_at: entry.event.occurred_at,
                received_at: entry.received_at,
                verdict,
                unclear: entry.event.unclear_parts(),
            },
        ));
        if !out_of_order {
            latest = Some(position);
        }
    }
    explained.sort_by(|(a, _), (b, _)| a.cmp(b));
    explained
        .into_iter()
        .map(|(_, explained)| explained)
        .collect()
}

fn verdict(entry: &Entry, state: &CustomerState, out_of_order: bool) -> EventVerdict {
    let event = &entry.event;
    let ambiguous = event.facts.iter().any(|fact| {
        let Fact::Subscription(snapshot) = fact else {
            return false;
        };
        let current = state.subscriptions.get(&snapshot.id);
        current.is_some_and(|current| current.ambiguous && current.as_of == event.occurred_at)
    });
    if event.is_unclear() {
        EventVerdict::Quarantined
    } else if ambiguous {
        EventVerdict::Ambiguous
    } else if out_of_order {
        EventVerdict::OutOfOrder
    } else {
        EventVerdict::Applied
    }
}
