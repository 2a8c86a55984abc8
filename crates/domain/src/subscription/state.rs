//! What the record keeps of subscriptions, and how snapshots change it.

use crate::ids::ObjectId;
use crate::money::Currency;
use crate::subscription::removed_items::{self, RemovedItem};
use crate::subscription::snapshot_order;
use crate::subscription::terms::{
    EndReason, SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A customer's subscriptions by id.
pub type Subscriptions = BTreeMap<ObjectId, Subscription>;

/// A subscription, as its latest snapshot shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// When it began: the earliest that was told, since some events tell only their own time.
    pub started_at: Timestamp,
    /// The currency it is billed in, once an event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Status, items, period, trial, cancel and pause.
    #[serde(flatten)]
    pub terms: SubscriptionTerms,
    /// When somebody asked to end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<Timestamp>,
    /// How often its end was asked for, so that a request is known by its number. Its time may
    /// move with each further event about it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub end_requests: u32,
    /// Why it ends or ended, where the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When a snapshot first showed that it had begun: running, or what follows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// Whether a snapshot showed it before its first payment. Such a one begins when it first
    /// runs, whatever start it names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub began_incomplete: bool,
    /// Since when it has been [interrupted](SubscriptionTerms::interruption) in the way it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted_at: Option<Timestamp>,
    /// Items that were removed before the end of the period that was paid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_items: Vec<RemovedItem>,
    /// The time of the snapshot that these terms come from.
    pub as_of: Timestamp,
    /// Whether several snapshots have the time `as_of` and nothing says which came last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
}

impl Subscription {
    /// Whether this moment belongs to its checkout. Where a snapshot showed it before its first
    /// payment, that lasts until it begins. Else only the start that it names is known, and the
    /// checkout counts as a day.
    pub fn is_checkout(&self, moment: Timestamp) -> bool {
        let began_at = if self.began_incomplete {
            self.activated_at
        } else {
            self.started_at.checked_add(CHECKOUT_WINDOW).ok()
        };
        moment < began_at.unwrap_or(Timestamp::MAX)
    }

    /// Whether it had begun by this moment, so that there is a contract to end.
    pub fn has_begun(&self, moment: Timestamp) -> bool {
        self.activated_at.is_some() || !self.is_checkout(moment)
    }

    /// When it ended or is set to end.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let with_period = self
            .terms
            .period
            .filter(|_| self.terms.cancel_at_period_end);
        self.ended_at
            .or(self.terms.cancel_at)
            .or(with_period.map(|period| period.end))
    }
}

/// Applies snapshots of one instant, in the order in which they most likely happened.
pub(crate) fn apply_snapshots(
    subscriptions: &mut Subscriptions,
    snapshots: &[&SubscriptionSnapshot],
    at: Timestamp,
) {
    let mut ids: Vec<&ObjectId> = snapshots.iter().map(|snapshot| &snapshot.id).collect();
    ids.sort();
    ids.dedup();
    for id in ids {
        let of_one: Vec<_> = snapshots
            .iter()
            .copied()
            .filter(|snapshot| snapshot.id == *id)
            .collect();
        let before = subscriptions.get(id).map(|current| &current.terms);
        let (ordered, ambiguous) = snapshot_order::infer_order(before, of_one);
        for snapshot in ordered {
            apply_snapshot(subscriptions, snapshot, at, ambiguous);
        }
    }
}

fn apply_snapshot(
    subscriptions: &mut Subscriptions,
    snapshot: &SubscriptionSnapshot,
    at: Timestamp,
    ambiguous: bool,
) {
    let current = subscriptions.get(&snapshot.id);
    if current.is_some_and(|current| current.terms.status.is_final()) {
        return;
    }
    let activated_before = current.and_then(|current| current.activated_at);
    let request = EndRequest::after(current, snapshot, at);
    let started_before = current.map_or(snapshot.started_at, |current| current.started_at);
    let (incomplete, begun) = match snapshot.terms.status {
        SubscriptionStatus::Incomplete | SubscriptionStatus::IncompleteExpired => (true, None),
        SubscriptionStatus::Trialing
        | SubscriptionStatus::Active
        | SubscriptionStatus::PastDue
        | SubscriptionStatus::Unpaid
        | SubscriptionStatus::Paused => (false, Some(at)),
        // Nobody says whether it had begun before.
        SubscriptionStatus::Canceled => (false, None),
    };
    let terms = snapshot
        .terms
        .clone()
        .with_known_items(current.map(|current| &current.terms));
    let next = Subscription {
        started_at: snapshot.started_at.min(started_before),
        currency: snapshot
            .currency
            .or(current.and_then(|current| current.currency)),
        interrupted_at: interrupted_at(current, &terms, at),
        removed_items: current.map_or_else(Vec::new, |current| {
            removed_items::after_change(&current.removed_items, &current.terms, &terms, at)
        }),
        terms,
        canceled_at: request.at,
        end_requests: request.number,
        end_reason: snapshot.end_reason,
        ended_at: snapshot.ended_at,
        activated_at: activated_before.or(begun),
        began_incomplete: incomplete || current.is_some_and(|current| current.began_incomplete),
        as_of: at,
        ambiguous,
    };
    subscriptions.insert(snapshot.id.clone(), next);
}

/// Since when it is interrupted in the way that these terms say: a subscription that goes from past
/// due to unpaid has been so since the first failure.
fn interrupted_at(
    current: Option<&Subscription>,
    terms: &SubscriptionTerms,
    at: Timestamp,
) -> Option<Timestamp> {
    let interruption = terms.interruption()?;
    let before = current.filter(|current| current.terms.interruption() == Some(interruption));
    before.and_then(|before| before.interrupted_at).or(Some(at))
}

/// The last request to end a subscription.
struct EndRequest {
    /// When it was made, if somebody made one.
    at: Option<Timestamp>,
    /// How many there were so far.
    number: u32,
}

impl EndRequest {
    /// The request as this snapshot leaves it. One that stands goes on until it is withdrawn: what
    /// else is told of it meanwhile, with another time or not, is the same request.
    fn after(
        current: Option<&Subscription>,
        snapshot: &SubscriptionSnapshot,
        at: Timestamp,
    ) -> Self {
        let number = current.map_or(0, |current| current.end_requests);
        let Some(told) = told_request(current, snapshot, at) else {
            return Self { at: None, number };
        };
        match current.and_then(|current| current.standing_request(snapshot)) {
            Some(standing) => Self {
                at: Some(standing),
                number,
            },
            None if told <= snapshot.started_at => Self {
                at: Some(told),
                number,
            },
            None => Self {
                at: Some(told),
                number: number.saturating_add(1),
            },
        }
    }
}

impl Subscription {
    /// When the request was made that still stands with this snapshot. An end that was agreed at
    /// the start is no request; it stands as long as that end is the one that is set.
    fn standing_request(&self, snapshot: &SubscriptionSnapshot) -> Option<Timestamp> {
        let canceled_at = self.canceled_at.filter(|_| self.terms.is_ending())?;
        let (before, after) = (&self.terms, &snapshot.terms);
        let as_agreed = if after.status.is_final() {
            before.cancel_at.is_some() && snapshot.ended_at >= before.cancel_at
        } else {
            (before.cancel_at, before.cancel_at_period_end)
                == (after.cancel_at, after.cancel_at_period_end)
        };
        (canceled_at > self.started_at || as_agreed).then_some(canceled_at)
    }
}

/// The time of a request by the snapshot alone. A provider may say only that there was one. Then it
/// is the time of the first snapshot that says so after one that does not. It is unknown when no
/// earlier snapshot exists.
fn told_request(
    current: Option<&Subscription>,
    snapshot: &SubscriptionSnapshot,
    at: Timestamp,
) -> Option<Timestamp> {
    if snapshot.canceled_at.is_some() || !snapshot.end_requested {
        return snapshot.canceled_at;
    }
    let current = current?;
    if current.terms.is_ending() {
        current.canceled_at
    } else {
        Some(at)
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How long a checkout may take; providers give up a first payment within a day.
const CHECKOUT_WINDOW: SignedDuration = SignedDuration::from_hours(24);
