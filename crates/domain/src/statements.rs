//! Statements of one subscription at one instant: what the provider says of each change tells
//! which came first, since its clock does not.

use crate::ids::PriceId;
use crate::terms::{Before, Known, SubscriptionSeen, Terms};

/// Beyond this many statements of one instant, rank and id alone decide.
const MOST: usize = 6;

/// Puts statements of one instant (given by rank, then id) in the order in which they most
/// likely happened, starting from the terms before that instant. The flag says that several
/// orders fit equally well and end differently.
pub fn settle<'a>(
    before: Option<&Terms>,
    statements: Vec<&'a SubscriptionSeen>,
) -> (Vec<&'a SubscriptionSeen>, bool) {
    if statements.len() < 2 {
        return (statements, false);
    }
    if statements.len() > MOST {
        return (statements, true);
    }
    let mut search = Search {
        best: 0,
        orders: Vec::new(),
    };
    search.extend(before, &mut Vec::new(), &statements, 0);
    let last = |order: &Vec<&SubscriptionSeen>| order.last().map(|seen| seen.terms.clone());
    let ends: Vec<_> = search.orders.iter().map(last).collect();
    let ambiguous = ends.iter().any(|end| Some(end) != ends.first());
    (
        search.orders.into_iter().next().unwrap_or(statements),
        ambiguous,
    )
}

/// The orders in which the most changes start from where the one before ended. The first found
/// is the one nearest to rank and id.
struct Search<'a> {
    best: usize,
    orders: Vec<Vec<&'a SubscriptionSeen>>,
}

impl<'a> Search<'a> {
    fn extend(
        &mut self,
        from: Option<&Terms>,
        order: &mut Vec<&'a SubscriptionSeen>,
        rest: &[&'a SubscriptionSeen],
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
            let fits = agreement(from, next);
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
fn agreement(from: Option<&Terms>, next: &SubscriptionSeen) -> usize {
    let ends = next.terms.status.is_final();
    match (from, next.before.as_deref()) {
        (Some(terms), _) if terms.status.is_final() => 0,
        (None, None) if ends => 0,
        (None, None) => FIELDS,
        (None, Some(_)) => 0,
        (Some(_), None) if ends => FIELDS,
        (Some(terms), None) => terms.agreement(&Before::default(), &next.terms),
        (Some(terms), Some(before)) => terms.agreement(before, &next.terms),
    }
}

/// How many fields [`Terms::agreement`] compares.
const FIELDS: usize = 7;

impl Terms {
    fn agreement(&self, before: &Before, after: &Self) -> usize {
        let known = |value: Option<_>| value.map_or(Known::Absent, Known::Is);
        let end = |terms: &Self| terms.period.map(|period| period.end);
        let trial = |terms: &Self| known(terms.trial.map(|trial| trial.end));
        let agreed: [bool; FIELDS] = [
            self.status == before.status.unwrap_or(after.status),
            self.sold() == before.items.clone().unwrap_or_else(|| after.sold()),
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

    fn sold(&self) -> Vec<(PriceId, Option<u64>)> {
        let mut sold: Vec<_> = self
            .items
            .iter()
            .map(|item| (item.price.clone(), item.quantity))
            .collect();
        sold.sort();
        sold
    }
}
