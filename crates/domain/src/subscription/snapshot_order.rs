//! The order of several snapshots of one subscription that have the same time. The clock does not
//! order them; what the provider says of each change does.

use crate::ids::PriceId;
use crate::subscription::terms::{
    PreviousAttributes, PreviousValue, SubscriptionSnapshot, SubscriptionTerms,
};
use std::collections::{BTreeMap, BTreeSet};

/// With more snapshots of one instant than this, only an unbroken chain of changes gives their
/// order; without one, rank and id do.
const MAX_SNAPSHOTS: usize = 10;

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
    if let Some(chain) = only_chain(before, &snapshots) {
        return (chain, false);
    }
    if snapshots.len() > MAX_SNAPSHOTS {
        return (snapshots, true);
    }
    let mut search = OrderSearch {
        before,
        snapshots: &snapshots,
        found: BTreeMap::new(),
    };
    let mut remaining: Vec<usize> = (0..snapshots.len()).collect();
    let best = search.best_order(None, &remaining);
    let ends: Vec<_> = best.ends.iter().filter_map(|n| snapshots.get(*n)).collect();
    let ambiguous = ends
        .iter()
        .any(|end| Some(&end.terms) != ends.first().map(|first| &first.terms));
    let mut order = Vec::with_capacity(snapshots.len());
    let mut last = None;
    while let Some(next) = search.best_order(last, &remaining).next {
        order.extend(snapshots.get(next));
        remaining.retain(|other| *other != next);
        last = Some(next);
    }
    (order, ambiguous)
}

/// The order in which every change follows exactly from the one before it, if there is only one.
fn only_chain<'a>(
    before: Option<&SubscriptionTerms>,
    snapshots: &[&'a SubscriptionSnapshot],
) -> Option<Vec<&'a SubscriptionSnapshot>> {
    let mut remaining = snapshots.to_vec();
    let mut chain: Vec<&SubscriptionSnapshot> = Vec::with_capacity(snapshots.len());
    while !remaining.is_empty() {
        let from = chain.last().map(|last| &last.terms).or(before);
        let all = remaining.iter().enumerate();
        let mut fitting = all.filter(|(_, next)| change_score(from, next) == COMPARED_FIELDS);
        let (only, _) = fitting.next()?;
        if fitting.next().is_some() {
            return None;
        }
        chain.push(remaining.remove(only));
    }
    Some(chain)
}

/// A search for the order with the highest score, by places in the list. Of several with the same
/// score it is the nearest to the order by rank and id.
struct OrderSearch<'a> {
    before: Option<&'a SubscriptionTerms>,
    snapshots: &'a [&'a SubscriptionSnapshot],
    /// For the last one placed and those that remain.
    found: BTreeMap<(Option<usize>, Vec<usize>), BestOrder>,
}

/// The best order of what remains.
#[derive(Clone, Default)]
struct BestOrder {
    score: usize,
    next: Option<usize>,
    /// What comes last in it, and in others of the same score.
    ends: BTreeSet<usize>,
}

impl OrderSearch<'_> {
    fn best_order(&mut self, last: Option<usize>, remaining: &[usize]) -> BestOrder {
        let key = (last, remaining.to_vec());
        if let Some(found) = self.found.get(&key) {
            return found.clone();
        }
        let mut best = BestOrder {
            ends: last.filter(|_| remaining.is_empty()).into_iter().collect(),
            ..BestOrder::default()
        };
        for next in remaining {
            let others: Vec<usize> = remaining.iter().copied().filter(|n| n != next).collect();
            let rest = self.best_order(Some(*next), &others);
            let score = self.score(last, *next).saturating_add(rest.score);
            if best.next.is_none() || score > best.score {
                best = BestOrder {
                    score,
                    next: Some(*next),
                    ends: rest.ends,
                };
            } else if score == best.score {
                best.ends.extend(rest.ends);
            }
        }
        self.found.insert(key, best.clone());
        best
    }

    fn score(&self, last: Option<usize>, next: usize) -> usize {
        let last = last.and_then(|last| self.snapshots.get(last));
        let from = last.map(|last| &last.terms).or(self.before);
        let next = self.snapshots.get(next);
        next.map_or(0, |next| change_score(from, next))
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
