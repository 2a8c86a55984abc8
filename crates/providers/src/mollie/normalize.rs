//! From Mollie's words to ours: a payment that was asked for, or an event that was signed.

use super::api::{Mollie, Told};
use super::{invoice, link, payment};
use crate::json::sound;
use crate::provider::WireItem;
use crate::quarantine::{unread, unread_name, waiting};
use crate::thin::Short;
use crate::wire::{Id, Moment, Unclear, read_object};
use crate::{Outcome, Step};
use domain::ids::EventId;
use domain::reading::{About, Fact, Reading};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// What one verified item says.
pub(crate) fn normalize(item: &WireItem<'_, '_>) -> Step<Outcome> {
    let text = sound(item.raw).map_err(Unclear::from);
    let read = text.and_then(|text| {
        let raw = serde_json::from_str::<&RawValue>(text);
        raw.map_err(|_| Unclear("the body is not JSON".into()))
    });
    let read = read.and_then(|raw| Ok((raw, read_object::<Envelope<'_>>(raw, "body")?)));
    let outcome = read.and_then(|(raw, envelope)| envelope.outcome(raw, item));
    outcome.unwrap_or_else(|Unclear(what)| {
        Step::Done(unread(item.account, item.raw, item.signed_at, what))
    })
}

/// The signed events acted upon; ranks beside those of payments.
pub(super) const ACTED_UPON: &[(&str, u8, Reader)] = &[
    ("sales-invoice.paid", 58, invoice::paid),
    ("payment-link.paid", 59, link::paid),
];

/// Reads what an event is about.
pub(super) type Reader = for<'a, 'f> fn(&Mollie<'a, 'f>, &Entity<'a>) -> Result<Told<'a>, Short>;

/// The entity of an event: by name, and whole where the webhook is set to say all.
pub(super) struct Entity<'a> {
    /// Its id.
    pub(super) id: Id,
    /// The whole of it.
    pub(super) whole: Option<&'a RawValue>,
    /// When the event happened.
    pub(super) at: Timestamp,
}

/// What any of Mollie's bodies may have.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    resource: Option<Arc<str>>,
    #[serde(default)]
    id: Option<Id>,
    #[serde(default, rename = "type")]
    kind: Option<Arc<str>>,
    #[serde(default, rename = "entityId")]
    entity_id: Option<Id>,
    #[serde(default, rename = "createdAt")]
    created_at: Option<Moment>,
    #[serde(borrow, default, rename = "_embedded")]
    embedded: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Embedded<'a> {
    #[serde(borrow, default)]
    entity: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    fn outcome(
        &self,
        raw: &'a RawValue,
        item: &WireItem<'_, '_>,
    ) -> Result<Step<Outcome>, Unclear> {
        if self.resource.as_deref() == Some("payment") {
            return payment::outcome(raw, item);
        }
        if self.kind.is_none() && self.status.is_some() {
            // What Mollie says of an id that it does not know.
            return Ok(Step::Done(Outcome::Ignored {
                id: None,
                kind: "payment.unknown".into(),
            }));
        }
        let kind = self
            .kind
            .clone()
            .ok_or_else(|| Unclear::absent("event.type"))?;
        let id = self
            .id
            .as_ref()
            .ok_or_else(|| Unclear::absent("event.id"))?;
        if kind.is_empty() || kind.len() > MAX_KIND {
            return Err(Unclear("`event.type` is not a name of a type".into()));
        }
        let id = item.account.event(id.0.as_str());
        let acted_upon = ACTED_UPON.iter().find(|(acted, ..)| **acted == *kind);
        let Some((_, rank, reader)) = acted_upon else {
            return Ok(Step::Done(Outcome::Ignored { id: Some(id), kind }));
        };
        let at = self
            .created_at
            .ok_or_else(|| Unclear::absent("event.createdAt"))?
            .0;
        let mollie = Mollie {
            account: item.account,
            asking: item.asking,
        };
        let read = self.entity(at).and_then(|entity| reader(&mollie, &entity));
        let named = self.entity_id.as_ref().map(|id| id.0.as_str().to_owned());
        let named = named.unwrap_or_else(|| unread_name(item.raw));
        let event = Named {
            id,
            kind,
            at,
            rank: *rank,
            whose: About::Behind(vec![item.account.reference(&named)]),
        };
        Ok(outcome(event, read, item))
    }

    fn entity(&self, at: Timestamp) -> Result<Entity<'a>, Short> {
        let embedded: Option<Embedded<'a>> = self
            .embedded
            .map(|embedded| read_object(embedded, "event._embedded"))
            .transpose()?;
        let id = self.entity_id.clone();
        Ok(Entity {
            id: id.ok_or_else(|| Unclear::absent("event.entityId"))?,
            whole: embedded.and_then(|embedded| embedded.entity),
            at,
        })
    }
}

/// An event that has its name.
pub(super) struct Named {
    pub(super) id: EventId,
    pub(super) kind: Arc<str>,
    pub(super) at: Timestamp,
    pub(super) rank: u8,
    /// Whose it is, as far as it tells by itself.
    pub(super) whose: About,
}

/// What became of reading it.
pub(super) fn outcome(
    event: Named,
    read: Result<Told<'_>, Short>,
    item: &WireItem<'_, '_>,
) -> Step<Outcome> {
    let Named {
        id,
        kind,
        at,
        rank,
        whose,
    } = event;
    let (about, facts, references) = match read {
        Ok(Told::Draft(draft)) => (draft.about, draft.facts, draft.references),
        Ok(Told::WrongMode) => return Step::Done(Outcome::WrongMode { kind }),
        Err(Short::Unasked(questions)) => return Step::Ask(questions),
        Err(Short::Silent(what)) => {
            return Step::Done(waiting(item.account, id, kind, at, what));
        }
        Err(Short::Unclear(Unclear(what))) => {
            let facts = vec![Fact::Unclear { what: what.into() }];
            (whose, facts, Vec::new())
        }
    };
    Step::Done(Outcome::Reading(Reading {
        id,
        kind,
        occurred_at: at,
        rank,
        about,
        facts,
        references,
    }))
}

const MAX_KIND: usize = 128;
