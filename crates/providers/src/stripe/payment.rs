//! `charge.succeeded`, `charge.captured`, `payment_intent.succeeded`: money that arrived.

use super::charge::{Charge, PaymentDetails};
use super::facts::{StripeEvent, money, not_negative, profile};
use super::wire::{List, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::{Metadata, Part, UnclearValue, present, read_object};
use domain::event::Fact;
use domain::ids::ObjectId;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// `charge.succeeded`, `charge.captured`: the money, and what has gone back of it by then.
pub(super) fn charge<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    charge_at(event, event.created)
}

/// `charge.updated`, where a guest's charge is given a customer: it is told again, as the
/// customer's.
pub(super) fn attached<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let charge: Charge<'_> = event.object()?;
    charge_at(event, charge.created().unwrap_or(event.created))
}

/// Whether a change of a charge gives it a customer.
pub(super) fn gives_customer(data: Option<&RawValue>) -> bool {
    let changed: Option<CustomerChange> = data.and_then(|data| read_object(data, "").ok());
    changed.is_some_and(|changed| {
        let before = changed.previous_attributes.customer;
        before == Some(None) && changed.object.customer.is_some()
    })
}

fn charge_at<'a>(
    event: &StripeEvent<'a>,
    paid_at: Timestamp,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let mut charge: Charge<'_> = event.object()?;
    let mut draft = charge.draft(event)?;
    if let Some(fact) = draft.readable(charge.payment(paid_at)).flatten() {
        draft.add_fact(fact);
    }
    if charge.is_refunded() {
        charge.add_refunds(event, &mut draft);
    }
    charge.describe(&mut draft);
    Ok(draft)
}

/// A payment intent that went through.
pub(super) fn intent<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let intent: Intent<'_> = event.object()?;
    let own = Some(&intent.id.0);
    let charges = intent.charges.as_ref();
    let charge = id(&intent.latest_charge)
        .or_else(|| charges.and_then(|list| list.data.first()).map(|c| &c.id.0));
    let invoice = intent.invoice.as_ref().and_then(id);
    let customer = id(&intent.customer);
    let mut draft = event.draft_for(customer, &[own])?;
    draft.add_references(&[own, charge, invoice]);
    let details = draft.readable(intent.payment_details.read("data.object.payment_details"));
    let order = details.flatten().and_then(|details| details.order());
    let payment = PaymentParts {
        ids: ids(&[own, charge, invoice, order.as_ref()]),
        received: intent.amount_received,
        currency: &intent.currency,
        unlinked: intent.invoice.is_none() && order.is_none(),
    };
    if let Some(fact) = draft.readable(payment.fact(event)).flatten() {
        draft.add_fact(fact);
    }
    let metadata = draft.readable(intent.metadata.read("data.object.metadata"));
    draft.read_metadata(metadata.flatten().as_ref());
    if customer.is_none() {
        draft.add_profile(profile(intent.receipt_email, None, None));
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Intent<'a> {
    id: ObjectRef,
    #[serde(default)]
    customer: Option<ObjectRef>,
    #[serde(default)]
    latest_charge: Option<ObjectRef>,
    // Until 2022-11-15, in place of `latest_charge`.
    #[serde(default)]
    charges: Option<List<ListedCharge>>,
    // Until 2025-03-31: null says that it pays none.
    #[serde(default, deserialize_with = "present")]
    invoice: Option<Option<ObjectRef>>,
    #[serde(default)]
    payment_details: Part<PaymentDetails>,
    currency: Arc<str>,
    #[serde(default)]
    amount_received: Option<i64>,
    #[serde(default)]
    receipt_email: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
}

/// What an intent says of the money.
struct PaymentParts<'a> {
    ids: Vec<ObjectId>,
    received: Option<i64>,
    currency: &'a str,
    unlinked: bool,
}

impl PaymentParts<'_> {
    fn fact(self, event: &StripeEvent<'_>) -> Result<Option<Fact>, UnclearValue> {
        let absent = || UnclearValue::missing("data.object.amount_received");
        let received = not_negative(self.received.ok_or_else(absent)?, "amount_received")?;
        let paid = money(received, self.currency)?;
        Ok((paid.minor > 0).then_some(Fact::Payment(PaymentSnapshot {
            ids: self.ids,
            source_kind: SourceKind::Intent,
            paid,
            tax_minor: None,
            paid_at: event.created,
            subscription: None,
            unlinked: self.unlinked,
            purchased: Vec::new(),
        })))
    }
}

/// Whose a charge is, and was.
#[derive(Deserialize)]
struct CustomerChange {
    object: NewCustomer,
    previous_attributes: PreviousCustomer,
}

#[derive(Deserialize)]
struct NewCustomer {
    #[serde(default)]
    customer: Option<ObjectRef>,
}

#[derive(Deserialize)]
struct PreviousCustomer {
    #[serde(default, deserialize_with = "present")]
    customer: Option<Option<ObjectRef>>,
}

#[derive(Deserialize)]
struct ListedCharge {
    id: ObjectRef,
}
