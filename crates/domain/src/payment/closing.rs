//! Old payments leave the record.

use crate::payment::payment_index::PaymentIndex;
use crate::payment::payments::{OPEN_PAYMENTS, Payment, Payments};
use crate::payment::place::PaymentPlace;
use jiff::Timestamp;

impl Payments {
    /// Sorts the payments and removes the oldest beyond [`OPEN_PAYMENTS`]. Returns when the first
    /// of the removed ones was paid.
    pub(crate) fn close_old(&mut self) -> Option<Timestamp> {
        self.sort();
        let excess = self.open.len().saturating_sub(OPEN_PAYMENTS);
        let excess = self.excess_without_halves(excess);
        let closed: Vec<Payment> = self.open.drain(..excess).collect();
        let last = closed.last().and_then(place);
        self.last_closed = self.last_closed.take().max(last);
        self.closed = self
            .closed
            .saturating_add(u32::try_from(excess).unwrap_or(u32::MAX));
        let first_paid_at = closed.iter().filter_map(Payment::paid_at).min();
        self.keep_purchases(closed);
        first_paid_at
    }

    /// Whether the open payments are those that would be open if the closed ones were here too:
    /// enough of them, and all of them later. So it is unless payments became one, or one was taken
    /// back.
    pub(crate) fn are_the_latest(&self) -> bool {
        let first = self.open.first().and_then(place);
        let full = self.open.len() >= OPEN_PAYMENTS;
        self.closed == 0 || (full && self.last_closed.is_some() && first > self.last_closed)
    }

    /// Sorts the payments, the earliest first.
    pub(crate) fn sort(&mut self) {
        self.index = PaymentIndex::default();
        self.open.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    }
}

fn place(payment: &Payment) -> Option<PaymentPlace> {
    Some(PaymentPlace {
        at: payment.sort_key().0,
        id: payment.ids.first()?.clone(),
    })
}
