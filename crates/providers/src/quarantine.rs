//! Authentic bytes nobody could read: kept under their hash until somebody can.

use crate::Outcome;
use domain::ids::{Account, EventId};
use domain::reading::{About, Fact, Reading};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A reading that says only that there is something to read.
pub(crate) fn unread(
    account: &Account,
    raw: &[u8],
    signed_at: Timestamp,
    what: impl Into<String>,
) -> Outcome {
    let name = unread_name(raw);
    Outcome::Reading(Reading {
        id: account.event(&name),
        kind: "unreadable".into(),
        occurred_at: signed_at,
        rank: UNREAD_RANK,
        about: About::Behind(vec![account.reference(&name)]),
        facts: vec![Fact::Unclear {
            what: what.into().into(),
        }],
        references: Vec::new(),
    })
}

/// A thin event whose provider's API is silent: kept where nobody's record sees it, until
/// `calendar` has asked again and it says something. `what` is waited for.
pub(crate) fn waiting(
    account: &Account,
    id: EventId,
    kind: Arc<str>,
    occurred_at: Timestamp,
    what: impl Into<Arc<str>>,
) -> Outcome {
    Outcome::Reading(Reading {
        id,
        kind,
        occurred_at,
        rank: UNREAD_RANK,
        about: About::Behind(vec![account.waiting()]),
        facts: vec![Fact::Waiting { what: what.into() }],
        references: Vec::new(),
    })
}

/// The name such bytes go by: the same bytes sent again have the same.
pub(crate) fn unread_name(raw: &[u8]) -> String {
    format!("unread/{}", hex::encode(Sha256::digest(raw)))
}

// It tells nothing, so it may come last.
const UNREAD_RANK: u8 = u8::MAX;
