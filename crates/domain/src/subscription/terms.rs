//! A subscription as its provider states it at one moment.

use crate::ids::{ObjectId, PriceId};
use crate::money::Currency;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The eight statuses a subscription can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// First payment outstanding.
    Incomplete,
    /// First payment never came; final.
    IncompleteExpired,
    /// In a trial.
    Trialing,
    /// Paid and in use.
    Active,
    /// A renewal failed and is being retried.
    PastDue,
    /// Retries are over, not ended.
    Unpaid,
    /// Paused, nothing is billed.
    Paused,
    /// Ended; final.
    Canceled,
}

impl SubscriptionStatus {
    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::IncompleteExpired | Self::Canceled)
    }

    /// Whether the customer has what was sold.
    pub fn is_running(self) -> bool {
        matches!(self, Self::Trialing | Self::Active)
    }

    /// As it stands in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
        }
    }
}

/// A stretch of time, start inclusive, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// First moment.
    pub start: Timestamp,
    /// First moment after.
    pub end: Timestamp,
}

/// Collection is paused while the subscription goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What happens to invoices meanwhile, in the provider's word.
    pub behavior: Arc<str>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<Timestamp>,
}

/// One line of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionItem {
    /// The item's id.
    pub id: ObjectId,
    /// What is sold.
    pub price: PriceId,
    /// Whether usage decides the amount.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub metered: bool,
    /// How many; none where usage decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// Minor units each; none where tiers or usage decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_minor: Option<i64>,
    /// Its own billing period, where items have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
}

/// What a subscription was at one moment. The same type is kept in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionTerms {
    /// Status.
    pub status: SubscriptionStatus,
    /// Base, add-ons and metered lines.
    pub items: Vec<SubscriptionItem>,
    /// The billing period of the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Period>,
    /// When it is set to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<Timestamp>,
    /// Whether it ends with its period.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_at_period_end: bool,
    /// Collection paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

impl SubscriptionTerms {
    /// Whether an end lies ahead or was reached.
    pub fn is_ending(&self) -> bool {
        self.cancel_at.is_some() || self.cancel_at_period_end || self.status.is_final()
    }
}

/// What the terms were before a change, as far as the provider says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousAttributes {
    /// Status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SubscriptionStatus>,
    /// Prices and quantities of the items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<(PriceId, Option<u64>)>>,
    /// End of the billing period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_end: Option<Timestamp>,
    /// Set end; the inner absence is "none was set".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<PreviousValue<Timestamp>>,
    /// Whether it was to end with its period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at_period_end: Option<bool>,
    /// End of the trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<PreviousValue<Timestamp>>,
    /// Whether collection was paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// A value that is known to be there or known to be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviousValue<T> {
    /// There is none.
    Absent,
    /// There is this.
    Present(T),
}

/// A subscription as an event shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionSnapshot {
    /// The provider's id of the subscription.
    pub id: ObjectId,
    /// When it began.
    pub started_at: Timestamp,
    /// What it is billed in, where the event says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The whole of it at that moment.
    pub terms: SubscriptionTerms,
    /// When the customer or the shop asked to end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<Timestamp>,
    /// Its end was asked for, and the provider never says when: the first statement that says
    /// so after one that did not tells.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end_requested: bool,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What changed, where the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_attributes: Option<Box<PreviousAttributes>>,
}
