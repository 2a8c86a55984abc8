//! What an authentic item is to us.

use crate::keys::PersonKey;
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{EventId, Reference};
use std::sync::Arc;

/// One wire item and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedItem {
    /// The item's bytes as they were sent, and behind them what the provider's API said of it:
    /// what the journal keeps.
    pub raw: Arc<[u8]>,
    /// What we make of it.
    pub outcome: ItemOutcome,
}

/// What an authentic item is to us. All of these are acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// To be journaled: understood, or kept because it could not be ([`Fact::Unclear`]), or not
    /// yet ([`Fact::Waiting`]).
    Event(NormalizedEvent),
    /// Known not to concern us, or of a type we do not act on: counted, not written.
    Ignored {
        /// The event's journal key, where it has one.
        id: Option<EventId>,
        /// The sender's name for the event.
        kind: Arc<str>,
    },
    /// Test money at a live door or the reverse: counted, not written.
    WrongMode {
        /// The sender's name for the event.
        kind: Arc<str>,
    },
}

impl ItemOutcome {
    /// Whether it waits for the provider's API.
    pub fn is_waiting(&self) -> bool {
        match self {
            Self::Event(event) => event.is_waiting(),
            Self::Ignored { .. } | Self::WrongMode { .. } => false,
        }
    }

    /// Adds to a reading the reference of every person it tells of.
    pub(crate) fn with_person_references(mut self, keys: &PersonKey) -> Self {
        if let Self::Event(event) = &mut self {
            for fact in &event.facts {
                if let Fact::Profile(profile) = fact
                    && let Some(email) = &profile.email
                {
                    let person = Reference::person(&keys.hash(email));
                    if !event.references.contains(&person) {
                        event.references.push(person);
                    }
                }
            }
        }
        self
    }
}
