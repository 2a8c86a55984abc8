//! The object that a row is about, as it stood when the row was decided. Its JSON is stable: times
//! are RFC 3339 in UTC, amounts integer minor units, and what is absent is left out.

use crate::entitlement::basis::AccessBasis;
use crate::ids::{EventId, ObjectId, PartnerId, PriceId};
use crate::money::Money;
use crate::payment::payments::Payment;
use crate::payment::snapshot::{DisputeState, InvoiceState, PurchasedPrice};
use crate::subscription::state::Subscription;
use crate::subscription::terms::{EndReason, SubscriptionStatus};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopNoticeContent {
    /// A subscription.
    Subscription(Box<SubscriptionContent>),
    /// A payment.
    Payment(Box<PaymentContent>),
    /// An invoice that failed.
    Invoice(Box<InvoiceContent>),
    /// The referral that counts; `null` when none does any more.
    Referral(Option<ReferralContent>),
    /// An event that can't be read.
    Event(Box<EventContent>),
    /// What decides what the customer may use. What that is, the catalog says when it is told.
    Access(Box<AccessContent>),
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionContent {
    /// The provider's id.
    pub id: ObjectId,
    /// Its status.
    pub status: SubscriptionStatus,
    /// The plan, add-ons and metered items: at most [`MAX_ITEMS`].
    pub items: Vec<ItemContent>,
    /// Whether there are items that are not among them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub items_partial: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// The end of its trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<Timestamp>,
    /// The end of its billing period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_period_end: Option<Timestamp>,
    /// When it is set to end, or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Why, where the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether it, or its collection, is paused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// When collection resumes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<Timestamp>,
    /// What it was before, of a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousSubscription>,
}

/// One item of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemContent {
    /// The provider's id of its price.
    pub price: PriceId,
    /// How many are sold. Left out when usage decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
}

/// A subscription before a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSubscription {
    /// Its status.
    pub status: SubscriptionStatus,
    /// Its items, as far as they are shown.
    pub items: Vec<ItemContent>,
    /// When it was set to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentContent {
    /// The first there is of its intent, charge, invoice and session id.
    pub id: ObjectId,
    /// All its ids. What was told before under one of them is this payment.
    pub ids: Vec<ObjectId>,
    /// The amount that arrived, tax included. Zero when it was taken back.
    #[serde(flatten)]
    pub paid: Money,
    /// What was refunded, in minor units.
    pub refunded_minor: i64,
    /// What disputes hold or have taken, in minor units.
    pub disputed_minor: i64,
    /// When the money arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// The subscription it pays for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
    /// What was bought once with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchased: Vec<PurchasedPrice>,
    /// The dispute that the notice is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispute: Option<DisputeContent>,
}

/// A dispute of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeContent {
    /// The provider's id.
    pub id: ObjectId,
    /// How it stands.
    pub state: DisputeState,
}

/// An invoice that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceContent {
    /// The provider's id.
    pub id: ObjectId,
    /// Its state.
    pub state: InvoiceState,
    /// The amount to be collected.
    #[serde(flatten)]
    pub due: Money,
    /// When it first failed.
    pub failed_at: Timestamp,
    /// The number of attempts to collect it.
    pub attempts: u32,
    /// When the provider tries again, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// When it was paid, or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// The subscription that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
}

/// The referral that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralContent {
    /// The partner.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner sent the customer.
    pub referred_at: Timestamp,
}

/// An event that can't be read, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventContent {
    /// Its id.
    pub id: EventId,
    /// The sender's name for this type of event.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    /// What of it can't be read.
    pub unclear: Vec<Arc<str>>,
}

/// What decides what a customer may use, before and after. Absent where there is too much of it to
/// be kept: then the notice says that something changed, and the shop asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessContent {
    /// Before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<AccessBasis>,
    /// After.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AccessBasis>,
}

/// How many items of a subscription a row shows.
pub const MAX_ITEMS: usize = 20;

impl SubscriptionContent {
    pub(super) fn new(id: &ObjectId, now: &Subscription, before: Option<&Subscription>) -> Self {
        let terms = &now.terms;
        Self {
            id: id.clone(),
            status: terms.status,
            items: items(now),
            items_partial: terms.items_partial || terms.items.len() > MAX_ITEMS,
            started_at: now.started_at,
            trial_end: terms.trial.map(|trial| trial.end),
            current_period_end: terms.period.map(|period| period.end),
            ends_at: now.ends_at(),
            end_reason: now.end_reason,
            ended_at: now.ended_at,
            paused: terms.is_paused(),
            resumes_at: terms.pause.as_ref().and_then(|pause| pause.resumes_at),
            previous: before.map(|before| PreviousSubscription {
                status: before.terms.status,
                items: items(before),
                ends_at: before.ends_at(),
            }),
        }
    }
}

/// The items of a subscription, sorted.
fn items(subscription: &Subscription) -> Vec<ItemContent> {
    let items = subscription.terms.items.iter();
    let mut items: Vec<ItemContent> = items
        .map(|item| ItemContent {
            price: item.price.clone(),
            quantity: item.quantity,
        })
        .collect();
    items.sort();
    items.truncate(MAX_ITEMS);
    items
}

impl PaymentContent {
    /// Of a payment of which the money arrived. `None` for any other.
    pub(super) fn new(payment: &Payment) -> Option<Self> {
        Some(Self {
            id: payment.id()?.clone(),
            ids: payment.ids.iter().cloned().collect(),
            paid: payment.paid()?,
            refunded_minor: payment.refunded_minor(),
            disputed_minor: payment.disputed_minor(),
            paid_at: payment.paid_at(),
            subscription: payment.subscription().cloned(),
            purchased: payment.purchased(),
            dispute: None,
        })
    }
}
