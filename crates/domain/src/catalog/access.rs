//! The access policy: what a customer may still use while something is wrong with what pays for it.

use crate::catalog::calendar_duration::CalendarDuration;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// What each trouble does to what the customer may use: the section `[access]` of the catalog. What
/// a catalog leaves out is as [`AccessPolicy::default`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessPolicy {
    /// A renewal failed, and the provider tries again. The days count from the first failure.
    pub past_due: AccessRule,
    /// All attempts failed, and the subscription has not ended. The days count from the first
    /// failure too.
    pub unpaid: AccessRule,
    /// The subscription is paused.
    pub paused: AccessRule,
    /// The subscription goes on, and nothing is collected for a while.
    pub collection_paused: AccessRule,
    /// What was paid for it is disputed. A dispute that is won is none; one that is lost counts as
    /// money that went back.
    #[serde(deserialize_with = "without_days")]
    pub disputed: AccessRule,
    /// All that was paid for it went back.
    #[serde(deserialize_with = "without_days")]
    pub refunded: AccessRule,
    /// A part of what was paid for it went back.
    #[serde(deserialize_with = "without_days")]
    pub partly_refunded: AccessRule,
    /// An add-on was taken off a running subscription: what it gives until the end of the period
    /// that was paid.
    #[serde(deserialize_with = "without_days")]
    pub removed_add_on: AccessRule,
}

impl Default for AccessPolicy {
    /// Access goes on for seven days after a failed renewal, which is when the last reminder goes
    /// out, while only collection is paused, and after a refund in part. It stops when the provider
    /// gave up, when the subscription is paused, while money is disputed, and when all of it went
    /// back. An add-on that was removed stays to the end of the period.
    fn default() -> Self {
        Self {
            past_due: AccessRule::Keep(AccessSpan::For(CalendarDuration::WEEK)),
            unpaid: AccessRule::Stop,
            paused: AccessRule::Stop,
            collection_paused: AccessRule::Keep(AccessSpan::Always),
            disputed: AccessRule::Stop,
            refunded: AccessRule::Stop,
            partly_refunded: AccessRule::Keep(AccessSpan::Always),
            removed_add_on: AccessRule::Keep(AccessSpan::Always),
        }
    }
}

/// What one trouble does. As a catalog writes it: `"keep"`, `"soften"`, `"stop"`,
/// `{ keep = "7 days" }`, `{ soften = "7 days" }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "RuleInput")]
pub enum AccessRule {
    /// Access goes on, so long.
    Keep(AccessSpan),
    /// Access goes on, so long, and the answer says that it is soft: the shop's code may show a
    /// banner, or let people read and not write.
    Soften(AccessSpan),
    /// Access stops.
    Stop,
}

/// How long a rule lets access go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessSpan {
    /// As long as the trouble lasts.
    Always,
    /// For so long after the trouble began.
    For(CalendarDuration),
}

impl AccessRule {
    /// Whether access that goes on is soft.
    pub fn is_soft(self) -> bool {
        match self {
            Self::Soften(_) => true,
            Self::Keep(_) | Self::Stop => false,
        }
    }

    /// Until when access goes on if the trouble began at `since`: never is `None`, and always is
    /// [`Timestamp::MAX`].
    pub fn lasts_until(self, since: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Stop => None,
            Self::Keep(AccessSpan::Always) | Self::Soften(AccessSpan::Always) => {
                Some(Timestamp::MAX)
            }
            Self::Keep(AccessSpan::For(days)) | Self::Soften(AccessSpan::For(days)) => {
                Some(days.after(since))
            }
        }
    }
}

/// A rule as the file has it.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "write \"keep\", \"soften\", \"stop\", or { keep = \"7 days\" }"
)]
enum RuleInput {
    Word(RuleWord),
    Days(RuleDays),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RuleWord {
    Keep,
    Soften,
    Stop,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RuleDays {
    Keep(CalendarDuration),
    Soften(CalendarDuration),
}

impl From<RuleInput> for AccessRule {
    fn from(input: RuleInput) -> Self {
        match input {
            RuleInput::Word(RuleWord::Keep) => Self::Keep(AccessSpan::Always),
            RuleInput::Word(RuleWord::Soften) => Self::Soften(AccessSpan::Always),
            RuleInput::Word(RuleWord::Stop) => Self::Stop,
            RuleInput::Days(RuleDays::Keep(days)) => Self::Keep(AccessSpan::For(days)),
            RuleInput::Days(RuleDays::Soften(days)) => Self::Soften(AccessSpan::For(days)),
        }
    }
}

/// Reads a rule for a trouble of which the record does not keep when it began.
fn without_days<'de, D: Deserializer<'de>>(reader: D) -> Result<AccessRule, D::Error> {
    match AccessRule::deserialize(reader)? {
        AccessRule::Keep(AccessSpan::For(_)) | AccessRule::Soften(AccessSpan::For(_)) => {
            Err(D::Error::custom(
                "this takes no number of days: write \"keep\", \"soften\" or \"stop\"",
            ))
        }
        rule @ (AccessRule::Keep(AccessSpan::Always)
        | AccessRule::Soften(AccessSpan::Always)
        | AccessRule::Stop) => Ok(rule),
    }
}
