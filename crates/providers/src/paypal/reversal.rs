//! `PAYMENT.SALE.REVERSED`, `PAYMENT.CAPTURE.REVERSED`: PayPal took a payment back.

use super::dispute::reversed_payment;
use super::event::PaypalEvent;
use super::refund::PaypalRefund;
use super::wire::{Link, PaypalAmount, linked_id};
use crate::api_document::{ReadError, find};
use crate::draft::NormalizedEventDraft;
use crate::fetch::ApiCall;
use crate::wire::{Id, Part, UnclearValue, read_object};
use domain::ids::ObjectId;
use serde::Deserialize;

/// A reversal. It names its payment, or is the payment itself, or leads to the refund that PayPal
/// made of it, which names the payment.
pub(super) fn snapshot<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let reversal: Reversal = event.resource()?;
    let payment = match reversal.payment() {
        Some(payment) => Some(payment),
        None => payment_of_refund(event, &reversal)?,
    };
    let payment: ObjectId = payment
        .ok_or_else(|| UnclearValue::missing("resource.sale_id"))?
        .0;
    let mut draft = event.draft_by_reference(&[&payment]);
    let amount = reversal.amount.require(AMOUNT);
    let amount = draft.readable(amount.and_then(|amount| amount.refunded(AMOUNT)));
    if let Some(amount) = amount {
        draft.add_fact(reversed_payment(&payment, amount));
    }
    Ok(draft)
}

fn payment_of_refund(
    event: &PaypalEvent<'_, '_>,
    reversal: &Reversal,
) -> Result<Option<Id>, ReadError> {
    let Some(refund) = linked_id(&reversal.links, "self", "/refund/") else {
        return Ok(None);
    };
    let call = ApiCall::get(&["v1", "payments", "refund", refund.0.as_str()]);
    let Some(document) = find(event.responses, call, "refund")? else {
        return Ok(None);
    };
    let refund: PaypalRefund = read_object(document, "refund")?;
    Ok(refund.payment())
}

#[derive(Deserialize)]
struct Reversal {
    #[serde(default)]
    amount: Part<PaypalAmount>,
    #[serde(alias = "capture_id", default)]
    sale_id: Part<Id>,
    #[serde(default)]
    links: Part<Vec<Link>>,
}

impl Reversal {
    fn payment(&self) -> Option<Id> {
        let linked = |(rel, kind)| linked_id(&self.links, rel, kind);
        let named = self.sale_id.as_ref().readable().cloned();
        named.or_else(|| PAYMENT_LINKS.iter().copied().find_map(linked))
    }
}

const AMOUNT: &str = "resource.amount";
/// The relations and kinds of links that lead from a reversal to its payment.
const PAYMENT_LINKS: &[(&str, &str)] = &[
    ("sale", "/sale/"),
    ("up", "/captures/"),
    ("capture", "/capture/"),
    ("self", "/sale/"),
    ("self", "/captures/"),
    ("self", "/capture/"),
];
