//! The reference for money: what a set of facts says was paid, refunded and disputed.

use super::facts::Positioned;
use domain::event::{Fact, Position};
use domain::ids::ObjectId;
use domain::payment::payments::{
    self, CumulativeRefund, Dispute, OPEN_PAYMENTS, Payment, Payments, Refund,
};
use domain::payment::place::PaymentPlace;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use std::collections::{BTreeMap, BTreeSet};

/// A refund's or a dispute's own id: whatever it names, now or before, is one payment.
fn own_id(fact: &Fact) -> Option<&ObjectId> {
    match fact {
        Fact::Refund(seen) => Some(&seen.id),
        Fact::Dispute(seen) => Some(&seen.id),
        _ => None,
    }
}

fn payment_ids(fact: &Fact) -> &[ObjectId] {
    match fact {
        // That nothing arrived after all names no payment.
        Fact::Payment(seen) if seen.paid.minor == 0 => &[],
        Fact::Payment(seen) => &seen.ids,
        Fact::SamePayment { ids } | Fact::CumulativeRefund { ids, .. } => ids,
        Fact::Refund(seen) => &seen.payment,
        Fact::Dispute(seen) => &seen.payment,
        _ => &[],
    }
}

/// What a record keeps of its payments.
pub(crate) fn payments(facts: &[Positioned<'_, Fact>]) -> Payments {
    let (open, closed) = all_payments(facts);
    let mut payments = Payments::new(open);
    payments.closed = u32::try_from(closed.len()).unwrap_or(u32::MAX);
    payments.last_closed = closed.iter().map(place).max();
    payments
}

fn place(payment: &Payment) -> PaymentPlace {
    PaymentPlace {
        at: payment.paid_at().unwrap_or(payment.first_seen_at),
        id: payment.ids.iter().min().expect("has an id").clone(),
    }
}

/// Facts that share an id are about one payment. Those that a record keeps, and older ones.
pub(crate) fn all_payments(facts: &[Positioned<'_, Fact>]) -> (Vec<Payment>, Vec<Payment>) {
    let mut groups: Vec<(BTreeSet<&ObjectId>, Vec<&Positioned<'_, Fact>>)> = Vec::new();
    for fact in facts
        .iter()
        .filter(|(_, fact)| !payment_ids(fact).is_empty())
    {
        let mut ids: BTreeSet<&ObjectId> = payment_ids(fact.1).iter().collect();
        let mut members = vec![fact];
        groups.retain_mut(|(others, theirs)| {
            let same = |other: &&Positioned<'_, Fact>| own_id(other.1) == own_id(fact.1);
            let same = own_id(fact.1).is_some() && theirs.iter().any(same);
            let apart = others.is_disjoint(&ids) && !same;
            if !apart {
                ids.append(others);
                members.append(theirs);
            }
            apart
        });
        groups.push((ids, members));
    }
    let taken_back = withdrawn_payments(facts);
    let one = |(ids, facts)| payment(&ids, facts, &taken_back);
    let mut open: Vec<Payment> = groups.into_iter().map(one).collect();
    open.sort_by_key(|p| (p.paid_at().unwrap_or(p.first_seen_at), p.ids.clone()));
    let mut leaving = open.len().saturating_sub(OPEN_PAYMENTS);
    let pairs = unlinked_pairs(&open);
    while let Some((first, _)) = pairs.iter().find(|(a, b)| *a < leaving && leaving <= *b) {
        leaving = *first;
    }
    let closed = open.drain(..leaving).collect();
    (open, closed)
}

/// When money first arrived.
pub(crate) fn first_paid_at(facts: &[Positioned<'_, Fact>]) -> Option<jiff::Timestamp> {
    let (open, closed) = all_payments(facts);
    let all = closed.iter().chain(&open);
    all.filter_map(Payment::paid_at).min()
}

/// Every payment. An invoice and a charge that nothing links are one where they may be.
pub(crate) fn all_with_pairs_as_one(facts: &[Positioned<'_, Fact>]) -> Vec<Payment> {
    let (open, closed) = all_payments(facts);
    let mut all: Vec<Payment> = closed.into_iter().chain(open).collect();
    let pairs = unlinked_pairs(&all);
    for (whole, half) in &pairs {
        let half = all[*half].clone();
        let whole = &mut all[*whole];
        whole.first_seen_at = whole.first_seen_at.min(half.first_seen_at);
        whole.ids.extend(half.ids);
        whole.sources.extend(half.sources);
        whole.sources.sort_by_key(|s| (s.source_kind, s.id.clone()));
        whole.cumulative_refunds.extend(half.cumulative_refunds);
        whole.refunds.extend(half.refunds);
        whole.disputes.extend(half.disputes);
    }
    let halves: BTreeSet<usize> = pairs.into_iter().map(|(_, half)| half).collect();
    let wholes = all.into_iter().enumerate();
    let wholes = wholes.filter(|(place, _)| !halves.contains(place));
    wholes.map(|(_, payment)| payment).collect()
}

/// By places in the list, the earlier one first: each invoice with the first charge of its amount
/// and minute that has none.
fn unlinked_pairs(all: &[Payment]) -> Vec<(usize, usize)> {
    let is_open = |payment: &Payment, invoice: bool| {
        let sources = &payment.sources;
        let fits = |kind: SourceKind| match kind {
            SourceKind::Invoice => invoice,
            SourceKind::Charge | SourceKind::Intent => !invoice,
            SourceKind::Session => false,
        };
        !sources.is_empty() && sources.iter().all(|s| s.unlinked && fits(s.source_kind))
    };
    let side = |invoice: bool| {
        let fitting = all.iter().enumerate();
        let fitting = fitting.filter(|(_, payment)| is_open(payment, invoice));
        let mut places: Vec<usize> = fitting.map(|(n, _)| n).collect();
        places.sort_by_key(|n| (all[*n].paid_at(), all[*n].ids.clone()));
        places
    };
    let (mut pairs, mut charges) = (Vec::new(), side(false));
    for invoice in side(true) {
        let second = |n: usize| all[n].paid_at().map_or(0, |at| at.as_second());
        let fits = |charge: &usize| {
            let near = (second(*charge) - second(invoice)).abs() <= 60;
            near && all[*charge].paid() == all[invoice].paid()
        };
        if let Some(found) = charges.iter().position(fits) {
            let charge = charges.remove(found);
            pairs.push((invoice.min(charge), invoice.max(charge)));
        }
    }
    pairs.sort();
    pairs
}

/// A teller and its own id of a payment.
type SourcePayment<'a> = (SourceKind, &'a ObjectId);

/// Payments of which their teller last said that nothing arrived.
fn withdrawn_payments<'a>(facts: &'a [Positioned<'_, Fact>]) -> BTreeSet<SourcePayment<'a>> {
    let mut words: BTreeMap<SourcePayment<'_>, Vec<(&Position, i64)>> = BTreeMap::new();
    for (position, fact) in facts {
        if let Fact::Payment(seen) = fact {
            let word = (position, seen.paid.minor);
            let words = words.entry((seen.source_kind, &seen.ids[0])).or_default();
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
    mut facts: Vec<&Positioned<'_, Fact>>,
    taken_back: &BTreeSet<SourcePayment<'_>>,
) -> Payment {
    facts.sort_by(|a, b| a.0.cmp(&b.0));
    let mut accounts: BTreeMap<SourcePayment<'_>, &PaymentSnapshot> = BTreeMap::new();
    let mut payment = Payment {
        first_seen_at: facts[0].0.at,
        ids: ids.iter().map(|id| (*id).clone()).collect(),
        sources: Vec::new(),
        cumulative_refunds: BTreeMap::new(),
        refunds: BTreeMap::new(),
        disputes: BTreeMap::new(),
    };
    for (Position { at, .. }, fact) in facts {
        match fact {
            Fact::Payment(seen) => {
                accounts.insert((seen.source_kind, &seen.ids[0]), seen);
            }
            Fact::CumulativeRefund {
                ids,
                amount,
                released_minor,
            } => {
                // Of one instant the largest sum is the last.
                let (at, amount, released_minor) = (*at, *amount, *released_minor);
                let so_far = CumulativeRefund {
                    at,
                    amount,
                    released_minor,
                };
                let sums = &mut payment.cumulative_refunds;
                let known = sums.entry(ids[0].clone()).or_insert(so_far);
                if (so_far.at, so_far.amount.minor) > (known.at, known.amount.minor) {
                    *known = so_far;
                }
            }
            Fact::Refund(seen) => {
                let stated = Refund {
                    amount: seen.amount,
                    tax_minor: seen.tax_minor,
                    state: seen.state,
                    created_at: seen.created_at,
                    as_of: *at,
                    payment: seen.payment.iter().cloned().collect(),
                };
                let refunds = payment.refunds.entry(seen.id.clone());
                let known = refunds.or_insert(stated.clone());
                if stated.state > known.state {
                    *known = stated;
                }
            }
            Fact::Dispute(seen) => {
                let stated = Dispute {
                    amount: seen.amount,
                    state: seen.state,
                };
                let known = payment.disputes.entry(seen.id.clone()).or_insert(stated);
                if stated.state.is_final() || !known.state.is_final() {
                    *known = stated;
                }
            }
            _ => {}
        }
    }
    accounts.retain(|account, _| !taken_back.contains(account));
    payment.sources = accounts.into_iter().map(payment_source).collect();
    payment
}

fn payment_source(
    ((teller, own), seen): (SourcePayment<'_>, &PaymentSnapshot),
) -> payments::PaymentSource {
    payments::PaymentSource {
        source_kind: teller,
        id: own.clone(),
        paid: seen.paid,
        tax_minor: seen.tax_minor,
        paid_at: seen.paid_at,
        subscription: seen.subscription.clone(),
        unlinked: seen.unlinked,
        purchased: seen.purchased.clone(),
    }
}
