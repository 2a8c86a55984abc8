//! One-off purchases: what was bought with a payment, what became of its money, and what is kept of
//! it when the payment leaves the record.

use crate::payment::kept_purchase::{CLOSED_PURCHASES, KeptPurchase, PaymentStanding};
use crate::payment::payments::{Payment, Payments};
use crate::payment::snapshot::{DisputeState, PurchasedPrice};
use std::collections::BTreeMap;

impl Payment {
    /// What was bought once with it, by the best kind of source that says so. Each part of a
    /// payment in parts states all of it.
    pub fn purchased(&self) -> Vec<PurchasedPrice> {
        let stating = self.sources.iter().filter(|s| !s.purchased.is_empty());
        let best = stating.clone().map(|source| source.source_kind).max();
        let lines = stating
            .filter(|source| Some(source.source_kind) == best)
            .flat_map(|source| &source.purchased);
        let mut by_price = BTreeMap::new();
        for line in lines {
            let most = by_price.entry(&line.price).or_insert(line.quantity);
            *most = line.quantity.max(*most);
        }
        let lines = by_price
            .into_iter()
            .map(|(price, quantity)| PurchasedPrice {
                price: price.clone(),
                quantity,
            });
        lines.collect()
    }

    /// What became of the money. A lost dispute in another currency than the payment's has taken
    /// all of it.
    pub fn standing(&self) -> PaymentStanding {
        let in_state = |state| self.disputes.values().filter(move |d| d.state == state);
        if in_state(DisputeState::Open).next().is_some() {
            return PaymentStanding::Disputed;
        }
        let paid = self.paid();
        let is_elsewhere = |amount: crate::money::StatedAmount| {
            paid.is_some_and(|paid| !amount.is_in_unit_of(paid))
        };
        let lost = in_state(DisputeState::Lost);
        let lost_elsewhere = lost.clone().any(|dispute| is_elsewhere(dispute.amount));
        let is_lost = lost.count() > 0;
        // No dispute is open, so what disputes hold is what they took.
        let gone = self.refunded_minor().saturating_add(self.disputed_minor());
        let all = paid.is_some_and(|paid| gone >= paid.minor);
        match (all || lost_elsewhere, is_lost) {
            (true, true) => PaymentStanding::Lost,
            (true, false) => PaymentStanding::Refunded,
            (false, _) if gone > 0 => PaymentStanding::PartlyRefunded,
            (false, _) => PaymentStanding::Kept,
        }
    }
}

impl Payments {
    /// One-off purchases, those of payments that left the record first.
    pub fn purchases(&self) -> impl Iterator<Item = KeptPurchase> {
        let open = self.settled().filter_map(|payment| purchase_of(&payment));
        self.closed_purchases.iter().cloned().chain(open)
    }

    /// Keeps what was bought with payments that leave the record: the latest purchases of which the
    /// money is not all gone. An event that touches one of these payments folds the whole journal
    /// again, so this is always what they came to.
    pub(super) fn keep_purchases(&mut self, closed: Vec<Payment>) {
        let closed = Self::new(closed);
        let purchases = closed.settled().filter_map(|payment| purchase_of(&payment));
        let purchases = purchases.filter(|purchase| !purchase.standing.is_gone());
        let kept = &mut self.closed_purchases;
        kept.extend(purchases);
        kept.sort_by(|a, b| (a.paid_at, &a.payment).cmp(&(b.paid_at, &b.payment)));
        let excess = kept.len().saturating_sub(CLOSED_PURCHASES);
        kept.drain(..excess);
    }
}

/// What was bought once with a payment, if anything was.
fn purchase_of(payment: &Payment) -> Option<KeptPurchase> {
    let purchased = payment.purchased();
    if purchased.is_empty() {
        return None;
    }
    Some(KeptPurchase {
        payment: payment.id()?.clone(),
        paid_at: payment.paid_at()?,
        purchased,
        standing: payment.standing(),
    })
}
