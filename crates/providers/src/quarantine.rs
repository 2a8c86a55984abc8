//! Authentic bytes that can't be read: kept under their hash until a newer normalizer can.

use crate::outcome::ItemOutcome;
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{EventId, ObjectId, ProviderAccount};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// An event that is journaled under the hash of its bytes; `what` is the reason.
pub(crate) fn unreadable_event(
    account: &ProviderAccount,
    raw: &[u8],
    signed_at: Timestamp,
    what: impl Into<String>,
) -> ItemOutcome {
    let name = unreadable_name(raw);
    ItemOutcome::Event(NormalizedEvent {
        id: account.event(&name),
        kind: "unreadable".into(),
        occurred_at: signed_at,
        rank: UNREADABLE_RANK,
        about: About::ByReference(vec![account.reference(&name)]),
        facts: vec![Fact::Unclear {
            what: what.into().into(),
        }],
        references: Vec::new(),
    })
}

/// A reference-only event whose provider's API does not respond. It is kept outside every
/// customer's record until `calendar` has fetched what is missing. `what` names that.
pub(crate) fn waiting_event(
    account: &ProviderAccount,
    id: EventId,
    kind: Arc<str>,
    occurred_at: Timestamp,
    what: impl Into<Arc<str>>,
) -> ItemOutcome {
    ItemOutcome::Event(NormalizedEvent {
        id,
        kind,
        occurred_at,
        rank: UNREADABLE_RANK,
        about: About::ByReference(vec![account.waiting_reference()]),
        facts: vec![Fact::Waiting { what: what.into() }],
        references: Vec::new(),
    })
}

/// The id of such bytes; equal bytes have the same one.
pub(crate) fn unreadable_name(raw: &[u8]) -> ObjectId {
    ObjectId::of_unread(Sha256::digest(raw).into())
}

// It has no effect, so it may come last.
const UNREADABLE_RANK: u8 = u8::MAX;
