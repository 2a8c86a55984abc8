//! The state of a payment: when it came about, and what it is called.

use super::Payment;
use crate::mollie::api::MollieAmount;
use crate::wire::{Part, UnclearValue};
use domain::ids::ObjectId;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

impl Payment<'_> {
    /// The last change that has a time.
    pub(super) fn last_change(&self) -> Timestamp {
        let refunds = self.embedded.refunds().map(|refund| refund.created_at);
        let chargebacks = self.embedded.chargebacks();
        let chargebacks =
            chargebacks.flat_map(|back| [Some(back.created_at), back.reversed_at.readable()]);
        let paid_at = self.paid_at.readable();
        let own = [Some(self.created_at), paid_at, self.failed_at.readable()];
        let moments = own.into_iter().chain(chargebacks).flatten().chain(refunds);
        moments
            .map(|moment| moment.0)
            .max()
            .unwrap_or(self.created_at.0)
    }

    /// The name of this state of the payment: whatever we read of it is in it.
    pub(super) fn state_name(&self) -> Result<ObjectId, UnclearValue> {
        let mut state = Sha256::new();
        let mut add = |words: &[&str]| {
            for word in words {
                state.update(word);
                state.update(b"\0");
            }
        };
        add(&[&self.status, text(&self.amount)]);
        if let Some(captured) = self.amount_captured.as_ref().readable() {
            add(&["captured", &captured.value]);
        }
        if self.embedded.has_unreadable() {
            add(&["unreadable"]);
        }
        let mut refunds: Vec<_> = self.embedded.refunds().collect();
        refunds.sort_by_key(|refund| refund.id.0.as_str());
        for refund in refunds {
            add(&[
                "refund",
                refund.id.0.as_str(),
                &refund.status,
                text(&refund.amount),
            ]);
        }
        let mut chargebacks: Vec<_> = self.embedded.chargebacks().collect();
        chargebacks.sort_by_key(|chargeback| chargeback.id.0.as_str());
        for chargeback in chargebacks {
            let reversed = chargeback.reversed_at.readable();
            let reversed = reversed.map_or("", |_| "reversed");
            let id = chargeback.id.0.as_str();
            add(&["chargeback", id, text(&chargeback.amount), reversed]);
        }
        let digest: String = hex::encode(state.finalize()).chars().take(16).collect();
        let name = format!("{}.{digest}", self.id.0);
        ObjectId::parse(name).map_err(|_| UnclearValue::invalid_id("payment.id"))
    }
}

/// An amount as it is written.
fn text(amount: &Part<MollieAmount>) -> &str {
    let amount = amount.as_ref().readable();
    amount.map_or("", |amount| &amount.value)
}
