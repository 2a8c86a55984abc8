//! From Stripe's words to ours: the envelope, then the one reader its type has.

use super::facts::Event;
use super::wire::{Ref, id};
use super::{checkout, customer, dispute, invoice, payment, refund, subscription};
use crate::draft::Draft;
use crate::json::sound;
use crate::provider::WireItem;
use crate::quarantine::{unread, unread_name};
use crate::wire::{Unclear, Unix, read, read_object};
use crate::{Outcome, Step};
use domain::ids::{Account, Mode};
use domain::reading::{About, Fact, Reading};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// What one verified body says.
pub(crate) fn normalize(item: &WireItem<'_, '_>) -> Step<Outcome> {
    let (account, raw, signed_at) = (item.account, item.raw, item.signed_at);
    let text = sound(raw).map_err(Unclear::from);
    Step::Done(match text.and_then(Envelope::read) {
        Ok(envelope) => envelope.outcome(account, raw, signed_at),
        Err(Unclear(what)) => unread(account, raw, signed_at, what),
    })
}

/// The types acted upon, in the order they take within one second.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const ACTED_UPON: &[(&str, u8, Reader)] = &[
    ("customer.created", 10, customer::exists),
    ("customer.updated", 12, customer::exists),
    ("customer.discount.created", 14, customer::discounted),
    ("customer.discount.updated", 15, customer::discounted),
    ("checkout.session.completed", 20, checkout::session),
    ("checkout.session.async_payment_failed", 21, checkout::session),
    ("checkout.session.async_payment_succeeded", 22, checkout::session),
    ("customer.subscription.created", 30, subscription::seen),
    ("customer.subscription.trial_will_end", 32, subscription::seen),
    ("customer.subscription.pending_update_expired", 34, subscription::seen),
    ("customer.subscription.pending_update_applied", 35, subscription::seen),
    ("customer.subscription.updated", 36, subscription::seen),
    ("customer.subscription.paused", 38, subscription::seen),
    ("customer.subscription.resumed", 39, subscription::seen),
    ("invoice.payment_failed", 50, invoice::failed),
    ("invoice.payment_action_required", 51, invoice::action_required),
    ("invoice.marked_uncollectible", 52, invoice::uncollectible),
    ("invoice.voided", 53, invoice::voided),
    ("invoice_payment.paid", 55, invoice::payment),
    ("invoice.payment_succeeded", 56, invoice::paid),
    ("invoice.paid", 57, invoice::paid),
    ("charge.succeeded", 60, payment::charge),
    ("payment_intent.succeeded", 62, payment::intent),
    ("refund.created", 70, refund::refund),
    ("charge.refunded", 71, refund::charge),
    ("charge.refund.updated", 72, refund::refund),
    ("refund.updated", 72, refund::refund),
    ("refund.failed", 73, refund::refund),
    ("charge.dispute.created", 80, dispute::seen),
    ("charge.dispute.funds_withdrawn", 81, dispute::seen),
    ("charge.dispute.updated", 82, dispute::seen),
    ("charge.dispute.funds_reinstated", 83, dispute::seen),
    ("charge.dispute.closed", 84, dispute::seen),
    ("customer.subscription.deleted", 90, subscription::seen),
    ("customer.deleted", 99, customer::deleted),
];

/// Reads one object.
pub(super) type Reader = for<'a> fn(&Event<'a>) -> Result<Draft<'a>, Unclear>;

/// An event around its object. Everything is optional, so that what is missing can be named,
/// and thin events (`v2.core.event`, whose time is text) can be told apart first.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    id: Option<Ref>,
    #[serde(default)]
    object: Option<Arc<str>>,
    #[serde(default, rename = "type")]
    kind: Option<Arc<str>>,
    #[serde(borrow, default)]
    created: Option<&'a RawValue>,
    #[serde(default)]
    livemode: Option<bool>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
    #[serde(borrow, default)]
    previous_attributes: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    fn read(text: &'a str) -> Result<Self, Unclear> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|_| Unclear("the body is not JSON".into()))?;
        read_object(raw, "event")
    }

    fn outcome(&self, account: &Account, raw: &[u8], signed_at: Timestamp) -> Outcome {
        let (event_id, kind, created, live) = match self.parts() {
            Ok(Parts::Thin { id, kind }) => {
                let id = id.map(|id| account.event(id.0.as_str()));
                return Outcome::Ignored { id, kind };
            }
            Ok(Parts::Whole {
                id,
                kind,
                created,
                live,
            }) => (account.event(id.0.as_str()), kind, created, live),
            Err(Unclear(what)) => return unread(account, raw, signed_at, what),
        };
        if live != (account.mode == Mode::Live) {
            return Outcome::WrongMode { kind };
        }
        let Some((_, rank, reader)) = ACTED_UPON.iter().find(|(acted, ..)| **acted == *kind) else {
            return Outcome::Ignored {
                id: Some(event_id),
                kind,
            };
        };
        let (about, facts, references) = match self.draft(account, created, *reader) {
            Ok(draft) => (draft.about, draft.facts, draft.references),
            Err(Unclear(what)) => {
                let facts = vec![Fact::Unclear { what: what.into() }];
                (self.whose(account, &kind, raw), facts, Vec::new())
            }
        };
        Outcome::Reading(Reading {
            id: event_id,
            kind,
            occurred_at: created,
            rank: *rank,
            about,
            facts,
            references,
        })
    }

    fn parts(&self) -> Result<Parts, Unclear> {
        let kind = self.kind.clone().ok_or_else(|| absent("type"))?;
        if kind.is_empty() || kind.len() > MAX_KIND {
            return Err(Unclear("`event.type` is not a name of a type".into()));
        }
        if self.object.as_deref() == Some(THIN) {
            let id = self.id.clone();
            return Ok(Parts::Thin { id, kind });
        }
        let created: Unix = read(
            self.created.ok_or_else(|| absent("created"))?,
            "event.created",
        )?;
        Ok(Parts::Whole {
            id: self.id.clone().ok_or_else(|| absent("id"))?,
            kind,
            created: created.0,
            live: self.livemode.ok_or_else(|| absent("livemode"))?,
        })
    }

    fn draft<'e>(
        &'e self,
        account: &'e Account,
        created: Timestamp,
        reader: Reader,
    ) -> Result<Draft<'e>, Unclear> {
        let data: Data<'e> = read_object(self.data.ok_or_else(|| absent("data"))?, "data")?;
        reader(&Event {
            account,
            created,
            object: data.object,
            previous: data.previous_attributes,
        })
    }

    /// Whose it is, as far as that much can be read of an object that is unclear.
    fn whose(&self, account: &Account, kind: &str, raw: &[u8]) -> About {
        let data: Option<Data<'_>> = self.data.and_then(|data| read_object(data, "data").ok());
        let named: Option<Named<'_>> = data.and_then(|data| read_object(data.object, "").ok());
        let Some(named) = named else {
            return About::Behind(vec![account.reference(&unread_name(raw))]);
        };
        let try_id = |raw: Option<&RawValue>| raw.and_then(|raw| read::<Ref>(raw, "").ok());
        let customer = match kind {
            "customer.created" | "customer.updated" | "customer.deleted" => try_id(named.id),
            _ => try_id(named.customer),
        };
        if let Some(customer) = id(&customer) {
            return About::Customer(account.customer(customer.as_str()));
        }
        let behind: Vec<_> = [named.payment_intent, named.charge, named.invoice, named.id]
            .into_iter()
            .filter_map(try_id)
            .map(|named| account.reference(named.0.as_str()))
            .collect();
        if behind.is_empty() {
            return About::Behind(vec![account.reference(&unread_name(raw))]);
        }
        About::Behind(behind)
    }
}

/// An envelope that can be worked with.
enum Parts {
    /// It names an object to be asked for; none of them concerns us.
    Thin { id: Option<Ref>, kind: Arc<str> },
    /// It carries its object.
    Whole {
        id: Ref,
        kind: Arc<str>,
        created: Timestamp,
        live: bool,
    },
}

/// What may name a customer, each read by itself, so that one odd field hides no other.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    customer: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payment_intent: Option<&'a RawValue>,
    #[serde(borrow, default)]
    charge: Option<&'a RawValue>,
    #[serde(borrow, default)]
    invoice: Option<&'a RawValue>,
}

fn absent(field: &str) -> Unclear {
    Unclear::absent(&format!("event.{field}"))
}

const THIN: &str = "v2.core.event";
const MAX_KIND: usize = 128;
