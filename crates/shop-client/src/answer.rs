//! An answer of the stage.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::time::Duration;

/// An answer of `POST /v1/check`: the fields that decide. More may be added there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FeatureAnswer {
    /// Whether the customer may.
    pub allowed: bool,
    /// Why: `in_plan`, `add_on`, `purchase`, `trial`, `grace_past_due`, `none`, `expired`,
    /// `refunded`, `disputed`, `paused`, `ended`, `unknown_feature`, `unknown_customer`.
    pub why: String,
    /// Of a limit: how many in all.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Of a limit: whether any number may be used.
    #[serde(default)]
    pub unlimited: bool,
    /// Of a tier: the level.
    #[serde(default)]
    pub level: Option<String>,
    /// When it is allowed no more, if nothing else is heard until then.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// When any of it changes by itself.
    #[serde(default)]
    pub next_change: Option<Timestamp>,
    /// The moment of the answer, by the clock of whoever answered.
    pub as_of: Timestamp,
}

impl FeatureAnswer {
    /// Whether it is as it was given after so long: nothing changes by itself before.
    pub(crate) fn holds_after(&self, age: Duration) -> bool {
        let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
        let now = self.as_of.checked_add(age).unwrap_or(Timestamp::MAX);
        self.next_change.is_none_or(|change| now < change)
    }
}
