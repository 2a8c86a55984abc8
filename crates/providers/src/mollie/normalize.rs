//! Normalizes Mollie's items: a payment that was fetched, or an event that was signed.

use super::api::{MollieContext, ReadResult};
use super::event::{Entity, MollieEventHeader, outcome};
use super::{invoice, link, payment, reversal};
use crate::api_document::ReadError;
use crate::fetch::FetchStep;
use crate::json::validate_json;
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::quarantine::{unreadable_event, unreadable_name};
use crate::wire::{Id, Rfc3339Time, UnclearValue, read_object};
use domain::event::About;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Normalizes one verified item.
pub(crate) fn normalize(item: &WireItem<'_, '_>) -> FetchStep<ItemOutcome> {
    let text = validate_json(item.raw).map_err(UnclearValue::from);
    let read = text.and_then(|text| {
        let raw = serde_json::from_str::<&RawValue>(text);
        raw.map_err(|_| UnclearValue("the body is not JSON".into()))
    });
    let read = read.and_then(|raw| Ok((raw, read_object::<MollieEnvelope<'_>>(raw, "body")?)));
    let outcome = read.and_then(|(raw, envelope)| envelope.outcome(raw, item));
    outcome.unwrap_or_else(|UnclearValue(what)| {
        FetchStep::Done(unreadable_event(
            item.account,
            item.raw,
            item.signed_at,
            what,
        ))
    })
}

/// The signed events acted upon; ranks beside those of payments.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const HANDLED_TYPES: &[(&str, u8, ReadMollieFn)] = &[
    ("payment.failed", 50, payment::signed),
    ("payment.paid", 57, payment::signed),
    ("sales-invoice.paid", 58, invoice::paid),
    ("payment-link.paid", 59, link::paid),
    ("capture.succeeded", 60, reversal::of_payment),
    ("refund.queued", 71, reversal::of_payment),
    ("refund.pending", 71, reversal::of_payment),
    ("refund.processing", 71, reversal::of_payment),
    ("refund.refunded", 71, reversal::of_payment),
    ("refund.failed", 71, reversal::of_payment),
    ("refund.canceled", 71, reversal::of_payment),
    ("chargeback.received", 80, reversal::of_payment),
    ("chargeback.reversed", 80, reversal::of_payment),
];

/// Reads what an event is about.
pub(super) type ReadMollieFn =
    for<'a, 'f> fn(&MollieContext<'a, 'f>, &Entity<'a>) -> Result<ReadResult<'a>, ReadError>;

/// What any of Mollie's bodies may have.
#[derive(Deserialize)]
struct MollieEnvelope<'a> {
    #[serde(default)]
    resource: Option<Arc<str>>,
    #[serde(default)]
    id: Option<Id>,
    #[serde(default, rename = "type")]
    kind: Option<Arc<str>>,
    #[serde(default, rename = "entityId")]
    entity_id: Option<Id>,
    #[serde(default, rename = "createdAt")]
    created_at: Option<Rfc3339Time>,
    #[serde(borrow, default, rename = "_embedded")]
    embedded: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct EmbeddedEntity<'a> {
    #[serde(borrow, default)]
    entity: Option<&'a RawValue>,
}

impl<'a> MollieEnvelope<'a> {
    fn outcome(
        &self,
        raw: &'a RawValue,
        item: &WireItem<'_, '_>,
    ) -> Result<FetchStep<ItemOutcome>, UnclearValue> {
        if self.resource.as_deref() == Some("payment") {
            return payment::outcome(raw, item);
        }
        if self.kind.is_none() && self.status.is_some() {
            // What Mollie says of an id that it does not know.
            return Ok(FetchStep::Done(ItemOutcome::Ignored {
                id: None,
                kind: "payment.unknown".into(),
            }));
        }
        let kind = self
            .kind
            .clone()
            .ok_or_else(|| UnclearValue::missing("event.type"))?;
        let own = self
            .id
            .as_ref()
            .ok_or_else(|| UnclearValue::missing("event.id"))?;
        if kind.is_empty() || kind.len() > MAX_KIND {
            return Err(UnclearValue("`event.type` is not a name of a type".into()));
        }
        let id = item.account.event(&own.0);
        let acted_upon = HANDLED_TYPES.iter().find(|(acted, ..)| **acted == *kind);
        let Some((_, rank, reader)) = acted_upon else {
            return Ok(FetchStep::Done(ItemOutcome::Ignored { id: Some(id), kind }));
        };
        let at = self
            .created_at
            .ok_or_else(|| UnclearValue::missing("event.createdAt"))?
            .0;
        let mollie = MollieContext {
            account: item.account,
            responses: item.responses,
        };
        let entity = self.entity(own.clone(), at);
        let read = entity.and_then(|entity| reader(&mollie, &entity));
        let named = self.entity_id.as_ref().map(|id| id.0.clone());
        let named = named.unwrap_or_else(|| unreadable_name(item.raw));
        let event = MollieEventHeader {
            id,
            kind,
            at,
            rank: *rank,
            about: About::ByReference(vec![item.account.reference(&named)]),
        };
        Ok(outcome(event, read, item))
    }

    fn entity(&self, event: Id, at: Timestamp) -> Result<Entity<'a>, ReadError> {
        let embedded: Option<EmbeddedEntity<'a>> = self
            .embedded
            .map(|embedded| read_object(embedded, "event._embedded"))
            .transpose()?;
        let id = self.entity_id.clone();
        Ok(Entity {
            event,
            id: id.ok_or_else(|| UnclearValue::missing("event.entityId"))?,
            embedded: embedded.and_then(|embedded| embedded.entity),
            at,
        })
    }
}

const MAX_KIND: usize = 128;
