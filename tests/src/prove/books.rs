//! The reference for money: what a set of facts says was paid, refunded and disputed.

use super::oracle::Seen;
use domain::billing::{PaymentSeen, Teller};
use domain::ids::ObjectId;
use domain::payments::{self, Dispute, OPEN_PAYMENTS, Payment, Payments, Refund, SoFar};
use domain::reading::{Fact, Position};
use std::collections::{BTreeMap, BTreeSet};

/// A refund's or a dispute's own id: whatever it names, now or before, is one payment.
fn own(fact: &Fact) -> Option<&ObjectId> {
    match fact {
        Fact::Refund(seen) => Some(&seen.id),
        Fact::Dispute(seen) => Some(&seen.id),
        _ => None,
    }
}

fn named(fact: &Fact) -> &[ObjectId] {
    match fact {
        // That nothing arrived after all names no payment.
        Fact::Payment(seen) if seen.paid.minor == 0 => &[],
        Fact::Payment(seen) => &seen.ids,
        Fact::SamePayment { ids } | Fact::RefundedSoFar { ids, .. } => ids,
        Fact::Refund(seen) => &seen.payment,
        Fact::Dispute(seen) => &seen.payment,
        _ => &[],
    }
}

/// What a record keeps of its payments.
pub(super) fn payments(facts: &[Seen<'_, Fact>]) -> Payments {
    let (open, closed) = all(facts);
    Payments {
        open,
        closed: u32::try_from(closed.len()).unwrap_or(u32::MAX),
    }
}

/// Facts that share an id are about one payment. Those that a record keeps, and older ones.
pub(super) fn all(facts: &[Seen<'_, Fact>]) -> (Vec<Payment>, Vec<Payment>) {
    let mut groups: Vec<(BTreeSet<&ObjectId>, Vec<&Seen<'_, Fact>>)> = Vec::new();
    for fact in facts.iter().filter(|(_, fact)| !named(fact).is_empty()) {
        let mut ids: BTreeSet<&ObjectId> = named(fact.1).iter().collect();
        let mut members = vec![fact];
        groups.retain_mut(|(others, theirs)| {
            let same = |other: &&Seen<'_, Fact>| own(other.1) == own(fact.1);
            let same = own(fact.1).is_some() && theirs.iter().any(same);
            let apart = others.is_disjoint(&ids) && !same;
            if !apart {
                ids.append(others);
                members.append(theirs);
            }
            apart
        });
        groups.push((ids, members));
    }
    let taken_back = taken_back(facts);
    let one = |(ids, facts)| payment(&ids, facts, &taken_back);
    let mut open: Vec<Payment> = groups.into_iter().map(one).collect();
    open.sort_by_key(|p| (p.paid_at().unwrap_or(p.first_told_at), p.ids.clone()));
    let closed = open.len().saturating_sub(OPEN_PAYMENTS);
    let closed = open.drain(..closed).collect();
    (open, closed)
}

/// A teller and its own id of a payment.
type Account<'a> = (Teller, &'a ObjectId);

/// Payments of which their teller last said that nothing arrived.
fn taken_back<'a>(facts: &'a [Seen<'_, Fact>]) -> BTreeSet<Account<'a>> {
    let mut words: BTreeMap<Account<'_>, Vec<(&Position, i64)>> = BTreeMap::new();
    for (position, fact) in facts {
        if let Fact::Payment(seen) = fact {
            let word = (position, seen.paid.minor);
            let words = words.entry((seen.teller, &seen.ids[0])).or_default();
            words.push(word);
        }
    }
    let nothing = |words: &Vec<(&Position, i64)>| {
        let last = words.iter().max_by_key(|(position, _)| *position);
        last.is_some_and(|(_, minor)| *minor == 0)
    };
    let back = words.into_iter().filter(|(_, words)| nothing(words));
    back.map(|(account, _)| account).collect()
}

fn payment(
    ids: &BTreeSet<&ObjectId>,
    mut facts: Vec<&Seen<'_, Fact>>,
    taken_back: &BTreeSet<Account<'_>>,
) -> Payment {
    facts.sort_by(|a, b| a.0.cmp(&b.0));
    let mut accounts: BTreeMap<Account<'_>, &PaymentSeen> = BTreeMap::new();
    let mut payment = Payment {
        first_told_at: facts[0].0.at,
        ids: ids.iter().map(|id| (*id).clone()).collect(),
        told: Vec::new(),
        refunded_so_far: BTreeMap::new(),
        refunds: BTreeMap::new(),
        disputes: BTreeMap::new(),
    };
    for (Position { at, .. }, fact) in facts {
        match fact {
            Fact::Payment(seen) => {
                accounts.insert((seen.teller, &seen.ids[0]), seen);
            }
            Fact::RefundedSoFar { ids, minor } => {
                // Of one instant the largest sum is the last.
                let (at, minor) = (*at, *minor);
                let so_far = SoFar { at, minor };
                let sums = &mut payment.refunded_so_far;
                let known = sums.entry(ids[0].clone()).or_insert(so_far);
                if (so_far.at, so_far.minor) > (known.at, known.minor) {
                    *known = so_far;
                }
            }
            Fact::Refund(seen) => {
                let told = Refund {
                    minor: seen.minor,
                    state: seen.state,
                    created_at: seen.created_at,
                    as_of: *at,
                    payment: seen.payment.iter().cloned().collect(),
                };
                let known = payment
                    .refunds
                    .entry(seen.id.clone())
                    .or_insert(told.clone());
                if told.state > known.state {
                    *known = told;
                }
            }
            Fact::Dispute(seen) => {
                let told = Dispute {
                    minor: seen.minor,
                    state: seen.state,
                };
                let known = payment.disputes.entry(seen.id.clone()).or_insert(told);
                if told.state.is_final() || !known.state.is_final() {
                    *known = told;
                }
            }
            _ => {}
        }
    }
    accounts.retain(|account, _| !taken_back.contains(account));
    payment.told = accounts.into_iter().map(account).collect();
    payment
}

fn account(((teller, own), seen): (Account<'_>, &PaymentSeen)) -> payments::Told {
    payments::Told {
        teller,
        id: own.clone(),
        paid: seen.paid,
        tax_minor: seen.tax_minor,
        paid_at: seen.paid_at,
        subscription: seen.subscription.clone(),
    }
}
