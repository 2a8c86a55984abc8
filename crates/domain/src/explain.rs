//! Why each event counts as it does, told from the journal when somebody asks.

use crate::ids::EventId;
use crate::reading::{Fact, Position};
use crate::record::Entry;
use crate::state::State;
use jiff::Timestamp;
use std::sync::Arc;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stood last when it came, and was folded on top.
    Applied,
    /// Something that happened after it had come before it: it was folded into its place.
    Late,
    /// It could not be understood and waits to be read again.
    Quarantined,
    /// It ties with another statement of the same instant, and nothing tells their order.
    Ambiguous,
}

/// An event and its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Which.
    pub id: EventId,
    /// The sender's name for it.
    pub kind: Arc<str>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When we received it.
    pub received_at: Timestamp,
    /// What became of it.
    pub verdict: Verdict,
}

impl Verdict {
    /// As it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Late => "late",
            Self::Quarantined => "quarantined",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// Every event of a journal, in the order of the fold, with its verdict.
pub fn explain(journal: &[Arc<Entry>], state: &State) -> Vec<Explained> {
    let mut arrived: Vec<&Entry> = journal.iter().map(AsRef::as_ref).collect();
    arrived.sort_by(|a, b| (a.received_at, &a.reading.id).cmp(&(b.received_at, &b.reading.id)));
    let mut latest: Option<Position> = None;
    let mut explained = Vec::with_capacity(arrived.len());
    for entry in arrived {
        let position = entry.reading.position();
        let late = latest.as_ref().is_some_and(|latest| position < *latest);
        let verdict = verdict(entry, state, late);
        explained.push((
            position.clone(),
            Explained {
                id: entry.reading.id.clone(),
                kind: entry.reading.kind.clone(),
                occurred_at: entry.reading.occurred_at,
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

fn verdict(entry: &Entry, state: &State, late: bool) -> Verdict {
    let reading = &entry.reading;
    let ambiguous = reading.facts.iter().any(|fact| {
        let Fact::Subscription(seen) = fact else {
            return false;
        };
        let known = state.subscriptions.get(&seen.id);
        known.is_some_and(|known| known.ambiguous && known.as_of == reading.occurred_at)
    });
    if reading.is_unclear() {
        Verdict::Quarantined
    } else if ambiguous {
        Verdict::Ambiguous
    } else if late {
        Verdict::Late
    } else {
        Verdict::Applied
    }
}
