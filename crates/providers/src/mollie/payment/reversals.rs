//! What went back of a payment: refunds by the shop, chargebacks by the payer's bank.

use crate::mollie::api::MollieAmount;
use crate::wire::{Id, Part, Rfc3339Time, UnclearValue};
use domain::payment::snapshot::{DisputeSnapshot, DisputeState, RefundSnapshot, RefundState};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Default, Deserialize)]
pub(super) struct EmbeddedReversals {
    #[serde(default)]
    pub(super) refunds: Part<Vec<Part<Refund>>>,
    #[serde(default)]
    pub(super) chargebacks: Part<Vec<Part<Chargeback>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refund {
    pub(super) id: Id,
    pub(super) status: Arc<str>,
    #[serde(default)]
    pub(super) amount: Part<MollieAmount>,
    pub(super) created_at: Rfc3339Time,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chargeback {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) amount: Part<MollieAmount>,
    pub(super) created_at: Rfc3339Time,
    #[serde(default)]
    pub(super) reversed_at: Part<Rfc3339Time>,
}

impl EmbeddedReversals {
    /// Those that go through, or went. One that can still be withdrawn is none yet: Mollie does not
    /// tell that it was withdrawn, and may leave it out of the list then.
    pub(super) fn refunds(&self) -> impl Iterator<Item = &Refund> {
        let all = self.refunds.as_ref().readable().into_iter().flatten();
        let readable = all.filter_map(|refund| refund.as_ref().readable());
        readable.filter(|refund| !CAN_BE_WITHDRAWN.contains(&&*refund.status))
    }

    pub(super) fn chargebacks(&self) -> impl Iterator<Item = &Chargeback> {
        let all = self.chargebacks.as_ref().readable().into_iter().flatten();
        all.filter_map(|chargeback| chargeback.as_ref().readable())
    }

    /// Whether there is something in it that can't be read.
    pub(super) fn has_unreadable(&self) -> bool {
        fn is_unreadable<T>(list: &Part<Vec<Part<T>>>) -> bool {
            match list {
                Part::Absent | Part::Null => false,
                Part::Present(all) => all.iter().any(|one| one.as_ref().readable().is_none()),
                Part::Unreadable => true,
            }
        }
        is_unreadable(&self.refunds) || is_unreadable(&self.chargebacks)
    }
}

impl Refund {
    pub(super) fn snapshot(&self, payment: &Id) -> Result<RefundSnapshot, UnclearValue> {
        let state = match &*self.status {
            "processing" => RefundState::Pending,
            "refunded" => RefundState::Succeeded,
            "failed" | "canceled" => RefundState::Failed,
            other => return Err(UnclearValue::unknown_word("refund.status", other)),
        };
        let place = "refund.amount";
        let amount = self.amount.as_ref().require(place)?;
        Ok(RefundSnapshot {
            id: self.id.0.clone(),
            payment: vec![payment.0.clone()],
            amount: amount.money(place)?.into(),
            tax_minor: None,
            state,
            created_at: self.created_at.0,
        })
    }
}

impl Chargeback {
    pub(super) fn snapshot(&self, payment: &Id) -> Result<DisputeSnapshot, UnclearValue> {
        let state = match self.reversed_at.read("chargeback.reversedAt")? {
            Some(_) => DisputeState::Won,
            None => DisputeState::Lost,
        };
        let place = "chargeback.amount";
        let amount = self.amount.as_ref().require(place)?;
        Ok(DisputeSnapshot {
            id: self.id.0.clone(),
            payment: vec![payment.0.clone()],
            amount: amount.money(place)?.into(),
            state,
        })
    }
}

const CAN_BE_WITHDRAWN: &[&str] = &["queued", "pending"];
