//! A subscription at one moment, as its provider states it.

use crate::ids::{ObjectId, PriceId};
use crate::money::Currency;
use crate::subscription::pricing::Pricing;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The eight statuses a subscription can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// The first payment has not arrived yet.
    Incomplete,
    /// The first payment never arrived. Final.
    IncompleteExpired,
    /// The trial runs.
    Trialing,
    /// It is paid and in use.
    Active,
    /// A renewal failed, and the provider tries again.
    PastDue,
    /// All retries failed, but the subscription has not ended.
    Unpaid,
    /// It is paused, and nothing is billed.
    Paused,
    /// It ended. Final.
    Canceled,
}

impl SubscriptionStatus {
    /// Whether no other status can follow.
    pub fn is_final(self) -> bool {
        matches!(self, Self::IncompleteExpired | Self::Canceled)
    }

    /// Whether it ever came to be: one that is incomplete did not.
    pub fn has_begun(self) -> bool {
        match self {
            Self::Incomplete | Self::IncompleteExpired => false,
            Self::Trialing
            | Self::Active
            | Self::PastDue
            | Self::Unpaid
            | Self::Paused
            | Self::Canceled => true,
        }
    }

    /// Whether the customer may use what was sold.
    pub fn is_running(self) -> bool {
        matches!(self, Self::Trialing | Self::Active)
    }

    /// The name in the record and in JSON.
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

/// Why a customer may be without what a paid subscription gives, though it has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// A renewal failed: it is past due or unpaid.
    Unpaid,
    /// It is paused.
    Paused,
    /// It goes on, and nothing is collected.
    CollectionPaused,
}

/// A span of time: its start is included, its end is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first moment in it.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
}

/// A pause of collection: the subscription continues, but nothing is collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What happens to invoices during the pause, in the provider's word.
    pub behavior: Arc<str>,
    /// When the pause ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<Timestamp>,
}

/// What a trial comes to without a way to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialFallback {
    /// It ends.
    Ends,
    /// It is paused until there is a way to pay.
    Pauses,
    /// Something that we do not know.
    Other,
}

/// Why a subscription ends or ended, where its provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The customer or the shop asked for it.
    Requested,
    /// What it owed could not be collected.
    PaymentFailed,
    /// A payment was disputed.
    Disputed,
}

/// One item of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionItem {
    /// The provider's id of the item.
    pub id: ObjectId,
    /// The provider's id of the price.
    pub price: PriceId,
    /// Whether the amount depends on usage.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub metered: bool,
    /// How many are sold. `None` when usage decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// The price of one, or of one package, in minor units. `None` when tiers or usage decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_minor: Option<i64>,
    /// How often that is charged, and how it is to be read.
    #[serde(flatten)]
    pub pricing: Pricing,
    /// The item's own billing period, where the provider has one for each item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
}

impl SubscriptionItem {
    /// What all of it costs each time, in minor units. `None` when tiers or usage decide.
    pub fn amount_minor(&self) -> Option<i64> {
        let quantity = self.quantity.filter(|_| !self.metered)?;
        let priced = match self.pricing.package {
            Some(package) => package.count(quantity)?,
            None => quantity,
        };
        self.unit_minor?.checked_mul(i64::try_from(priced).ok()?)
    }
}

/// The terms of a subscription at one moment. Both snapshots and the record hold them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionTerms {
    /// Its status.
    pub status: SubscriptionStatus,
    /// The plan, add-ons and metered items.
    pub items: Vec<SubscriptionItem>,
    /// Whether there are items that are not among them: more than the event shows, or items that
    /// can't be read. Those that are known of before stay in the record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub items_partial: bool,
    /// The billing period of the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The trial period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Period>,
    /// What the trial comes to where nobody has given a way to pay by its end. `None` when that
    /// makes no difference, or nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_fallback: Option<TrialFallback>,
    /// The date on which it is set to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<Timestamp>,
    /// Whether it ends with its billing period.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_at_period_end: bool,
    /// The pause of collection, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

impl SubscriptionTerms {
    /// These terms with the items of earlier ones beside them, where not all are known.
    pub(crate) fn with_known_items(mut self, earlier: Option<&Self>) -> Self {
        if self.items_partial {
            let known = earlier.into_iter().flat_map(|earlier| &earlier.items);
            let missing = known.filter(|item| self.items.iter().all(|own| own.id != item.id));
            let missing: Vec<_> = missing.cloned().collect();
            self.items.extend(missing);
        }
        self
    }

    /// What interrupts it.
    pub fn interruption(&self) -> Option<Interruption> {
        match self.status {
            SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid => Some(Interruption::Unpaid),
            SubscriptionStatus::Paused => Some(Interruption::Paused),
            SubscriptionStatus::Trialing | SubscriptionStatus::Active => {
                self.pause.as_ref().map(|_| Interruption::CollectionPaused)
            }
            SubscriptionStatus::Incomplete
            | SubscriptionStatus::IncompleteExpired
            | SubscriptionStatus::Canceled => None,
        }
    }

    /// Whether it, or its collection, is paused.
    pub fn is_paused(&self) -> bool {
        match self.interruption() {
            Some(Interruption::Paused | Interruption::CollectionPaused) => true,
            Some(Interruption::Unpaid) | None => false,
        }
    }

    /// Whether it is set to end or has ended.
    pub fn is_ending(&self) -> bool {
        self.cancel_at.is_some() || self.cancel_at_period_end || self.status.is_final()
    }
}

/// Values before a change, as far as the provider states them. A field that is `None` did not
/// change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousAttributes {
    /// The previous status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SubscriptionStatus>,
    /// The previous items: price and quantity of each, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<(PriceId, Option<u64>)>>,
    /// The previous end of the billing period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_end: Option<Timestamp>,
    /// The previous date of the end; `Absent` when none was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<PreviousValue<Timestamp>>,
    /// Whether it was set to end with its period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at_period_end: Option<bool>,
    /// The previous end of the trial; `Absent` when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<PreviousValue<Timestamp>>,
    /// Whether collection was paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// A previous value. That there was none is a value too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviousValue<T> {
    /// There was none.
    Absent,
    /// It was this.
    Present(T),
}

/// A subscription as an event shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionSnapshot {
    /// The provider's id of the subscription.
    pub id: ObjectId,
    /// When it began.
    pub started_at: Timestamp,
    /// The currency it is billed in, where the event says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Its terms at that moment.
    pub terms: SubscriptionTerms,
    /// When the customer or the shop asked to end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<Timestamp>,
    /// Whether somebody asked to end it, at a provider that never says when. The time is then that
    /// of the first snapshot that says so after one that does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end_requested: bool,
    /// Why it ends, where the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The values before the change, where the provider states them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_attributes: Option<Box<PreviousAttributes>>,
}
