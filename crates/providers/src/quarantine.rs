//! Authentic bytes nobody could read: kept under their hash until somebody can.

use crate::outcome::ItemOutcome;
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{EventId, ObjectId, ProviderAccount};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A reading that says only that there is something to read.
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

/// A thin event whose provider's API is silent: kept where nobody's record sees it, until
/// `calendar` has asked again and it says something. `what` is waited for.
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

/// The name such bytes go by: the same bytes sent again have the same.
pub(crate) fn unreadable_name(raw: &[u8]) -> ObjectId {
    ObjectId::of_unread(Sha256::digest(raw).into())
}

// It tells nothing, so it may come last.
const UNREADABLE_RANK: u8 = u8::MAX;
