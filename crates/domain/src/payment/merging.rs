//! How two payments become one, and by which ids they are found.

use crate::ids::ObjectId;
use crate::payment::payment_index::Indexed;
use crate::payment::payments::Payment;

impl Payment {
    /// This payment and another as one.
    pub(crate) fn merged_with(&self, other: &Self) -> Self {
        let mut whole = self.clone();
        whole.merge(other.clone());
        whole
    }
}

impl Indexed for Payment {
    fn ids(&self) -> impl ExactSizeIterator<Item = &ObjectId> {
        self.ids.iter()
    }

    fn parts(&self) -> impl Iterator<Item = &ObjectId> {
        self.refunds.keys().chain(self.disputes.keys())
    }

    fn merge(&mut self, other: Self) {
        self.first_seen_at = self.first_seen_at.min(other.first_seen_at);
        self.ids.extend(other.ids);
        self.sources.extend(other.sources);
        self.sources
            .sort_by(|a, b| (a.source_kind, &a.id).cmp(&(b.source_kind, &b.id)));
        self.cumulative_refunds.extend(other.cumulative_refunds);
        self.refunds.extend(other.refunds);
        self.disputes.extend(other.disputes);
    }
}
