//! Normalizes PayPal's events: the envelope, then the reader for its type.

use super::event::PaypalEvent;
use super::{dispute, payment, refund, reversal, subscription};
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::fetch::FetchStep;
use crate::json::validate_json;
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::quarantine::{unreadable_event, unreadable_name, waiting_event};
use crate::wire::{Id, Rfc3339Time, UnclearValue, read, read_object};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::EventId;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Normalizes one event, as PayPal's API shows it.
pub(crate) fn normalize(item: &WireItem<'_, '_>) -> FetchStep<ItemOutcome> {
    let text = validate_json(item.raw).map_err(UnclearValue::from);
    let read = text.and_then(PaypalEnvelope::read);
    match read.and_then(|envelope| envelope.outcome(item)) {
        Ok(step) => step,
        Err(UnclearValue(what)) => FetchStep::Done(unreadable_event(
            item.account,
            item.raw,
            item.signed_at,
            what,
        )),
    }
}

/// The handled types, in the order they take within one instant.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const HANDLED_TYPES: &[(&str, u8, ReadPaypalFn)] = &[
    ("BILLING.SUBSCRIPTION.CREATED", 30, subscription::snapshot),
    ("BILLING.SUBSCRIPTION.ACTIVATED", 31, subscription::snapshot),
    ("BILLING.SUBSCRIPTION.RE-ACTIVATED", 32, subscription::snapshot),
    ("BILLING.SUBSCRIPTION.UPDATED", 36, subscription::snapshot),
    ("BILLING.SUBSCRIPTION.PAYMENT.FAILED", 50, subscription::snapshot),
    ("BILLING.SUBSCRIPTION.SUSPENDED", 52, subscription::snapshot),
    ("PAYMENT.SALE.COMPLETED", 57, payment::completed),
    ("PAYMENT.CAPTURE.COMPLETED", 60, payment::completed),
    ("PAYMENT.SALE.REFUNDED", 70, refund::snapshot),
    ("PAYMENT.CAPTURE.REFUNDED", 70, refund::snapshot),
    ("CUSTOMER.DISPUTE.CREATED", 80, dispute::snapshot),
    ("CUSTOMER.DISPUTE.UPDATED", 82, dispute::snapshot),
    ("PAYMENT.SALE.REVERSED", 83, reversal::snapshot),
    ("PAYMENT.CAPTURE.REVERSED", 83, reversal::snapshot),
    ("CUSTOMER.DISPUTE.RESOLVED", 84, dispute::snapshot),
    ("BILLING.SUBSCRIPTION.CANCELLED", 90, subscription::snapshot),
    ("BILLING.SUBSCRIPTION.EXPIRED", 91, subscription::snapshot),
];

/// Reads one resource.
pub(super) type ReadPaypalFn =
    for<'a> fn(&PaypalEvent<'a, '_>) -> Result<NormalizedEventDraft<'a>, ReadError>;

/// Everything is optional, so that what is missing can be named.
#[derive(Deserialize)]
struct PaypalEnvelope<'a> {
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    event_type: Option<Arc<str>>,
    #[serde(borrow, default)]
    create_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
}

impl<'a> PaypalEnvelope<'a> {
    fn read(text: &'a str) -> Result<Self, UnclearValue> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|_| UnclearValue("the body is not JSON".into()))?;
        read_object(raw, "event")
    }

    fn outcome(&self, item: &WireItem<'_, '_>) -> Result<FetchStep<ItemOutcome>, UnclearValue> {
        let account = item.account;
        let id = self.id.as_ref().ok_or_else(|| absent("id"))?;
        let id = account.event(&id.0);
        let kind = self
            .event_type
            .clone()
            .ok_or_else(|| absent("event_type"))?;
        if kind.is_empty() || kind.len() > MAX_KIND {
            return Err(UnclearValue(
                "`event.event_type` is not a name of a type".into(),
            ));
        }
        let row = HANDLED_TYPES.iter().find(|(acted, ..)| **acted == *kind);
        let Some((_, rank, reader)) = row else {
            return Ok(FetchStep::Done(ItemOutcome::Ignored { id: Some(id), kind }));
        };
        let time = self.create_time.ok_or_else(|| absent("create_time"))?;
        let at: Rfc3339Time = read(time, "event.create_time")?;
        let header = PaypalEventHeader {
            id,
            kind,
            at: at.0,
            rank: *rank,
        };
        let resource = self.resource.ok_or_else(|| absent("resource").into());
        let draft = resource.and_then(|resource| {
            reader(&PaypalEvent {
                account,
                at: at.0,
                responses: item.responses,
                resource,
            })
        });
        Ok(match draft {
            Ok(draft) => {
                let (about, facts, references) = draft.into_parts();
                FetchStep::Done(header.outcome(about, facts, references))
            }
            Err(ReadError::NotFetched(questions)) => FetchStep::Fetch(questions),
            Err(ReadError::Unavailable(what)) => FetchStep::Done(waiting_event(
                account,
                header.id,
                header.kind,
                header.at,
                what,
            )),
            Err(ReadError::Unclear(UnclearValue(what))) => {
                let facts = vec![Fact::Unclear { what: what.into() }];
                FetchStep::Done(header.outcome(self.fallback_about(item), facts, Vec::new()))
            }
        })
    }

    /// Whom an event with an unclear resource is about, as far as that can be read.
    fn fallback_about(&self, item: &WireItem<'_, '_>) -> About {
        let account = item.account;
        let unnamed = || About::ByReference(vec![account.reference(&unreadable_name(item.raw))]);
        let named: Option<PaypalOwnerFields<'_>> =
            self.resource.and_then(|raw| read_object(raw, "").ok());
        let Some(named) = named else {
            return unnamed();
        };
        let id = |raw: Option<&RawValue>| raw.and_then(|raw| read::<Id>(raw, "").ok());
        let subscriber: Option<Subscriber<'_>> =
            named.subscriber.and_then(|raw| read_object(raw, "").ok());
        if let Some(payer) = subscriber.and_then(|subscriber| id(subscriber.payer_id)) {
            return About::Customer(account.customer(&payer.0));
        }
        let references: Vec<_> = [named.billing_agreement_id, named.sale_id, named.id]
            .into_iter()
            .filter_map(id)
            .map(|named| account.reference(&named.0))
            .collect();
        if references.is_empty() {
            return unnamed();
        }
        About::ByReference(references)
    }
}

/// What is known of an event before its resource is read.
struct PaypalEventHeader {
    id: EventId,
    kind: Arc<str>,
    at: Timestamp,
    rank: u8,
}

impl PaypalEventHeader {
    fn outcome(
        self,
        about: About,
        facts: Vec<Fact>,
        references: Vec<domain::ids::Reference>,
    ) -> ItemOutcome {
        ItemOutcome::Event(NormalizedEvent {
            id: self.id,
            kind: self.kind,
            occurred_at: self.at,
            rank: self.rank,
            about,
            facts,
            references,
        })
    }
}

/// The fields that may name the customer, each read by itself, so that one unclear field hides no
/// other.
#[derive(Deserialize)]
struct PaypalOwnerFields<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sale_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    billing_agreement_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    subscriber: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Subscriber<'a> {
    #[serde(borrow, default)]
    payer_id: Option<&'a RawValue>,
}

fn absent(field: &str) -> UnclearValue {
    UnclearValue::missing(&format!("event.{field}"))
}

const MAX_KIND: usize = 128;
