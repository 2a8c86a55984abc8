//! Id, type and time around an object: the envelope that several senders use, each under field
//! names of its own, around words of its own.

use crate::draft::Draft;
use crate::json::sound;
use crate::provider::WireItem;
use crate::quarantine::{unread, unread_name};
use crate::wire::{Id, Moment, Unclear, read_object};
use crate::{Outcome, Step, wire};
use domain::ids::{Account, EventId, Mode, ObjectId};
use domain::reading::{About, Fact, Reading};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One sender's words.
pub(crate) struct Vocabulary {
    /// Opens its envelope.
    pub(crate) open: Open,
    /// The types acted upon, in the order they take within one instant.
    pub(crate) rows: &'static [(&'static str, u8, Reader)],
    /// The fields of `data` that name somebody, by what begins the type.
    pub(crate) names: &'static [(&'static str, Names)],
}

/// Which fields of `data` name somebody: for what can't be read further.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    /// The customer.
    pub(crate) customer: &'static str,
    /// Others, the most telling first.
    pub(crate) behind: &'static [&'static str],
}

/// Finds what every envelope has, without reading more than it must.
pub(crate) type Open = for<'a> fn(&WireItem<'a, '_>, &'a str) -> Result<Envelope<'a>, Unclear>;

/// What every envelope has.
pub(crate) struct Envelope<'a> {
    /// The event's journal key.
    pub(crate) id: EventId,
    /// Its type.
    pub(crate) kind: Arc<str>,
    /// The field that says when it happened, and what it says.
    pub(crate) at: (&'static str, Option<&'a RawValue>),
    /// Which money it is about, where it says.
    pub(crate) live: Option<bool>,
    /// What it is about.
    pub(crate) data: Option<&'a RawValue>,
}

/// Reads one type's data.
pub(crate) type Reader = for<'a> fn(&Event<'a>) -> Result<Draft<'a>, Unclear>;

/// An event whose envelope was read.
pub(crate) struct Event<'a> {
    /// Whose endpoint it came to.
    pub(crate) account: &'a Account,
    /// Its type.
    pub(crate) kind: &'a str,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// What it is about, as it was then.
    data: &'a RawValue,
}

impl<'a> Event<'a> {
    /// Reads the data.
    pub(crate) fn data<T: Deserialize<'a>>(&self) -> Result<T, Unclear> {
        read_object(self.data, "data")
    }

    /// The customer's, or that of whoever these ids lead to, the most telling first.
    pub(crate) fn draft(
        &self,
        customer: Option<&ObjectId>,
        behind: &[Option<&ObjectId>],
    ) -> Result<Draft<'a>, Unclear> {
        let about = match customer {
            Some(id) => About::Customer(self.account.customer(id.as_str())),
            None => {
                let ids = behind.iter().flatten();
                let references = ids.map(|id| self.account.reference(id.as_str()));
                About::Behind(references.collect())
            }
        };
        if about == About::Behind(Vec::new()) {
            return Err(Unclear::absent("data.customer"));
        }
        Ok(Draft::new(self.account, about))
    }
}

/// What one verified body says in these words.
pub(crate) fn read(item: &WireItem<'_, '_>, words: &Vocabulary) -> Step<Outcome> {
    let opened = sound(item.raw)
        .map_err(Unclear::from)
        .and_then(|text| (words.open)(item, text))
        .and_then(Envelope::named);
    Step::Done(match opened {
        Ok(envelope) => envelope.outcome(item, words),
        Err(Unclear(what)) => unread(item.account, item.raw, item.signed_at, what),
    })
}

/// Reads the fields of an envelope.
pub(crate) fn fields<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unclear> {
    let raw: &RawValue =
        serde_json::from_str(text).map_err(|_| Unclear("the body is not JSON".into()))?;
    read_object(raw, "event")
}

impl<'a> Envelope<'a> {
    /// The same, if its type can be the name of one.
    fn named(self) -> Result<Self, Unclear> {
        if self.kind.is_empty() || self.kind.len() > MAX_KIND {
            return Err(Unclear("the event's type is not a name of a type".into()));
        }
        Ok(self)
    }

    fn outcome(&self, item: &WireItem<'_, '_>, words: &Vocabulary) -> Outcome {
        let (account, kind) = (item.account, Arc::clone(&self.kind));
        let id = self.id.clone();
        let mode_is = |live: bool| live == (account.mode == Mode::Live);
        if !self.live.is_none_or(mode_is) {
            return Outcome::WrongMode { kind };
        }
        let row = words.rows.iter().find(|(acted, ..)| **acted == *kind);
        let Some((_, rank, reader)) = row else {
            return Outcome::Ignored { id: Some(id), kind };
        };
        let (place, at) = self.at;
        let at = at.ok_or_else(|| Unclear::absent(place));
        let at: Moment = match at.and_then(|raw| wire::read(raw, place)) {
            Ok(at) => at,
            Err(Unclear(what)) => return unread(account, item.raw, item.signed_at, what),
        };
        let (about, facts, references) = match self.draft(account, at.0, *reader) {
            Ok(draft) => (draft.about, draft.facts, draft.references),
            Err(Unclear(what)) => {
                let facts = vec![Fact::Unclear { what: what.into() }];
                (self.whose(item, words), facts, Vec::new())
            }
        };
        Outcome::Reading(Reading {
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
        account: &'e Account,
        at: Timestamp,
        reader: Reader,
    ) -> Result<Draft<'e>, Unclear> {
        reader(&Event {
            account,
            kind: &self.kind,
            at,
            data: self.data.ok_or_else(|| Unclear::absent("event.data"))?,
        })
    }

    /// Whose it is, as far as that much can be read of data that is unclear.
    fn whose(&self, item: &WireItem<'_, '_>, words: &Vocabulary) -> About {
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
        let names = words.names.iter().find(|(begin, _)| family(begin));
        let (customer, behind) = names.map_or(("", &[][..]), |(_, n)| (n.customer, n.behind));
        if let Some(customer) = id(customer) {
            return About::Customer(account.customer(customer.0.as_str()));
        }
        let mut references: Vec<_> = behind
            .iter()
            .filter_map(|field| id(field))
            .map(|named| account.reference(named.0.as_str()))
            .collect();
        if references.is_empty() {
            references.push(account.reference(&unread_name(item.raw)));
        }
        About::Behind(references)
    }
}

const MAX_KIND: usize = 128;
