//! Where a partner wants to be told of its rows, as the table keeps it.

use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
use domain::notice::Addressee;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Where a partner wants to be told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeEndpoint {
    /// Whose.
    #[serde(flatten)]
    pub addressee: Addressee,
    /// Counts writes.
    pub version: u64,
    /// The address; it may hold a secret of the partner's. Empty once it was taken away: it is as
    /// if there were none, but that a later one does not sign with a secret given out before it.
    pub url: Arc<str>,
    /// States that came before it are not told.
    pub since: Timestamp,
    /// Which version of the secret signs.
    pub key: u32,
    /// The version before it, while that one signs besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_key: Option<PreviousKey>,
    /// The first failure since the last success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Since when and why nothing is sent there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<DisabledState>,
}

/// A version of the secret that was rotated out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousKey {
    /// Which.
    pub key: u32,
    /// Until when it signs.
    pub until: Timestamp,
}

/// How long both secrets sign after a rotation: a partner has a day to change over.
pub const KEY_OVERLAP: SignedDuration = SignedDuration::from_hours(24);

impl NoticeEndpoint {
    /// Whether somebody wishes to be told there.
    pub fn is_configured(&self) -> bool {
        !self.url.is_empty()
    }

    /// Versions of the secret that sign now, the newest first.
    pub fn keys(&self, now: Timestamp) -> impl Iterator<Item = u32> {
        let before = self.previous_key.filter(|before| now < before.until);
        [self.key]
            .into_iter()
            .chain(before.map(|before| before.key))
    }
}

/// That an endpoint is off until a person puts it on again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisabledState {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: DisabledReason,
}

/// Why an endpoint is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// It said that it is gone.
    Gone,
    /// It failed for three days.
    Failing,
}

impl fmt::Debug for NoticeEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("addressee", &self.addressee)
            .field("version", &self.version)
            .field("key", &self.key)
            .field("failing_since", &self.failing_since)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

impl StoredItem for NoticeEndpoint {
    fn type_name(&self) -> &'static str {
        "notice_endpoint"
    }

    fn key(&self) -> Key {
        Key::notice_endpoint(&self.addressee)
    }

    fields_by_serde!();

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
