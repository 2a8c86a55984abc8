//! A charge and a refund, as far as events of payments and refunds read them.

use super::facts::{StripeEvent, profile, stated_amount};
use super::wire::{List, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::{AddressCountry, Metadata, UnclearValue, UnixSeconds, read_object, to_timestamp};
use domain::event::Fact;
use domain::ids::ObjectId;
use domain::payment::snapshot::{RefundSnapshot, RefundState};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A charge, as far as payments and refunds read it.
#[derive(Deserialize)]
pub(super) struct Charge<'a> {
    pub(super) id: ObjectRef,
    #[serde(default)]
    customer: Option<ObjectRef>,
    #[serde(default)]
    payment_intent: Option<ObjectRef>,
    // Until 2025-03-31.
    #[serde(default)]
    invoice: Option<ObjectRef>,
    pub(super) status: Arc<str>,
    pub(super) captured: bool,
    pub(super) currency: Arc<str>,
    pub(super) amount: i64,
    #[serde(default)]
    pub(super) amount_captured: Option<i64>,
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
    pub(super) refunds: Option<List<Refund>>,
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
    pub(super) fn ids(&self) -> Vec<ObjectId> {
        ids(&[
            Some(&self.id.0),
            id(&self.payment_intent),
            id(&self.invoice),
        ])
    }

    /// What the shop and the guest wrote on it. A known customer may pay with somebody else's
    /// card, so billing details describe guests alone.
    pub(super) fn describe(self, draft: &mut NormalizedEventDraft<'_>) {
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

/// One refund.
#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: ObjectRef,
    amount: i64,
    #[serde(default)]
    currency: Option<Arc<str>>,
    status: Arc<str>,
    #[serde(default)]
    created: Option<UnixSeconds>,
    #[serde(default)]
    pub(super) charge: Option<ObjectRef>,
    #[serde(default)]
    pub(super) payment_intent: Option<ObjectRef>,
    #[serde(default)]
    pub(super) customer: Option<ObjectRef>,
}

impl Refund {
    pub(super) fn snapshot(
        &self,
        event: &StripeEvent<'_>,
        payment: Vec<ObjectId>,
    ) -> Result<Fact, UnclearValue> {
        let state = match &*self.status {
            "pending" | "requires_action" => RefundState::Pending,
            "succeeded" => RefundState::Succeeded,
            "failed" | "canceled" => RefundState::Failed,
            other => return Err(UnclearValue::unknown_word("data.object.status", other)),
        };
        Ok(Fact::Refund(RefundSnapshot {
            id: self.id.0.clone(),
            payment,
            amount: stated_amount(self.amount, self.currency.as_deref(), "amount")?,
            tax_minor: None,
            state,
            created_at: to_timestamp(self.created).unwrap_or(event.created),
        }))
    }
}
