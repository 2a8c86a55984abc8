//! A subscription as it stands: the part of a customer's state that subscription snapshots change.

use crate::ids::ObjectId;
use crate::money::Currency;
use crate::subscription::snapshot_order;
use crate::subscription::terms::{SubscriptionSnapshot, SubscriptionTerms};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A customer's subscriptions by id.
pub type Subscriptions = BTreeMap<ObjectId, Subscription>;

/// A subscription as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// When it began.
    pub started_at: Timestamp,
    /// What it is billed in, once an event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Status, items, period, trial, cancel and pause.
    #[serde(flatten)]
    pub terms: SubscriptionTerms,
    /// When its end was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When it was first seen running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// The instant of the statement these terms come from.
    pub as_of: Timestamp,
    /// Statements of one instant contradict each other and nothing says which came last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
}

impl Subscription {
    /// When it ended, or is set to end.
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

/// Applies what snapshots of one instant say, in the order in which they most likely happened.
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

/// When the end of a subscription was asked for. Where nobody says, it is when a running one is
/// first seen to end; of one that was never seen otherwise nobody knows.
fn end_requested_at(
    known: Option<&Subscription>,
    seen: &SubscriptionSnapshot,
    at: Timestamp,
) -> Option<Timestamp> {
    if seen.canceled_at.is_some() || !seen.end_requested {
        return seen.canceled_at;
    }
    let known = known?;
    if known.terms.is_ending() {
        known.canceled_at
    } else {
        Some(at)
    }
}
