//! The order of several snapshots of one subscription that have the same time. The clock does not
//! order them; what the provider says of each change does.

use crate::ids::PriceId;
use crate::subscription::terms::{
    PreviousAttributes, PreviousValue, SubscriptionSnapshot, SubscriptionTerms,
};

/// With more snapshots of one instant than this, rank and id alone decide their order.
const MAX_SNAPSHOTS: usize = 6;

/// Puts snapshots of one instant in the order in which they most likely happened. `snapshots` come
/// sorted by rank, then id; `before` are the terms before that instant.
///
/// The flag says that the order is ambiguous: several orders fit equally well and end in different
/// terms, or there are too many snapshots to compare.
pub fn infer_order<'a>(
    before: Option<&SubscriptionTerms>,
    snapshots: Vec<&'a SubscriptionSnapshot>,
) -> (Vec<&'a SubscriptionSnapshot>, bool) {
    if snapshots.len() < 2 {
        return (snapshots, false);
    }
    if snapshots.len() > MAX_SNAPSHOTS {
        return (snapshots, true);
    }
    let mut search = OrderSearch {
        best: 0,
        orders: Vec::new(),
    };
    search.extend(before, &mut Vec::new(), &snapshots, 0);
    let last =
        |order: &Vec<&SubscriptionSnapshot>| order.last().map(|snapshot| snapshot.terms.clone());
    let ends: Vec<_> = search.orders.iter().map(last).collect();
    let ambiguous = ends.iter().any(|end| Some(end) != ends.first());
    (
        search.orders.into_iter().next().unwrap_or(snapshots),
        ambiguous,
    )
}

/// A search for the orders with the highest score. The first one found is the nearest to the
/// order by rank and id.
struct OrderSearch<'a> {
    best: usize,
    orders: Vec<Vec<&'a SubscriptionSnapshot>>,
}

impl<'a> OrderSearch<'a> {
    fn extend(
        &mut self,
        from: Option<&SubscriptionTerms>,
        order: &mut Vec<&'a SubscriptionSnapshot>,
        remaining: &[&'a SubscriptionSnapshot],
        score: usize,
    ) {
        if remaining.is_empty() {
            if score > self.best || self.orders.is_empty() {
                self.best = score;
                self.orders.clear();
            }
            if score == self.best {
                self.orders.push(order.clone());
            }
            return;
        }
        for (index, next) in remaining.iter().copied().enumerate() {
            let gained = change_score(from, next);
            let mut others = remaining.to_vec();
            others.remove(index);
            order.push(next);
            self.extend(
                Some(&next.terms),
                order,
                &others,
                score.saturating_add(gained),
            );
            order.pop();
        }
    }
}

/// How well the snapshot `next` follows these terms: the number of fields that agree. A field
/// that the provider says changed must have had its previous value; any other field must have its
/// value in `next`. Nothing follows an end, and no subscription begins with its end.
fn change_score(from: Option<&SubscriptionTerms>, next: &SubscriptionSnapshot) -> usize {
    let ends = next.terms.status.is_final();
    match (from, next.previous_attributes.as_deref()) {
        (Some(terms), _) if terms.status.is_final() => 0,
        (None, None) if ends => 0,
        (None, None) => COMPARED_FIELDS,
        (None, Some(_)) => 0,
        (Some(_), None) if ends => COMPARED_FIELDS,
        (Some(terms), None) => terms.matching_fields(&PreviousAttributes::default(), &next.terms),
        (Some(terms), Some(before)) => terms.matching_fields(before, &next.terms),
    }
}

/// How many fields [`SubscriptionTerms::matching_fields`] compares.
const COMPARED_FIELDS: usize = 7;

impl SubscriptionTerms {
    fn matching_fields(&self, before: &PreviousAttributes, after: &Self) -> usize {
        let previous =
            |value: Option<_>| value.map_or(PreviousValue::Absent, PreviousValue::Present);
        let end = |terms: &Self| terms.period.map(|period| period.end);
        let trial = |terms: &Self| previous(terms.trial.map(|trial| trial.end));
        let agreed: [bool; COMPARED_FIELDS] = [
            self.status == before.status.unwrap_or(after.status),
            self.sold_items() == before.items.clone().unwrap_or_else(|| after.sold_items()),
            end(self) == before.period_end.or_else(|| end(after)),
            previous(self.cancel_at) == before.cancel_at.unwrap_or(previous(after.cancel_at)),
            self.cancel_at_period_end
                == before
                    .cancel_at_period_end
                    .unwrap_or(after.cancel_at_period_end),
            trial(self) == before.trial_end.unwrap_or_else(|| trial(after)),
            self.pause.is_some() == before.paused.unwrap_or(after.pause.is_some()),
        ];
        agreed.iter().filter(|agreed| **agreed).count()
    }

    fn sold_items(&self) -> Vec<(PriceId, Option<u64>)> {
        let mut sold: Vec<_> = self
            .items
            .iter()
            .map(|item| (item.price.clone(), item.quantity))
            .collect();
        sold.sort();
        sold
    }
}
