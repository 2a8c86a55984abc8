//! What follows from one authentic item.

use crate::keys::PersonKey;
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{EventId, Reference};
use std::sync::Arc;

/// One wire item and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedItem {
    /// What the journal keeps: the item's bytes as they were sent, followed by the API responses
    /// that were used to read it.
    pub raw: Arc<[u8]>,
    /// What follows from it.
    pub outcome: ItemOutcome,
}

/// What follows from an authentic item. All of these are acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// To be journaled: understood, or unclear ([`Fact::Unclear`]), or waiting for the provider's
    /// API ([`Fact::Waiting`]).
    Event(NormalizedEvent),
    /// An event we do not act on: counted, not written.
    Ignored {
        /// The event's journal key, where it has one.
        id: Option<EventId>,
        /// The sender's name for the event.
        kind: Arc<str>,
    },
    /// Test money at a live endpoint or the reverse: counted, not written.
    WrongMode {
        /// The sender's name for the event.
        kind: Arc<str>,
    },
    /// An event of an account that is connected to ours, whose customers are not ours: counted, not
    /// written.
    OtherAccount {
        /// The sender's name for the event.
        kind: Arc<str>,
    },
}

impl ItemOutcome {
    /// Whether it waits for the provider's API.
    pub fn is_waiting(&self) -> bool {
        match self {
            Self::Event(event) => event.is_waiting(),
            Self::Ignored { .. } | Self::WrongMode { .. } | Self::OtherAccount { .. } => false,
        }
    }

    /// Adds the reference of every person whose e-mail address the event contains.
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
