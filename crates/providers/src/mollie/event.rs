//! An event of Mollie's: what is known before its entity is read, and what becomes of it then.

use super::api::ReadResult;
use crate::api_document::ReadError;
use crate::fetch::FetchStep;
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::quarantine::waiting_event;
use crate::wire::{Id, UnclearValue};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::EventId;
use jiff::Timestamp;
use serde_json::value::RawValue;
use std::sync::Arc;

/// The entity of an event: by name, and whole where the webhook is set to say all.
pub(super) struct Entity<'a> {
    /// The event's id.
    pub(super) event: Id,
    /// Its id.
    pub(super) id: Id,
    /// The whole of it.
    pub(super) embedded: Option<&'a RawValue>,
    /// When the event happened.
    pub(super) at: Timestamp,
}

/// An event that has its name.
pub(super) struct MollieEventHeader {
    pub(super) id: EventId,
    pub(super) kind: Arc<str>,
    pub(super) at: Timestamp,
    pub(super) rank: u8,
    /// Whom it is about, as far as it says by itself.
    pub(super) about: About,
}

/// What became of reading it.
pub(super) fn outcome(
    event: MollieEventHeader,
    read: Result<ReadResult<'_>, ReadError>,
    item: &WireItem<'_, '_>,
) -> FetchStep<ItemOutcome> {
    let MollieEventHeader {
        id,
        kind,
        at,
        rank,
        about: fallback_about,
    } = event;
    let (about, facts, references) = match read {
        Ok(ReadResult::Draft(draft)) => draft.into_parts(),
        Ok(ReadResult::WrongMode) => return FetchStep::Done(ItemOutcome::WrongMode { kind }),
        Ok(ReadResult::Nothing) => {
            return FetchStep::Done(ItemOutcome::Ignored { id: Some(id), kind });
        }
        Err(ReadError::NotFetched(questions)) => return FetchStep::Fetch(questions),
        Err(ReadError::Unavailable(what)) => {
            return FetchStep::Done(waiting_event(item.account, id, kind, at, what));
        }
        Err(ReadError::Unclear(UnclearValue(what))) => {
            let facts = vec![Fact::Unclear { what: what.into() }];
            (fallback_about, facts, Vec::new())
        }
    };
    FetchStep::Done(ItemOutcome::Event(NormalizedEvent {
        id,
        kind,
        occurred_at: at,
        rank,
        about,
        facts,
        references,
    }))
}
