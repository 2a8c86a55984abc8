//! Payments of which the money arrived, each once. While nothing links an invoice with the charge
//! that paid it, two that agree in amount and moment may be one: they count once, and say so.

use crate::ids::ObjectId;
use crate::money::Currency;
use crate::payment::payments::{Payment, Payments};
use crate::payment::snapshot::SourceKind;
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::Deref;

/// How far apart the times of an invoice and of its charge may be.
const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(60);

/// A payment of which the money arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledPayment<'a> {
    payment: Cow<'a, Payment>,
    /// Whether it is an invoice and a charge that may be one, and nothing links them yet.
    pub unlinked: bool,
}

impl Deref for SettledPayment<'_> {
    type Target = Payment;

    fn deref(&self) -> &Payment {
        &self.payment
    }
}

impl SettledPayment<'_> {
    /// The payment itself.
    pub fn into_payment(self) -> Payment {
        self.payment.into_owned()
    }
}

impl Payments {
    /// Open payments of which the money arrived, in the order of the list. A payment of which only
    /// refunds, disputes or ids are known is not among them. An invoice and a charge that may be
    /// one payment are one here, with the refunds and disputes of both.
    pub fn settled(&self) -> impl Iterator<Item = SettledPayment<'_>> {
        let pairs = unlinked_pairs(&self.open);
        let others: BTreeSet<usize> = pairs.values().copied().collect();
        let all = self.open.iter().enumerate();
        let settled =
            all.filter(move |(n, payment)| payment.paid().is_some() && !others.contains(n));
        settled.map(move |(n, payment)| {
            let other = pairs.get(&n).and_then(|other| self.open.get(*other));
            SettledPayment {
                payment: match other {
                    Some(other) => Cow::Owned(payment.merged_with(other)),
                    None => Cow::Borrowed(payment),
                },
                unlinked: other.is_some(),
            }
        })
    }

    /// How many of the first payments of the list may leave the record, if `excess` are to. Two
    /// that may be one leave together.
    pub(crate) fn excess_without_halves(&self, excess: usize) -> usize {
        let pairs = unlinked_pairs(&self.open);
        let mut excess = excess;
        while let Some((first, _)) = pairs
            .iter()
            .find(|(first, second)| **first < excess && **second >= excess)
        {
            excess = *first;
        }
        excess
    }

    /// Whether one of them may be one with a payment that left the record.
    pub(crate) fn may_pair_with_closed(&self) -> bool {
        let Some(last) = &self.last_closed else {
            return self.closed > 0;
        };
        let is_near = |at: Timestamp| at.duration_since(last.at) <= SAME_MOMENT;
        self.open
            .iter()
            .any(|payment| open_side(payment).is_some() && payment.paid_at().is_some_and(is_near))
    }
}

/// The side of a payment that an unlinked source states.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Invoice,
    Charge,
}

/// Which side of a payment this may be the only known one of.
fn open_side(payment: &Payment) -> Option<Side> {
    if payment.sources.is_empty() || !payment.sources.iter().all(|source| source.unlinked) {
        return None;
    }
    let has = |side| {
        let sources = payment.sources.iter();
        let sides = sources.map(|source| side_of(source.source_kind));
        sides.into_iter().any(|of| of == Some(side))
    };
    match (has(Side::Invoice), has(Side::Charge)) {
        (true, false) => Some(Side::Invoice),
        (false, true) => Some(Side::Charge),
        (true, true) | (false, false) => None,
    }
}

fn side_of(kind: SourceKind) -> Option<Side> {
    match kind {
        SourceKind::Invoice => Some(Side::Invoice),
        SourceKind::Charge | SourceKind::Intent => Some(Side::Charge),
        // A session names both.
        SourceKind::Session => None,
    }
}

/// What must agree: the unit and the amount.
type Amount = (Currency, u8, i64);
/// The time, the ids and the place in the list.
type Candidate<'a> = (Timestamp, &'a BTreeSet<ObjectId>, usize);

/// Invoices and charges that may be one payment, by their places in the list, the lower one first.
/// Each has one partner at most: the earliest in reach.
fn unlinked_pairs(payments: &[Payment]) -> BTreeMap<usize, usize> {
    let mut invoices: BTreeMap<Amount, Vec<Candidate<'_>>> = BTreeMap::new();
    let mut charges = invoices.clone();
    for (place, payment) in payments.iter().enumerate() {
        let Some((side, paid)) = open_side(payment).zip(payment.paid()) else {
            continue;
        };
        let Some(paid_at) = payment.paid_at() else {
            continue;
        };
        let candidates = match side {
            Side::Invoice => &mut invoices,
            Side::Charge => &mut charges,
        };
        let amount = (paid.currency, paid.exponent, paid.minor);
        let candidate = (paid_at, &payment.ids, place);
        candidates.entry(amount).or_default().push(candidate);
    }
    let mut pairs = BTreeMap::new();
    for (amount, mut invoices) in invoices {
        if let Some(charges) = charges.get_mut(&amount) {
            invoices.sort();
            charges.sort();
            let (invoices, charges) = (invoices.into_iter(), charges.iter().copied());
            add_pairs(&mut pairs, invoices.peekable(), charges.peekable());
        }
    }
    pairs
}

/// Both sides come in the order of time.
fn add_pairs<'a>(
    pairs: &mut BTreeMap<usize, usize>,
    mut invoices: Peekable<impl Iterator<Item = Candidate<'a>>>,
    mut charges: Peekable<impl Iterator<Item = Candidate<'a>>>,
) {
    while let (Some(invoice), Some(charge)) = (invoices.peek(), charges.peek()) {
        let apart = invoice.0.duration_since(charge.0);
        if apart.abs() <= SAME_MOMENT {
            pairs.insert(invoice.2.min(charge.2), invoice.2.max(charge.2));
            invoices.next();
            charges.next();
        } else if apart.is_negative() {
            invoices.next();
        } else {
            charges.next();
        }
    }
}
