//! `PAYMENT.SALE.REFUNDED`, `PAYMENT.CAPTURE.REFUNDED`: money that the shop sends back.

use super::event::PaypalEvent;
use super::wire::{Link, PaypalAmount, linked_id, unknown_word};
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::wire::{Id, Part, Rfc3339Time, UnclearValue, to_timestamp};
use domain::event::Fact;
use domain::payment::snapshot::{RefundSnapshot, RefundState};
use serde::Deserialize;
use std::sync::Arc;

/// A refund of a sale or of a capture. What came of it and how much it is are read apart: without
/// either nothing is refunded, and both are named.
pub(super) fn snapshot<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let refund: PaypalRefund = event.resource()?;
    let payment = refund
        .payment()
        .ok_or_else(|| UnclearValue::missing("resource.sale_id"))?;
    let mut draft = event.draft_by_reference(&[&payment.0]);
    let state = draft.readable(refund.state());
    let amount = draft.readable(refund.amount.as_ref().require(AMOUNT));
    let money = amount.and_then(|amount| draft.readable(amount.refunded(AMOUNT)));
    let (Some(state), Some(amount), Some(money)) = (state, amount, money) else {
        return Ok(draft);
    };
    let tax_minor = draft.readable(amount.tax_minor(AMOUNT)).flatten();
    let created = refund.create_time.as_ref().read("resource.create_time");
    let created = draft.readable(created).flatten().copied();
    draft.add_fact(Fact::Refund(RefundSnapshot {
        id: refund.id.0,
        payment: vec![payment.0],
        amount: money.into(),
        tax_minor,
        state,
        created_at: to_timestamp(created).unwrap_or(event.at),
    }));
    Ok(draft)
}

/// A refund, as an event or the API shows it.
#[derive(Deserialize)]
pub(super) struct PaypalRefund {
    id: Id,
    #[serde(alias = "state", default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    amount: Part<PaypalAmount>,
    #[serde(alias = "capture_id", default)]
    sale_id: Part<Id>,
    #[serde(default)]
    links: Part<Vec<Link>>,
    #[serde(default)]
    create_time: Part<Rfc3339Time>,
}

impl PaypalRefund {
    /// The sale or capture that it is a refund of: by its field, else by its links.
    pub(super) fn payment(&self) -> Option<Id> {
        let linked = |(rel, kind)| linked_id(&self.links, rel, kind);
        let named = self.sale_id.as_ref().readable().cloned();
        named.or_else(|| PAYMENT_LINKS.iter().copied().find_map(linked))
    }

    fn state(&self) -> Result<RefundState, UnclearValue> {
        let place = "resource.status";
        let word = self.status.as_ref().require(place)?;
        match word.to_ascii_uppercase().as_str() {
            "COMPLETED" => Ok(RefundState::Succeeded),
            "PENDING" => Ok(RefundState::Pending),
            "FAILED" | "CANCELLED" | "CANCELED" => Ok(RefundState::Failed),
            _ => Err(unknown_word(place, word)),
        }
    }
}

const AMOUNT: &str = "resource.amount";
/// The relations and kinds of links that lead from a refund to its payment.
const PAYMENT_LINKS: &[(&str, &str)] = &[
    ("sale", "/sale/"),
    ("up", "/captures/"),
    ("capture", "/capture/"),
];
