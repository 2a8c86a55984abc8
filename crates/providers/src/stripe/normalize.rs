//! Normalizes Stripe's events: the envelope, then the reader for its type.

use super::facts::StripeEvent;
use super::wire::{ObjectRef, id};
use super::{checkout, customer, dispute, invoice, payment, refund, subscription};
use crate::draft::NormalizedEventDraft;
use crate::fetch::FetchStep;
use crate::json::validate_json;
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::quarantine::{unreadable_event, unreadable_name};
use crate::wire::{UnclearValue, UnixSeconds, read, read_object};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{Mode, ProviderAccount};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Normalizes one verified body.
pub(crate) fn normalize(item: &WireItem<'_, '_>) -> FetchStep<ItemOutcome> {
    let (account, raw, signed_at) = (item.account, item.raw, item.signed_at);
    let text = validate_json(raw).map_err(UnclearValue::from);
    FetchStep::Done(match text.and_then(StripeEnvelope::read) {
        Ok(envelope) => envelope.outcome(item),
        Err(UnclearValue(what)) => unreadable_event(account, raw, signed_at, what),
    })
}

/// The handled types, in the order they take within one second.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const HANDLED_TYPES: &[(&str, u8, ReadStripeFn)] = &[
    ("customer.created", 10, customer::snapshot),
    ("customer.updated", 12, customer::snapshot),
    ("customer.discount.created", 14, customer::discounted),
    ("customer.discount.updated", 15, customer::discounted),
    ("checkout.session.completed", 20, checkout::session),
    ("checkout.session.async_payment_failed", 21, checkout::session),
    ("checkout.session.async_payment_succeeded", 22, checkout::session),
    ("customer.subscription.created", 30, subscription::snapshot),
    ("customer.subscription.trial_will_end", 32, subscription::snapshot),
    ("customer.subscription.pending_update_expired", 34, subscription::snapshot),
    ("customer.subscription.pending_update_applied", 35, subscription::snapshot),
    ("customer.subscription.updated", 36, subscription::snapshot),
    ("customer.subscription.paused", 38, subscription::snapshot),
    ("customer.subscription.resumed", 39, subscription::snapshot),
    ("invoice.payment_failed", 50, invoice::failed),
    ("invoice.payment_action_required", 51, invoice::action_required),
    ("invoice.marked_uncollectible", 52, invoice::uncollectible),
    ("invoice.voided", 53, invoice::voided),
    ("invoice_payment.paid", 55, invoice::payment),
    ("invoice.payment_succeeded", 56, invoice::paid),
    ("invoice.paid", 57, invoice::paid),
    ("charge.succeeded", 60, payment::charge),
    ("charge.captured", 61, payment::charge),
    ("payment_intent.succeeded", 62, payment::intent),
    ("charge.updated", 64, payment::attached),
    ("refund.created", 70, refund::refund),
    ("charge.refunded", 71, refund::charge),
    ("charge.refund.updated", 72, refund::refund),
    ("refund.updated", 72, refund::refund),
    ("refund.failed", 73, refund::refund),
    ("charge.dispute.created", 80, dispute::snapshot),
    ("charge.dispute.funds_withdrawn", 81, dispute::snapshot),
    ("charge.dispute.updated", 82, dispute::snapshot),
    ("charge.dispute.funds_reinstated", 83, dispute::snapshot),
    ("charge.dispute.closed", 84, dispute::snapshot),
    ("customer.subscription.deleted", 90, subscription::snapshot),
    ("customer.deleted", 99, customer::deleted),
];

/// Reads one object.
pub(super) type ReadStripeFn =
    for<'a> fn(&StripeEvent<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue>;

/// An event around its object. Everything is optional, so that what is missing can be named,
/// and reference-only events (`v2.core.event`, whose time is text) can be recognized first.
#[derive(Deserialize)]
struct StripeEnvelope<'a> {
    #[serde(default)]
    id: Option<ObjectRef>,
    #[serde(default)]
    object: Option<Arc<str>>,
    #[serde(default, rename = "type")]
    kind: Option<Arc<str>>,
    #[serde(borrow, default)]
    created: Option<&'a RawValue>,
    #[serde(default)]
    livemode: Option<bool>,
    #[serde(borrow, default)]
    api_version: Option<&'a RawValue>,
    // The connected account whose event it is; absent where it is the endpoint's own.
    #[serde(default)]
    account: Option<Arc<str>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct EventPayload<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
    #[serde(borrow, default)]
    previous_attributes: Option<&'a RawValue>,
}

impl<'a> StripeEnvelope<'a> {
    fn read(text: &'a str) -> Result<Self, UnclearValue> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|_| UnclearValue("the body is not JSON".into()))?;
        read_object(raw, "event")
    }

    fn outcome(&self, item: &WireItem<'_, '_>) -> ItemOutcome {
        let (account, raw, signed_at) = (item.account, item.raw, item.signed_at);
        let connected_accounts = item.connected_accounts;
        let (event_id, kind, created, live) = match self.parts() {
            Ok(EnvelopeParts::ReferenceOnly { id, kind }) => {
                let id = id.map(|id| account.event(&id.0));
                return ItemOutcome::Ignored { id, kind };
            }
            Ok(EnvelopeParts::Full {
                id,
                kind,
                created,
                live,
            }) => (account.event(&id.0), kind, created, live),
            Err(UnclearValue(what)) => return unreadable_event(account, raw, signed_at, what),
        };
        if live != (account.mode == Mode::Live) {
            return ItemOutcome::WrongMode { kind };
        }
        if self.account.is_some() && !connected_accounts {
            return ItemOutcome::OtherAccount { kind };
        }
        let is_acted_on = |acted: &str| *acted == *kind && self.concerns_us(acted);
        let row = HANDLED_TYPES.iter().find(|(acted, ..)| is_acted_on(acted));
        let Some((_, rank, reader)) = row else {
            return ItemOutcome::Ignored {
                id: Some(event_id),
                kind,
            };
        };
        let (about, facts, references) = match self.draft(account, created, *reader) {
            Ok(draft) => draft.into_parts(),
            Err(UnclearValue(what)) => {
                let facts = vec![Fact::Unclear { what: what.into() }];
                (self.fallback_about(account, &kind, raw), facts, Vec::new())
            }
        };
        ItemOutcome::Event(NormalizedEvent {
            id: event_id,
            kind,
            occurred_at: created,
            rank: *rank,
            about,
            facts,
            references,
        })
    }

    /// Every change of a charge is told; only that it was given a customer is news to us.
    fn concerns_us(&self, kind: &str) -> bool {
        kind != "charge.updated" || payment::gives_customer(self.data)
    }

    fn parts(&self) -> Result<EnvelopeParts, UnclearValue> {
        let kind = self.kind.clone().ok_or_else(|| absent("type"))?;
        if kind.is_empty() || kind.len() > MAX_KIND {
            return Err(UnclearValue("`event.type` is not a name of a type".into()));
        }
        if self.object.as_deref() == Some(REFERENCE_ONLY) {
            let id = self.id.clone();
            return Ok(EnvelopeParts::ReferenceOnly { id, kind });
        }
        let created: UnixSeconds = read(
            self.created.ok_or_else(|| absent("created"))?,
            "event.created",
        )?;
        Ok(EnvelopeParts::Full {
            id: self.id.clone().ok_or_else(|| absent("id"))?,
            kind,
            created: created.0,
            live: self.livemode.ok_or_else(|| absent("livemode"))?,
        })
    }

    fn api_version(&self) -> Option<&str> {
        let version = self.api_version?.get();
        version.strip_prefix('"')?.strip_suffix('"')
    }

    fn draft<'e>(
        &'e self,
        account: &'e ProviderAccount,
        created: Timestamp,
        reader: ReadStripeFn,
    ) -> Result<NormalizedEventDraft<'e>, UnclearValue> {
        let data: EventPayload<'e> = read_object(self.data.ok_or_else(|| absent("data"))?, "data")?;
        reader(&StripeEvent {
            account,
            kind: self.kind.as_deref().unwrap_or_default(),
            api_version: self.api_version(),
            created,
            object: data.object,
            previous: data.previous_attributes,
        })
    }

    /// Whom an event with an unclear object is about, as far as that can be read.
    fn fallback_about(&self, account: &ProviderAccount, kind: &str, raw: &[u8]) -> About {
        let data: Option<EventPayload<'_>> =
            self.data.and_then(|data| read_object(data, "data").ok());
        let named: Option<StripeOwnerFields<'_>> =
            data.and_then(|data| read_object(data.object, "").ok());
        let Some(named) = named else {
            return About::ByReference(vec![account.reference(&unreadable_name(raw))]);
        };
        let try_id = |raw: Option<&RawValue>| raw.and_then(|raw| read::<ObjectRef>(raw, "").ok());
        let customer = match kind {
            "customer.created" | "customer.updated" | "customer.deleted" => try_id(named.id),
            _ => try_id(named.customer),
        };
        if let Some(customer) = id(&customer) {
            return About::Customer(account.customer(customer));
        }
        let references: Vec<_> = [named.payment_intent, named.charge, named.invoice, named.id]
            .into_iter()
            .filter_map(try_id)
            .map(|named| account.reference(&named.0))
            .collect();
        if references.is_empty() {
            return About::ByReference(vec![account.reference(&unreadable_name(raw))]);
        }
        About::ByReference(references)
    }
}

/// An envelope that can be worked with.
enum EnvelopeParts {
    /// It names an object to be asked for; none of them concerns us.
    ReferenceOnly {
        id: Option<ObjectRef>,
        kind: Arc<str>,
    },
    /// It carries its object.
    Full {
        id: ObjectRef,
        kind: Arc<str>,
        created: Timestamp,
        live: bool,
    },
}

/// The fields that may name the customer, each read by itself, so that one unclear field hides no
/// other.
#[derive(Deserialize)]
struct StripeOwnerFields<'a> {
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

fn absent(field: &str) -> UnclearValue {
    UnclearValue::missing(&format!("event.{field}"))
}

const REFERENCE_ONLY: &str = "v2.core.event";
const MAX_KIND: usize = 128;
