//! `charge.succeeded` and `payment_intent.succeeded`: money that arrived.

use super::facts::{Event, money, not_negative, profile};
use super::wire::{List, Ref, id};
use crate::draft::{Draft, ids};
use crate::wire::{Address, Metadata, Unclear, read_object};
use domain::billing::{PaymentSeen, Teller};
use domain::reading::Fact;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A charge. Only authorized (not captured), pending or failed, it is no payment yet.
pub(super) fn charge<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let charge: Charge<'_> = event.object()?;
    let mut draft = charge.draft(event)?;
    let succeeded = match &*charge.status {
        "succeeded" => true,
        "pending" | "failed" => false,
        other => return Err(Unclear::word("data.object.status", other)),
    };
    let minor = charge.amount_captured.unwrap_or(charge.amount);
    let paid = money(not_negative(minor, "amount")?, &charge.currency)?;
    if succeeded && charge.captured && paid.minor > 0 {
        draft.tell(Fact::Payment(PaymentSeen {
            ids: charge.ids(),
            teller: Teller::Charge,
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
pub(super) fn intent<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let intent: Intent<'_> = event.object()?;
    let own = Some(&intent.id.0);
    let charges = intent.charges.as_ref();
    let charge = id(&intent.latest_charge)
        .or_else(|| charges.and_then(|list| list.data.first()).map(|c| &c.id.0));
    let invoice = id(&intent.invoice);
    let customer = id(&intent.customer);
    let mut draft = event.draft_of(customer, &[own])?;
    draft.lead(&[own, charge, invoice]);
    let received = not_negative(intent.amount_received, "amount_received")?;
    let paid = money(received, &intent.currency)?;
    if paid.minor > 0 {
        draft.tell(Fact::Payment(PaymentSeen {
            ids: ids(&[own, charge, invoice]),
            teller: Teller::Intent,
            paid,
            tax_minor: None,
            paid_at: event.created,
            subscription: None,
        }));
    }
    draft.read_metadata(intent.metadata.as_ref());
    if customer.is_none() {
        draft.tell_profile(profile(intent.receipt_email, None, None));
    }
    Ok(draft)
}

/// A charge, as far as payments and refunds read it.
#[derive(Deserialize)]
pub(super) struct Charge<'a> {
    id: Ref,
    #[serde(default)]
    customer: Option<Ref>,
    #[serde(default)]
    payment_intent: Option<Ref>,
    // Until 2025-03-31.
    #[serde(default)]
    invoice: Option<Ref>,
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
    billing_details: Option<Billing>,
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
struct Means {
    #[serde(default)]
    fingerprint: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct Billing {
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    name: Option<Arc<str>>,
    #[serde(default)]
    address: Option<Address>,
}

#[derive(Deserialize)]
struct Intent<'a> {
    id: Ref,
    #[serde(default)]
    customer: Option<Ref>,
    #[serde(default)]
    latest_charge: Option<Ref>,
    // Until 2022-11-15, in place of `latest_charge`.
    #[serde(default)]
    charges: Option<List<Identified>>,
    // Until 2025-03-31.
    #[serde(default)]
    invoice: Option<Ref>,
    currency: Arc<str>,
    amount_received: i64,
    #[serde(default)]
    receipt_email: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Identified {
    id: Ref,
}

impl Charge<'_> {
    /// A guest's partition is the payment: the intent where there is one.
    pub(super) fn draft<'e>(&self, event: &Event<'e>) -> Result<Draft<'e>, Unclear> {
        let (own, intent) = (Some(&self.id.0), id(&self.payment_intent));
        let mut draft = event.draft_of(id(&self.customer), &[intent, own])?;
        draft.lead(&[own, intent, id(&self.invoice)]);
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
    fn describe(self, draft: &mut Draft<'_>) {
        draft.read_metadata(self.metadata.as_ref());
        if let Some(fingerprint) = self.payment_method_details.and_then(fingerprint) {
            draft.tell_fingerprint(&fingerprint);
        }
        if let (None, Some(billing)) = (self.customer, self.billing_details) {
            let email = billing.email.or(self.receipt_email);
            draft.tell_profile(profile(email, billing.name, billing.address));
        }
    }
}

/// The mark of what was charged: beside `type` stands one object under that type's name, and of
/// cards and bank debits it has one.
fn fingerprint(details: &RawValue) -> Option<Arc<str>> {
    let details: BTreeMap<Arc<str>, &RawValue> = read_object(details, "").ok()?;
    let means = |raw: &&RawValue| read_object::<Means>(raw, "").ok()?.fingerprint;
    details.values().find_map(means)
}
