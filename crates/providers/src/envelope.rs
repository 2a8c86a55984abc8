//! Id, type and time around an object: the envelope that several senders use, each with field
//! names and event types of its own.

use crate::draft::NormalizedEventDraft;
use crate::fetch::FetchStep;
use crate::json::validate_json;
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::quarantine::{unreadable_event, unreadable_name};
use crate::wire;
use crate::wire::{Id, Rfc3339Time, UnclearValue, read_object};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{EventId, Mode, ObjectId, ProviderAccount};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One sender's envelope and event types.
pub(crate) struct EventSchema {
    /// Reads its envelope.
    pub(crate) open: OpenFn,
    /// The handled types, in the order they take within one instant.
    pub(crate) event_types: &'static [(&'static str, u8, ReadDataFn)],
    /// The fields of `data` that name the customer, by the prefix of the type.
    pub(crate) customer_fields: &'static [(&'static str, CustomerFields)],
}

/// The fields of `data` that name the customer, for events that are unclear.
#[derive(Clone, Copy)]
pub(crate) struct CustomerFields {
    /// The customer.
    pub(crate) customer: &'static str,
    /// Others, the most specific first.
    pub(crate) references: &'static [&'static str],
}

/// Reads an envelope, and as little else as possible.
pub(crate) type OpenFn =
    for<'a> fn(&WireItem<'a, '_>, &'a str) -> Result<Envelope<'a>, UnclearValue>;

/// The common fields of envelopes.
pub(crate) struct Envelope<'a> {
    /// The event's journal key.
    pub(crate) id: EventId,
    /// Its type.
    pub(crate) kind: Arc<str>,
    /// The name of the field for the event's time, and its value.
    pub(crate) at: (&'static str, Option<&'a RawValue>),
    /// Whether it is about live money, where it says so.
    pub(crate) live: Option<bool>,
    /// What it is about.
    pub(crate) data: Option<&'a RawValue>,
}

/// Reads one type's data.
pub(crate) type ReadDataFn =
    for<'a> fn(&Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue>;

/// An event whose envelope was read.
pub(crate) struct Event<'a> {
    /// The account of the endpoint at which it arrived.
    pub(crate) account: &'a ProviderAccount,
    /// Its type.
    pub(crate) kind: &'a str,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// What it is about, as it was then.
    data: &'a RawValue,
}

impl<'a> Event<'a> {
    /// Reads the data.
    pub(crate) fn data<T: Deserialize<'a>>(&self) -> Result<T, UnclearValue> {
        read_object(self.data, "data")
    }

    /// A draft about the customer, or by reference to these ids, the most specific first.
    pub(crate) fn draft(
        &self,
        customer: Option<&ObjectId>,
        references: &[Option<&ObjectId>],
    ) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
        let about = match customer {
            Some(id) => About::Customer(self.account.customer(id)),
            None => {
                let ids = references.iter().flatten();
                let references = ids.map(|id| self.account.reference(id));
                About::ByReference(references.collect())
            }
        };
        if about == About::ByReference(Vec::new()) {
            return Err(UnclearValue::missing("data.customer"));
        }
        Ok(NormalizedEventDraft::new(self.account, about))
    }
}

/// Normalizes one verified body.
pub(crate) fn read(item: &WireItem<'_, '_>, words: &EventSchema) -> FetchStep<ItemOutcome> {
    let opened = validate_json(item.raw)
        .map_err(UnclearValue::from)
        .and_then(|text| (words.open)(item, text))
        .and_then(Envelope::check_kind);
    FetchStep::Done(match opened {
        Ok(envelope) => envelope.outcome(item, words),
        Err(UnclearValue(what)) => unreadable_event(item.account, item.raw, item.signed_at, what),
    })
}

/// Reads the fields of an envelope.
pub(crate) fn fields<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, UnclearValue> {
    let raw: &RawValue =
        serde_json::from_str(text).map_err(|_| UnclearValue("the body is not JSON".into()))?;
    read_object(raw, "event")
}

impl<'a> Envelope<'a> {
    /// The same, if its type has a valid length.
    fn check_kind(self) -> Result<Self, UnclearValue> {
        if self.kind.is_empty() || self.kind.len() > MAX_KIND {
            return Err(UnclearValue(
                "the event's type is not a name of a type".into(),
            ));
        }
        Ok(self)
    }

    fn outcome(&self, item: &WireItem<'_, '_>, words: &EventSchema) -> ItemOutcome {
        let (account, kind) = (item.account, Arc::clone(&self.kind));
        let id = self.id.clone();
        let mode_is = |live: bool| live == (account.mode == Mode::Live);
        if !self.live.is_none_or(mode_is) {
            return ItemOutcome::WrongMode { kind };
        }
        let row = words
            .event_types
            .iter()
            .find(|(acted, ..)| **acted == *kind);
        let Some((_, rank, reader)) = row else {
            return ItemOutcome::Ignored { id: Some(id), kind };
        };
        let (place, at) = self.at;
        let at = at.ok_or_else(|| UnclearValue::missing(place));
        let at: Rfc3339Time = match at.and_then(|raw| wire::read(raw, place)) {
            Ok(at) => at,
            Err(UnclearValue(what)) => {
                return unreadable_event(account, item.raw, item.signed_at, what);
            }
        };
        let (about, facts, references) = match self.draft(account, at.0, *reader) {
            Ok(draft) => draft.into_parts(),
            Err(UnclearValue(what)) => {
                let facts = vec![Fact::Unclear { what: what.into() }];
                (self.fallback_about(item, words), facts, Vec::new())
            }
        };
        ItemOutcome::Event(NormalizedEvent {
            id,
            kind,
            occurred_at: at.0,
            rank: *rank,
            about,
            facts,
            references,
        })
    }

    fn draft<'e>(
        &'e self,
        account: &'e ProviderAccount,
        at: Timestamp,
        reader: ReadDataFn,
    ) -> Result<NormalizedEventDraft<'e>, UnclearValue> {
        reader(&Event {
            account,
            kind: &self.kind,
            at,
            data: self
                .data
                .ok_or_else(|| UnclearValue::missing("event.data"))?,
        })
    }

    /// Whom an event with unclear data is about, as far as that can be read.
    fn fallback_about(&self, item: &WireItem<'_, '_>, words: &EventSchema) -> About {
        let account = item.account;
        let fields: BTreeMap<&str, &RawValue> = self
            .data
            .and_then(|data| serde_json::from_str(data.get()).ok())
            .unwrap_or_default();
        let id = |field: &str| -> Option<Id> {
            let raw = fields.get(field)?;
            serde_json::from_str(raw.get()).ok()
        };
        let family = |begin: &str| self.kind.starts_with(begin);
        let names = words
            .customer_fields
            .iter()
            .find(|(begin, _)| family(begin));
        let (customer, references) =
            names.map_or(("", &[][..]), |(_, n)| (n.customer, n.references));
        if let Some(customer) = id(customer) {
            return About::Customer(account.customer(&customer.0));
        }
        let mut references: Vec<_> = references
            .iter()
            .filter_map(|field| id(field))
            .map(|named| account.reference(&named.0))
            .collect();
        if references.is_empty() {
            references.push(account.reference(&unreadable_name(item.raw)));
        }
        About::ByReference(references)
    }
}

const MAX_KIND: usize = 128;
