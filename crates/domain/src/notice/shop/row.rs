//! One row of what the shop is told.

use crate::digest::hash_of;
use crate::ids::CustomerKey;
use crate::notice::shop::content::ShopNoticeContent;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a row tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ShopNoticeKind {
    /// A subscription began.
    #[serde(rename = "subscription.started")]
    SubscriptionStarted,
    /// Its items, its status or its date of end are others than before.
    #[serde(rename = "subscription.changed")]
    SubscriptionChanged,
    /// It is set to end.
    #[serde(rename = "subscription.ending")]
    SubscriptionEnding,
    /// It is paused, or nothing is collected for it.
    #[serde(rename = "subscription.paused")]
    SubscriptionPaused,
    /// Its pause is over.
    #[serde(rename = "subscription.resumed")]
    SubscriptionResumed,
    /// It ended.
    #[serde(rename = "subscription.ended")]
    SubscriptionEnded,
    /// Money arrived.
    #[serde(rename = "payment.received")]
    PaymentReceived,
    /// An invoice could not be collected, or money that had arrived was taken back.
    #[serde(rename = "payment.failed")]
    PaymentFailed,
    /// An invoice that had failed is paid.
    #[serde(rename = "payment.recovered")]
    PaymentRecovered,
    /// More or less of a payment was refunded than before.
    #[serde(rename = "payment.refunded")]
    PaymentRefunded,
    /// A dispute of a payment was opened, or came to another state.
    #[serde(rename = "payment.disputed")]
    PaymentDisputed,
    /// What the customer may use may be another than before.
    #[serde(rename = "customer.access_changed")]
    AccessChanged,
    /// A partner's referral counts for the customer, or no longer does.
    #[serde(rename = "referral.attributed")]
    ReferralAttributed,
    /// An event can't be read, or not all of it.
    #[serde(rename = "event.quarantined")]
    EventQuarantined,
}

impl ShopNoticeKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::SubscriptionStarted,
        Self::SubscriptionChanged,
        Self::SubscriptionEnding,
        Self::SubscriptionPaused,
        Self::SubscriptionResumed,
        Self::SubscriptionEnded,
        Self::PaymentReceived,
        Self::PaymentFailed,
        Self::PaymentRecovered,
        Self::PaymentRefunded,
        Self::PaymentDisputed,
        Self::AccessChanged,
        Self::ReferralAttributed,
        Self::EventQuarantined,
    ];

    /// The name, which is the notice's `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubscriptionStarted => "subscription.started",
            Self::SubscriptionChanged => "subscription.changed",
            Self::SubscriptionEnding => "subscription.ending",
            Self::SubscriptionPaused => "subscription.paused",
            Self::SubscriptionResumed => "subscription.resumed",
            Self::SubscriptionEnded => "subscription.ended",
            Self::PaymentReceived => "payment.received",
            Self::PaymentFailed => "payment.failed",
            Self::PaymentRecovered => "payment.recovered",
            Self::PaymentRefunded => "payment.refunded",
            Self::PaymentDisputed => "payment.disputed",
            Self::AccessChanged => "customer.access_changed",
            Self::ReferralAttributed => "referral.attributed",
            Self::EventQuarantined => "event.quarantined",
        }
    }
}

/// One row of what the shop is told. Its key is made of customer, kind, `at` and cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopNoticeRow {
    /// The customer it is about.
    pub customer: CustomerKey,
    /// What it tells of.
    pub kind: ShopNoticeKind,
    /// What it is about, in business terms: an object's id, and what is told of it.
    pub cause: Arc<str>,
    /// When that happened, by the sender's clock.
    pub at: Timestamp,
    /// The number of the record's write that decided it. Of two rows about one customer, that with
    /// the higher number knows more.
    pub sequence: u64,
    /// When it was decided, by our clock.
    pub decided_at: Timestamp,
    /// How many more things this write of the record had to tell, where those were too many to be
    /// told each.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub untold: u32,
    /// The object it is about, as it stood then.
    pub content: ShopNoticeContent,
}

/// How long after it happened something is still told. Providers deliver up to three days late.
/// What is older makes no row: an old shop's first day and a replay tell nothing of long ago.
pub const SHOP_NOTICE_WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many rows one write of a record decides at most.
pub const MAX_SHOP_ROWS: usize = 32;

impl ShopNoticeRow {
    /// Whether what happened at this moment is still told. What lies ahead is: then the sender's
    /// clock is ahead of ours.
    pub fn is_timely(at: Timestamp, now: Timestamp) -> bool {
        now.duration_since(at) < SHOP_NOTICE_WINDOW
    }
}

/// A cause: an object's id, and a hash of what is told of it.
pub(super) fn cause(object: &str, told: &[&str]) -> Arc<str> {
    match told {
        [] => object.into(),
        told => format!("{object}@{:032x}", hash_of(told)).into(),
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
