//! Old subscriptions leave the record, because it must stay well below the table's 400 KB.

use crate::ids::ObjectId;
use crate::subscription::state::{Subscription, Subscriptions};
use jiff::Timestamp;

/// How many ended subscriptions stay in the record: the latest ones.
pub const ENDED_SUBSCRIPTIONS: usize = 24;

/// How much room subscriptions take in the record, in bytes, roughly. Those of which we heard last
/// longest ago leave it first; where ended ones do not make room enough, running ones leave too.
pub const MAX_SUBSCRIPTION_BYTES: usize = 160 * 1024;

/// Removes old subscriptions. Returns how many, and whether more than the ended ones beyond
/// [`ENDED_SUBSCRIPTIONS`] had to leave to make room.
pub(crate) fn close_old(subscriptions: &mut Subscriptions) -> (u32, bool) {
    let ended = |subscription: &Subscription| subscription.terms.status.is_final();
    let number_ended = subscriptions.values().filter(|s| ended(s)).count();
    let mut bytes = subscriptions
        .iter()
        .map(weight)
        .fold(0, usize::saturating_add);
    if number_ended <= ENDED_SUBSCRIPTIONS && bytes <= MAX_SUBSCRIPTION_BYTES {
        return (0, false);
    }
    let mut order: Vec<(bool, Timestamp, ObjectId)> = subscriptions
        .iter()
        .map(|(id, subscription)| {
            (
                !ended(subscription),
                last_heard_at(subscription),
                id.clone(),
            )
        })
        .collect();
    order.sort();
    let excess = number_ended.saturating_sub(ENDED_SUBSCRIPTIONS);
    let mut closed = 0_u32;
    for (place, (_, _, id)) in order.into_iter().enumerate() {
        if place >= excess && bytes <= MAX_SUBSCRIPTION_BYTES {
            break;
        }
        if let Some(subscription) = subscriptions.remove(&id) {
            bytes = bytes.saturating_sub(weight((&id, &subscription)));
            closed = closed.saturating_add(1);
        }
    }
    let crowded = usize::try_from(closed).is_ok_and(|closed| closed > excess);
    (closed, crowded)
}

fn last_heard_at(subscription: &Subscription) -> Timestamp {
    subscription.ended_at.unwrap_or(subscription.as_of)
}

/// What a subscription takes in the table, in bytes, roughly.
fn weight((id, subscription): (&ObjectId, &Subscription)) -> usize {
    let items = subscription.terms.items.iter();
    let items = items.map(|item| {
        let names = item
            .id
            .as_str()
            .len()
            .saturating_add(item.price.as_str().len());
        names.saturating_add(ITEM_BYTES)
    });
    let removed = subscription.removed_items.iter();
    let removed = removed.map(|item| item.price.as_str().len().saturating_add(REMOVED_BYTES));
    let names = id.as_str().len();
    let items = items.chain(removed);
    items.fold(names.saturating_add(TERMS_BYTES), usize::saturating_add)
}

const TERMS_BYTES: usize = 400;
const ITEM_BYTES: usize = 120;
const REMOVED_BYTES: usize = 60;
