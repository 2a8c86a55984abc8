//! Statements of one subscription at one instant: what the provider says of each change tells
//! which came first, since its clock does not.

use crate::ids::PriceId;
use crate::subscription::terms::{
    PreviousAttributes, PreviousValue, SubscriptionSnapshot, SubscriptionTerms,
};

/// Beyond this many statements of one instant, rank and id alone decide.
const MAX_SNAPSHOTS: usize = 6;

/// Puts statements of one instant (given by rank, then id) in the order in which they most
/// likely happened, starting from the terms before that instant. The flag says that several
/// orders fit equally well and end differently.
pub fn infer_order<'a>(
    before: Option<&SubscriptionTerms>,
    statements: Vec<&'a SubscriptionSnapshot>,
) -> (Vec<&'a SubscriptionSnapshot>, bool) {
    if statements.len() < 2 {
        return (statements, false);
    }
    if statements.len() > MAX_SNAPSHOTS {
        return (statements, true);
    }
    let mut search = OrderSearch {
        best: 0,
        orders: Vec::new(),
    };
    search.extend(before, &mut Vec::new(), &statements, 0);
    let last = |order: &Vec<&SubscriptionSnapshot>| order.last().map(|seen| seen.terms.clone());
    let ends: Vec<_> = search.orders.iter().map(last).collect();
    let ambiguous = ends.iter().any(|end| Some(end) != ends.first());
    (
        search.orders.into_iter().next().unwrap_or(statements),
        ambiguous,
    )
}

/// The orders in which the most changes start from where the one before ended. The first found
/// is the one nearest to rank and id.
struct OrderSearch<'a> {
    best: usize,
    orders: Vec<Vec<&'a SubscriptionSnapshot>>,
}

impl<'a> OrderSearch<'a> {
    fn extend(
        &mut self,
        from: Option<&SubscriptionTerms>,
        order: &mut Vec<&'a SubscriptionSnapshot>,
        rest: &[&'a SubscriptionSnapshot],
        fitting: usize,
    ) {
        if rest.is_empty() {
            if fitting > self.best || self.orders.is_empty() {
                self.best = fitting;
                self.orders.clear();
            }
            if fitting == self.best {
                self.orders.push(order.clone());
            }
            return;
        }
        for (index, next) in rest.iter().copied().enumerate() {
            let fits = change_score(from, next);
            let mut others = rest.to_vec();
            others.remove(index);
            order.push(next);
            self.extend(
                Some(&next.terms),
                order,
                &others,
                fitting.saturating_add(fits),
            );
            order.pop();
        }
    }
}

/// How well a statement's change starts from these terms, in fields that agree: one that the
/// provider says changed must have been what it says, any other must be what it still is. Nothing
/// follows an end, and none begins with it.
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

/// How many fields [`Terms::agreement`] compares.
const COMPARED_FIELDS: usize = 7;

impl SubscriptionTerms {
    fn matching_fields(&self, before: &PreviousAttributes, after: &Self) -> usize {
        let known = |value: Option<_>| value.map_or(PreviousValue::Absent, PreviousValue::Present);
        let end = |terms: &Self| terms.period.map(|period| period.end);
        let trial = |terms: &Self| known(terms.trial.map(|trial| trial.end));
        let agreed: [bool; COMPARED_FIELDS] = [
            self.status == before.status.unwrap_or(after.status),
            self.sold_items() == before.items.clone().unwrap_or_else(|| after.sold_items()),
            end(self) == before.period_end.or_else(|| end(after)),
            known(self.cancel_at) == before.cancel_at.unwrap_or(known(after.cancel_at)),
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
