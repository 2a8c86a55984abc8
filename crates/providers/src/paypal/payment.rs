//! `PAYMENT.SALE.COMPLETED`, `PAYMENT.CAPTURE.COMPLETED`: a payment arrived, of a subscription or
//! once.

use super::event::PaypalEvent;
use super::subscription::Subscription;
use super::wire::{PaypalAmount, unknown_word};
use crate::api_document::{ReadError, find};
use crate::draft::NormalizedEventDraft;
use crate::fetch::ApiCall;
use crate::wire::{Id, Part, Rfc3339Time, UnclearValue, id, read_object, to_timestamp};
use domain::event::Fact;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use serde::Deserialize;
use std::sync::Arc;

/// A payment, and how its subscription stands after it: no other event tells of a renewal. What is
/// fetched is at least as new as the payment; whatever came between has an event of its own, later.
/// A payment without a subscription names nobody: it is a guest's, whose partition it is.
pub(super) fn completed<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let payment: Payment = event.resource()?;
    let agreement = id(&payment.billing_agreement_id);
    let fetched = fetch_subscription(event, agreement)?;
    let (subscription, unclear) = match fetched.transpose() {
        Ok(subscription) => (subscription, None),
        Err(unclear) => (None, Some(unclear)),
    };
    let payer = subscription.as_ref().and_then(Subscription::payer);
    let mut draft = match (payer, agreement) {
        (Some(payer), _) => event.draft_for(payer),
        (None, Some(agreement)) if subscription.is_some() || unclear.is_some() => {
            event.draft_by_reference(&[agreement])
        }
        // Agreements of old are no subscriptions that the API knows: all there is of them.
        (None, Some(agreement)) => event.draft_for(agreement),
        (None, None) => event.draft_for(&payment.id.0),
    };
    if let Some(unclear) = unclear {
        draft.add_unclear(unclear);
    }
    payment.add_to(&mut draft, event, subscription.as_ref());
    if let Some(subscription) = &subscription {
        subscription.add_to(&mut draft, event.at);
    }
    Ok(draft)
}

/// The subscription that a payment is for. One that can't be read does not hide the payment.
fn fetch_subscription(
    event: &PaypalEvent<'_, '_>,
    agreement: Option<&domain::ids::ObjectId>,
) -> Result<Option<Result<Subscription, UnclearValue>>, ReadError> {
    let Some(id) = agreement else {
        return Ok(None);
    };
    let call = ApiCall::get(&["v1", "billing", "subscriptions", id.as_str()]);
    match find(event.responses, call, "subscription") {
        Ok(document) => Ok(document.map(|raw| read_object(raw, "subscription"))),
        Err(ReadError::Unclear(unclear)) => Ok(Some(Err(unclear))),
        Err(other @ (ReadError::NotFetched(_) | ReadError::Unavailable(_))) => Err(other),
    }
}

#[derive(Deserialize)]
struct Payment {
    id: Id,
    #[serde(alias = "state", default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    amount: Part<PaypalAmount>,
    #[serde(default)]
    billing_agreement_id: Option<Id>,
    #[serde(default)]
    create_time: Part<Rfc3339Time>,
    #[serde(alias = "custom", default)]
    custom_id: Part<Arc<str>>,
    #[serde(default)]
    supplementary_data: Part<SupplementaryData>,
}

#[derive(Deserialize)]
struct SupplementaryData {
    #[serde(default)]
    related_ids: Part<RelatedIds>,
}

#[derive(Deserialize)]
struct RelatedIds {
    #[serde(default)]
    order_id: Part<Id>,
}

impl Payment {
    fn add_to(
        &self,
        draft: &mut NormalizedEventDraft<'_>,
        event: &PaypalEvent<'_, '_>,
        subscription: Option<&Subscription>,
    ) {
        let agreement = id(&self.billing_agreement_id);
        draft.add_references(&[Some(&self.id.0), agreement, self.order()]);
        if let Some(custom) = self.custom_id.as_ref().readable() {
            draft.read_client_reference(custom);
        }
        let has_arrived = draft.readable(self.has_arrived());
        let amount = draft.readable(self.amount.as_ref().require(AMOUNT));
        let paid = amount.and_then(|amount| draft.readable(amount.money(AMOUNT)));
        let (Some(true), Some(amount), Some(paid)) = (has_arrived, amount, paid) else {
            return;
        };
        if paid.minor == 0 {
            return;
        }
        let tax = draft.readable(amount.tax_minor(AMOUNT)).flatten();
        let paid_at = self.create_time.as_ref().read("resource.create_time");
        let paid_at = draft.readable(paid_at).flatten().copied();
        draft.add_fact(Fact::Payment(PaymentSnapshot {
            ids: vec![self.id.0.clone()],
            source_kind: SourceKind::Charge,
            paid,
            tax_minor: tax,
            paid_at: to_timestamp(paid_at).unwrap_or(event.at),
            subscription: agreement.cloned(),
            unlinked: false,
            purchased: Vec::new(),
        }));
        let settled = subscription.and_then(|subscription| subscription.paid_invoice(paid));
        draft.facts.extend(settled.map(Fact::Invoice));
    }

    fn order(&self) -> Option<&domain::ids::ObjectId> {
        let data = self.supplementary_data.as_ref().readable()?;
        let related = data.related_ids.as_ref().readable()?;
        related.order_id.as_ref().readable().map(|order| &order.0)
    }

    fn has_arrived(&self) -> Result<bool, UnclearValue> {
        let word = self.status.as_ref().require(STATUS)?;
        match word.to_ascii_uppercase().as_str() {
            "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => Ok(true),
            "PENDING" | "DENIED" | "DECLINED" | "FAILED" => Ok(false),
            _ => Err(unknown_word(STATUS, word)),
        }
    }
}

const AMOUNT: &str = "resource.amount";
const STATUS: &str = "resource.status";
