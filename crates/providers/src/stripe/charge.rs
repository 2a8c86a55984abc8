//! A charge and a refund, as far as events of payments and refunds read them.

use super::facts::{StripeEvent, money, not_negative, profile, stated_amount};
use super::wire::{List, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::{
    AddressCountry, Id, Metadata, Part, UnclearValue, UnixSeconds, present, read_object,
    to_timestamp,
};
use domain::event::Fact;
use domain::ids::ObjectId;
use domain::payment::snapshot::{PaymentSnapshot, RefundSnapshot, RefundState, SourceKind};
use jiff::Timestamp;
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
    // Until 2025-03-31: null says that it pays none.
    #[serde(default, deserialize_with = "present")]
    invoice: Option<Option<ObjectRef>>,
    #[serde(default)]
    payment_details: Part<PaymentDetails>,
    // The oldest have none, and say `paid`.
    #[serde(default)]
    status: Option<Arc<str>>,
    #[serde(default)]
    paid: Option<bool>,
    // The oldest were all captured at once.
    #[serde(default)]
    captured: Option<bool>,
    currency: Arc<str>,
    amount: i64,
    #[serde(default)]
    amount_captured: Option<i64>,
    #[serde(default)]
    amount_refunded: Option<i64>,
    #[serde(default)]
    created: Option<UnixSeconds>,
    #[serde(borrow, default)]
    payment_method_details: Option<&'a RawValue>,
    #[serde(default)]
    billing_details: Part<BillingDetails>,
    #[serde(default)]
    receipt_email: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    // Until 2022-11-15 with its refunds.
    #[serde(borrow, default)]
    refunds: Part<List<&'a RawValue>>,
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
        draft.add_references(&[own, intent, self.invoice()]);
        Ok(draft)
    }

    /// Every id the payment goes by.
    fn ids(&self) -> Vec<ObjectId> {
        let details = self.payment_details.as_ref().readable();
        let order = details.and_then(PaymentDetails::order);
        let intent = id(&self.payment_intent);
        ids(&[Some(&self.id.0), intent, self.invoice(), order.as_ref()])
    }

    fn invoice(&self) -> Option<&ObjectId> {
        id(self.invoice.as_ref()?)
    }

    /// The money, once it is there. Only authorized (not captured), pending or failed, it is no
    /// payment yet.
    pub(super) fn payment(&self, paid_at: Timestamp) -> Result<Option<Fact>, UnclearValue> {
        if !self.has_arrived()? {
            return Ok(None);
        }
        let minor = self.amount_captured.unwrap_or(self.amount);
        let paid = money(not_negative(minor, "amount")?, &self.currency)?;
        let ids = self.ids();
        // It names its charge and intent; any more is an invoice or a session.
        let named = usize::from(self.payment_intent.is_some()).saturating_add(1);
        let unlinked = self.invoice.is_none() && ids.len() <= named;
        Ok((paid.minor > 0).then_some(Fact::Payment(PaymentSnapshot {
            ids,
            source_kind: SourceKind::Charge,
            paid,
            tax_minor: None,
            paid_at,
            subscription: None,
            unlinked,
            purchased: Vec::new(),
        })))
    }

    fn has_arrived(&self) -> Result<bool, UnclearValue> {
        let succeeded = match (self.status.as_deref(), self.paid) {
            (Some("succeeded"), _) | (None, Some(true)) => true,
            (Some("pending" | "failed"), _) | (None, Some(false)) => false,
            (Some(other), _) => {
                return Err(UnclearValue::unknown_word("data.object.status", other));
            }
            (None, None) => return Err(UnclearValue::missing("data.object.status")),
        };
        Ok(succeeded && self.captured.unwrap_or(true))
    }

    /// How much has gone back so far, and in old shapes each refund. A refund of the list that
    /// says no state is covered by the sum.
    pub(super) fn add_refunds(
        &mut self,
        event: &StripeEvent<'_>,
        draft: &mut NormalizedEventDraft<'_>,
    ) {
        let sum = self.refunded_so_far(event);
        if let Some(fact) = draft.readable(sum).flatten() {
            draft.add_fact(fact);
        }
        let list = std::mem::take(&mut self.refunds).read("data.object.refunds");
        let list = draft.readable(list).flatten();
        for raw in list.iter().flat_map(|list| &list.data) {
            let refund = read_object::<Refund>(raw, "data.object.refunds");
            let Some(refund) = draft.readable(refund).filter(|one| one.status.is_some()) else {
                continue;
            };
            let snapshot = refund.snapshot(event, self.ids());
            if let Some(fact) = draft.readable(snapshot) {
                draft.add_fact(fact);
            }
        }
    }

    fn refunded_so_far(&self, event: &StripeEvent<'_>) -> Result<Option<Fact>, UnclearValue> {
        let refunded = self
            .amount_refunded
            .ok_or_else(|| UnclearValue::missing("data.object.amount_refunded"))?;
        if self.captured == Some(false) {
            // What was only authorized went back: nothing had been paid.
            return Ok(None);
        }
        let captured = self.amount_captured.unwrap_or(self.amount);
        let remainder = self.amount.saturating_sub(captured).max(0);
        let released_minor = match event.is_since(REMAINDER_IS_NO_REFUND) {
            Some(true) => 0,
            Some(false) => remainder.min(refunded),
            None if remainder == 0 => 0,
            None => {
                return Err(UnclearValue(
                    "`data.object.amount_refunded` may contain what was never captured, and \
                     `api_version` does not say"
                        .into(),
                ));
            }
        };
        Ok(Some(Fact::CumulativeRefund {
            ids: self.ids(),
            amount: stated_amount(refunded, Some(&self.currency), "amount_refunded")?,
            released_minor,
        }))
    }

    /// Whether some of it has gone back.
    pub(super) fn is_refunded(&self) -> bool {
        self.amount_refunded.is_some_and(|minor| minor != 0)
    }

    /// When it was made.
    pub(super) fn created(&self) -> Option<Timestamp> {
        to_timestamp(self.created)
    }

    /// What the shop and the guest wrote on it. A known customer may pay with somebody else's
    /// card, so billing details describe guests alone.
    pub(super) fn describe(self, draft: &mut NormalizedEventDraft<'_>) {
        let metadata = draft.readable(self.metadata.read("data.object.metadata"));
        draft.read_metadata(metadata.flatten().as_ref());
        if let Some(fingerprint) = self.payment_method_details.and_then(fingerprint) {
            draft.add_fingerprint(&fingerprint);
        }
        let billing = draft.readable(self.billing_details.read("data.object.billing_details"));
        if let (None, Some(billing)) = (self.customer, billing.flatten()) {
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

/// What the shop, or Stripe's invoices and sessions, say that a payment is for.
#[derive(Debug, Deserialize)]
pub(super) struct PaymentDetails {
    #[serde(default)]
    order_reference: Option<Arc<str>>,
}

impl PaymentDetails {
    /// The invoice or session that it pays. Any other text is the shop's own.
    pub(super) fn order(&self) -> Option<ObjectId> {
        let text = self.order_reference.as_deref()?;
        let is_stripes = text.starts_with("in_") || text.starts_with("cs_");
        Id::parse(text).filter(|_| is_stripes).map(|id| id.0)
    }
}

/// One refund.
#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: ObjectRef,
    amount: i64,
    #[serde(default)]
    currency: Option<Arc<str>>,
    #[serde(default)]
    status: Option<Arc<str>>,
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
        let state = match self.status.as_deref() {
            Some("pending" | "requires_action") => RefundState::Pending,
            Some("succeeded") => RefundState::Succeeded,
            Some("failed" | "canceled") => RefundState::Failed,
            None => return Err(UnclearValue::missing("data.object.status")),
            Some(other) => return Err(UnclearValue::unknown_word("data.object.status", other)),
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

/// Since then what is not captured is no refund.
const REMAINDER_IS_NO_REFUND: &str = "2025-03-31";
