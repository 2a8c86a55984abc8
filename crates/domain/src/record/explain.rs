//! Why each event counts as it does, worked out from the journal when somebody asks.

use crate::event::{Fact, Position};
use crate::ids::EventId;
use crate::record::Entry;
use crate::state::CustomerState;
use jiff::Timestamp;
use std::sync::Arc;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventVerdict {
    /// It stood last when it came, and was folded on top.
    Applied,
    /// Something that happened after it had come before it: it was folded into its place.
    OutOfOrder,
    /// It could not be understood and waits to be read again.
    Quarantined,
    /// It ties with another statement of the same instant, and nothing tells their order.
    Ambiguous,
}

/// An event and its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedEvent {
    /// The event's id.
    pub id: EventId,
    /// The sender's name for it.
    pub kind: Arc<str>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When we received it.
    pub received_at: Timestamp,
    /// What became of it.
    pub verdict: EventVerdict,
}

impl EventVerdict {
    /// As it stands in JSON.
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
    let mut arrived: Vec<&Entry> = journal.iter().map(AsRef::as_ref).collect();
    arrived.sort_by(|a, b| (a.received_at, &a.event.id).cmp(&(b.received_at, &b.event.id)));
    let mut latest: Option<Position> = None;
    let mut explained = Vec::with_capacity(arrived.len());
    for entry in arrived {
        let position = entry.event.position();
        let late = latest.as_ref().is_some_and(|latest| position < *latest);
        let verdict = verdict(entry, state, late);
        explained.push((
            position.clone(),
            ExplainedEvent {
                id: entry.event.id.clone(),
                kind: entry.event.kind.clone(),
                occurred_at: entry.event.occurred_at,
                received_at: entry.received_at,
                verdict,
            },
        ));
        if !late {
            latest = Some(position);
        }
    }
    explained.sort_by(|(a, _), (b, _)| a.cmp(b));
    explained
        .into_iter()
        .map(|(_, explained)| explained)
        .collect()
}

fn verdict(entry: &Entry, state: &CustomerState, late: bool) -> EventVerdict {
    let event = &entry.event;
    let ambiguous = event.facts.iter().any(|fact| {
        let Fact::Subscription(seen) = fact else {
            return false;
        };
        let known = state.subscriptions.get(&seen.id);
        known.is_some_and(|known| known.ambiguous && known.as_of == event.occurred_at)
    });
    if event.is_unclear() {
        EventVerdict::Quarantined
    } else if ambiguous {
        EventVerdict::Ambiguous
    } else if late {
        EventVerdict::OutOfOrder
    } else {
        EventVerdict::Applied
    }
}
