//! The folded part of a record: what its entries say, and which they are.

use crate::digest::Digest;
use crate::event::Position;
use crate::record::entry::Entry;
use crate::state::CustomerState;
use crate::state::fold::fold_with_all_payments;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A state, and which entries it was folded from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
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

impl Folded {
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
