//! `charge.succeeded` and `payment_intent.succeeded`: money that arrived.

use super::facts::{StripeEvent, money, not_negative, profile};
use super::wire::{List, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::{AddressCountry, Metadata, UnclearValue, read_object};
use domain::event::Fact;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
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
        }));
    }
    draft.read_metadata(intent.metadata.as_ref());
    if customer.is_none() {
        draft.add_profile(profile(intent.receipt_email, None, None));
    }
    Ok(draft)
}

/// A charge, as far as payments and refunds read it.
#[derive(Deserialize)]
pub(super) struct Charge<'a> {
    id: ObjectRef,
    #[serde(default)]
    customer: Option<ObjectRef>,
    #[serde(default)]
    payment_intent: Option<ObjectRef>,
    // Until 2025-03-31.
    #[serde(default)]
    invoice: Option<ObjectRef>,
    status: Arc<str>,
    captured: bool,
    currency: Arc<str>,
    amount: i64,
    #[serde(default)]
    amount_captured: Option<i64>,
    #[serde(default)]
    pub(super) amount_refunded: i64,
    #[serde(borrow, default)]
    payment_method_details: Option<&'a RawValue>,
    #[serde(default)]
    billing_details: Option<BillingDetails>,
    #[serde(default)]
    receipt_email: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    // Until 2022-11-15 with its refunds.
    #[serde(default)]
    pub(super) refunds: Option<List<super::refund::Refund>>,
}

/// A card or an account, as far as it can be known again.
#[derive(Deserialize)]
struct PaymentMethod {
    #[serde(default)]
    fingerprint: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct BillingDetails {
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    name: Option<Arc<str>>,
    #[serde(default)]
    address: Option<AddressCountry>,
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

impl Charge<'_> {
    /// A guest's partition is the payment: the intent where there is one.
    pub(super) fn draft<'e>(
        &self,
        event: &StripeEvent<'e>,
    ) -> Result<NormalizedEventDraft<'e>, UnclearValue> {
        let (own, intent) = (Some(&self.id.0), id(&self.payment_intent));
        let mut draft = event.draft_for(id(&self.customer), &[intent, own])?;
        draft.add_references(&[own, intent, id(&self.invoice)]);
        Ok(draft)
    }

    /// Every id the payment goes by.
    pub(super) fn ids(&self) -> Vec<domain::ids::ObjectId> {
        ids(&[
            Some(&self.id.0),
            id(&self.payment_intent),
            id(&self.invoice),
        ])
    }

    /// What the shop and the guest wrote on it. A known customer may pay with somebody else's
    /// card, so billing details describe guests alone.
    fn describe(self, draft: &mut NormalizedEventDraft<'_>) {
        draft.read_metadata(self.metadata.as_ref());
        if let Some(fingerprint) = self.payment_method_details.and_then(fingerprint) {
            draft.add_fingerprint(&fingerprint);
        }
        if let (None, Some(billing)) = (self.customer, self.billing_details) {
            let email = billing.email.or(self.receipt_email);
            draft.add_profile(profile(email, billing.name, billing.address));
        }
    }
}

/// The mark of what was charged: beside `type` stands one object under that type's name, and of
/// cards and bank debits it has one.
fn fingerprint(details: &RawValue) -> Option<Arc<str>> {
    let details: BTreeMap<Arc<str>, &RawValue> = read_object(details, "").ok()?;
    let means = |raw: &&RawValue| read_object::<PaymentMethod>(raw, "").ok()?.fingerprint;
    details.values().find_map(means)
}
