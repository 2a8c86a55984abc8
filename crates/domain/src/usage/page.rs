//! Pages: sets of events. What is counted is a function of the set, so it makes no difference in
//! which order events came, how often, or in which of a customer's pages each stands.

use super::meter_event::{ContentDigest, EventHash};
use super::quantity::Quantity;
use std::collections::{BTreeMap, BTreeSet};

/// A set of events of one customer and one meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsagePage {
    entries: BTreeMap<EventHash, BTreeSet<PageEntry>>,
}

/// What a page keeps of one event. Their order says which of several that contradict each other
/// counts: the earliest, then the one of the smaller quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageEntry {
    /// When it was used, in milliseconds since 1970.
    pub millisecond: i64,
    /// What the meter counts of it. `None` where the meter counts nothing of it.
    pub value: Option<Quantity>,
    /// The digest of what it says.
    pub content: ContentDigest,
}

/// What an event is to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryStanding {
    /// Its id is not there.
    New,
    /// It is there.
    Repeated,
    /// Its id is there, and said something else.
    Conflicting,
}

impl UsagePage {
    /// What an event is to this page.
    pub fn standing(&self, hash: EventHash, content: ContentDigest) -> EntryStanding {
        match self.entries.get(&hash) {
            None => EntryStanding::New,
            Some(known) if known.iter().any(|entry| entry.content == content) => {
                EntryStanding::Repeated
            }
            Some(_) => EntryStanding::Conflicting,
        }
    }

    /// Adds an event, and says what it was to this page before. One that contradicts another is
    /// kept beside it.
    pub fn insert(&mut self, hash: EventHash, entry: PageEntry) -> EntryStanding {
        let standing = self.standing(hash, entry.content);
        let known = self.entries.entry(hash).or_default();
        // A meter may have read the same event otherwise: one of both readings stays, the same
        // whichever came first.
        let other = known.iter().find(|other| other.content == entry.content);
        match other.copied() {
            Some(other) if other <= entry => {}
            Some(other) => {
                known.remove(&other);
                known.insert(entry);
            }
            None => {
                known.insert(entry);
            }
        }
        standing
    }

    /// Adds all events of another page.
    pub fn merge(&mut self, other: &Self) {
        for (hash, entries) in &other.entries {
            for entry in entries {
                self.insert(*hash, *entry);
            }
        }
    }

    /// One entry for each id: of those that contradict each other the first.
    pub fn counted(&self) -> impl Iterator<Item = (EventHash, PageEntry)> {
        let entries = self.entries.iter();
        entries.filter_map(|(hash, known)| Some((*hash, *known.first()?)))
    }

    /// Every entry, those that contradict each other too.
    pub fn all(&self) -> impl Iterator<Item = (EventHash, PageEntry)> {
        let entries = self.entries.iter();
        entries.flat_map(|(hash, known)| known.iter().map(|entry| (*hash, *entry)))
    }

    /// How many ids.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many ids have contradicting entries.
    pub fn conflicts(&self) -> usize {
        let entries = self.entries.values();
        entries.filter(|known| known.len() > 1).count()
    }
}
