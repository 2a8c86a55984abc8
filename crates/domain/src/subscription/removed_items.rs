//! Items that were taken off a running subscription, and until when they were paid.

use crate::ids::PriceId;
use crate::subscription::terms::{SubscriptionItem, SubscriptionTerms};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many removed items a subscription remembers: those that were paid the longest.
pub const MAX_REMOVED_ITEMS: usize = 8;

/// An item that was removed before the end of the period that was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedItem {
    /// The provider's id of its price.
    pub price: PriceId,
    /// How many were sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// The end of the period that was paid, exclusive.
    pub until: Timestamp,
}

/// The removed items after a change at this moment, from those `known` and the terms of before. An
/// item that came back, under whatever id, is not removed. Nothing is left of what ended.
pub(crate) fn after_change(
    known: &[RemovedItem],
    before: &SubscriptionTerms,
    after: &SubscriptionTerms,
    at: Timestamp,
) -> Vec<RemovedItem> {
    if after.status.is_final() {
        return Vec::new();
    }
    let is_there = |price: &PriceId| after.items.iter().any(|item| item.price == *price);
    let is_gone = |item: &&SubscriptionItem| {
        let same_id = after.items.iter().any(|other| other.id == item.id);
        !same_id && !item.metered && !is_there(&item.price)
    };
    let paid = before.items.iter().filter(|_| before.status.is_running());
    let gone = paid.filter(is_gone).filter_map(|item| {
        let period = item.period.or(before.period)?;
        Some(RemovedItem {
            price: item.price.clone(),
            quantity: item.quantity,
            until: period.end,
        })
    });
    let still = known.iter().filter(|item| !is_there(&item.price)).cloned();
    let mut removed: Vec<RemovedItem> = still.chain(gone).filter(|item| item.until > at).collect();
    removed.sort_by(|a, b| (a.until, &a.price).cmp(&(b.until, &b.price)));
    let excess = removed.len().saturating_sub(MAX_REMOVED_ITEMS);
    removed.drain(..excess);
    removed
}
