//! Authentic bytes nobody could read: kept under their hash until somebody can.

use crate::Outcome;
use domain::ids::Account;
use domain::reading::{About, Fact, Reading};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

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

/// The name such bytes go by: the same bytes sent again have the same.
pub(crate) fn unread_name(raw: &[u8]) -> String {
    format!("unread/{}", hex::encode(Sha256::digest(raw)))
}

// It tells nothing, so it may come last.
const UNREAD_RANK: u8 = u8::MAX;
