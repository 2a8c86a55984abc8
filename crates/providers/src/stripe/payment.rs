//! `charge.succeeded` and `payment_intent.succeeded`: money that arrived.

use super::charge::Charge;
use super::facts::{StripeEvent, money, not_negative, profile};
use super::wire::{List, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::{Metadata, UnclearValue};
use domain::event::Fact;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use serde::Deserialize;
use std::sync::Arc;

/// A charge. Only authorized (not captured), pending or failed, it is no payment yet.
pub(super) fn charge<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let charge: Charge<'_> = event.object()?;
    let mut draft = charge.draft(event)?;
    let succeeded = match &*charge.status {
        "succeeded" => true,
        "pending" | "failed" => false,
        other => return Err(UnclearValue::unknown_word("data.object.status", other)),
    };
    let minor = charge.amount_captured.unwrap_or(charge.amount);
    let paid = money(not_negative(minor, "amount")?, &charge.currency)?;
    if succeeded && charge.captured && paid.minor > 0 {
        draft.add_fact(Fact::Payment(PaymentSnapshot {
            ids: charge.ids(),
            source_kind: SourceKind::Charge,
            paid,
            tax_minor: None,
            paid_at: event.created,
            subscription: None,
            unlinked: false,
        }));
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
    let invoice = id(&intent.invoice);
    let customer = id(&intent.customer);
    let mut draft = event.draft_for(customer, &[own])?;
    draft.add_references(&[own, charge, invoice]);
    let received = not_negative(intent.amount_received, "amount_received")?;
    let paid = money(received, &intent.currency)?;
    if paid.minor > 0 {
        draft.add_fact(Fact::Payment(PaymentSnapshot {
            ids: ids(&[own, charge, invoice]),
            source_kind: SourceKind::Intent,
            paid,
            tax_minor: None,
            paid_at: event.created,
            subscription: None,
            unlinked: false,
        }));
    }
    draft.read_metadata(intent.metadata.as_ref());
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
    // Until 2025-03-31.
    #[serde(default)]
    invoice: Option<ObjectRef>,
    currency: Arc<str>,
    amount_received: i64,
    #[serde(default)]
    receipt_email: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct ListedCharge {
    id: ObjectRef,
}
