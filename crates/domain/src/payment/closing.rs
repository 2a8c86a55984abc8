//! Old payments leave the record.

use crate::payment::payment_index::PaymentIndex;
use crate::payment::payments::{OPEN_PAYMENTS, Payments};
use jiff::Timestamp;

impl Payments {
    /// Sorts the payments and removes the oldest beyond [`OPEN_PAYMENTS`]. Returns when the first
    /// of the removed ones was paid.
    pub(crate) fn close_old(&mut self) -> Option<Timestamp> {
        self.sort();
        let excess = self.open.len().saturating_sub(OPEN_PAYMENTS);
        let excess = self.excess_without_halves(excess);
        let left = self.open.drain(..excess).filter_map(|p| p.paid_at()).min();
        self.closed = self
            .closed
            .saturating_add(u32::try_from(excess).unwrap_or(u32::MAX));
        left
    }

    /// Sorts the payments, the earliest first.
    pub(crate) fn sort(&mut self) {
        self.index = PaymentIndex::default();
        self.open.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    }
}
