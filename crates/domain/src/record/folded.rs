//! The folded part of a record: what its entries say, and which they are.

use crate::digest::Digest;
use crate::event::Position;
use crate::record::entry::Entry;
use crate::state::CustomerState;
use crate::state::fold::{FOLD_VERSION, fold_with_all_payments};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A state, and which entries it was folded from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// The edition of the fold that made it; 0 is older than editions.
    #[serde(default)]
    pub fold_version: u16,
    /// What the entries say.
    pub state: CustomerState,
    /// The number of entries.
    pub count: u64,
    /// The sum of their digests.
    pub digest: Digest,
    /// The position of the last entry in the order of the fold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Position>,
}

impl Default for Folded {
    /// Of no entries, by this edition of the fold.
    fn default() -> Self {
        Self {
            fold_version: FOLD_VERSION,
            state: CustomerState::default(),
            count: 0,
            digest: Digest::default(),
            last: None,
        }
    }
}

impl Folded {
    /// Whether an older edition of the fold made it, so that the journal may say more by now.
    pub fn is_of_older_fold(&self) -> bool {
        self.fold_version < FOLD_VERSION
    }

    /// Whether a newer edition of the fold made it: then this one has nothing to say.
    pub fn is_of_newer_fold(&self) -> bool {
        self.fold_version > FOLD_VERSION
    }

    /// The fold of a whole journal; its state keeps every payment.
    pub(super) fn of_journal(journal: &[Arc<Entry>]) -> Self {
        let mut folded = Self::default();
        for entry in journal {
            folded.add_entry(entry);
        }
        folded.state = fold_with_all_payments(journal.iter().map(|entry| &entry.event));
        folded
    }

    pub(super) fn add_entry(&mut self, entry: &Entry) {
        self.count = self.count.saturating_add(1);
        self.digest = self.digest.plus(entry.digest);
        let position = entry.event.position();
        if self.last.as_ref().is_none_or(|last| *last < position) {
            self.last = Some(position);
        }
    }
}
