//! What the record keeps of subscriptions, and how snapshots change it.

use crate::ids::ObjectId;
use crate::money::Currency;
use crate::subscription::snapshot_order;
use crate::subscription::terms::{SubscriptionSnapshot, SubscriptionTerms};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A customer's subscriptions by id.
pub type Subscriptions = BTreeMap<ObjectId, Subscription>;

/// A subscription, as its latest snapshot shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// When it began.
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
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When a snapshot first showed it running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// The time of the snapshot that these terms come from.
    pub as_of: Timestamp,
    /// Whether several snapshots have the time `as_of` and nothing says which came last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
}

impl Subscription {
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
    let running = snapshot.terms.status.is_running().then_some(at);
    let next = Subscription {
        started_at: snapshot.started_at,
        currency: snapshot
            .currency
            .or(current.and_then(|current| current.currency)),
        terms: snapshot.terms.clone(),
        canceled_at: end_requested_at(current, snapshot, at),
        ended_at: snapshot.ended_at,
        activated_at: activated_before.or(running),
        as_of: at,
        ambiguous,
    };
    subscriptions.insert(snapshot.id.clone(), next);
}

/// When somebody asked to end a subscription. A provider may say only that it was asked. Then it is
/// the time of the first snapshot that says so after one that does not. It is unknown when no
/// earlier snapshot exists.
fn end_requested_at(
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
