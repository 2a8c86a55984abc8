//! The reference for partners: who sent a customer, and what its payments owe, by rules written a
//! second time, over sets.

use super::books;
use super::oracle::{self, Seen};
use domain::attribution::{Partners, Pin};
use domain::ids::{CustomerKey, ObjectId};
use domain::ledger::Row;
use domain::payments::Payment;
use domain::program::{Claim, CodeGranted, Decision, Pinned, Reward, Span, Suspicion};
use domain::reading::{Fact, Position};
use domain::standing::{Reason, Standing};
use domain::state::Referral;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose, in which currency, why it waits for a person, of which customer, for which payment.
pub(super) type Account = (String, String, &'static str, CustomerKey, ObjectId);

/// What accounts come to, minor units; those that come to nothing are left out.
pub(super) type Sums = BTreeMap<Account, i64>;

/// What the rows in a table come to.
pub(super) fn sums<'a>(rows: impl Iterator<Item = &'a Row>) -> Sums {
    let mut sums = Sums::new();
    for row in rows {
        *sums.entry(account(row)).or_default() += row.amount.minor;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// Where a row counts.
pub(super) fn account(row: &Row) -> Account {
    (
        row.partner.to_string(),
        row.amount.currency.code().to_owned(),
        row.suspicion.map_or("", Suspicion::as_str),
        row.customer.clone(),
        row.payment.clone(),
    )
}

/// What attribution rests on besides the reports.
pub(super) fn partners(facts: &[Seen<'_, Fact>]) -> Partners {
    let facts = in_order(facts);
    let mut partners = Partners::default();
    for (place, (at, fact)) in facts.iter().enumerate() {
        match fact {
            Fact::Pinned(pinned) => {
                let key = format!("{}/{}", pinned.partner, pinned.referral);
                partners
                    .pins
                    .entry(key)
                    .or_insert_with(|| pin(pinned, &facts, place));
            }
            Fact::ReferralCode { code } => {
                if let Some((key, used)) = used(&facts[..place], code, at) {
                    partners
                        .pins
                        .entry(key)
                        .or_insert_with(|| pin(&used, &facts, place));
                }
            }
            Fact::Reviewed {
                partner,
                referral,
                decision,
            } => {
                let key = format!("{partner}/{referral}");
                partners.decisions.insert(key, *decision);
            }
            Fact::CodeGranted(granted) => {
                partners
                    .codes
                    .insert(granted.code.clone(), (**granted).clone());
            }
            Fact::Fingerprint { fingerprint } => {
                partners.fingerprints.insert(fingerprint.clone());
            }
            _ => {}
        }
    }
    if !partners.pins.is_empty() {
        let closed = books::all(&facts).1;
        partners.first_closed_at = closed.iter().filter_map(Payment::paid_at).min();
    }
    partners
}

/// Codes that were a partner's when the customer first showed them, as reports.
pub(super) fn codes(facts: &[Seen<'_, Fact>]) -> BTreeMap<String, Referral> {
    let facts = in_order(facts);
    let mut reports = BTreeMap::new();
    for (place, (at, fact)) in facts.iter().enumerate() {
        if let Fact::ReferralCode { code } = fact
            && let Some((key, used)) = used(&facts[..place], code, at)
        {
            reports.entry(key).or_insert(Referral {
                partner: used.partner,
                referral: used.referral,
                referred_at: at.at,
                canceled: false,
            });
        }
    }
    reports
}

/// What the customer's payments owe to whoever sent it, those that left the record among them.
pub(super) fn owed(customer: &CustomerKey, facts: &[Seen<'_, Fact>]) -> Sums {
    let (open, closed) = books::all(facts);
    let mut paid: Vec<&Payment> = closed.iter().chain(&open).collect();
    paid.retain(|payment| payment.paid_at().is_some());
    paid.sort_by_key(|payment| (payment.paid_at(), &payment.ids));
    let mut sums = Sums::new();
    let Some(first) = paid.first().and_then(|payment| payment.paid_at()) else {
        return sums;
    };
    let (partners, reports) = (partners(facts), oracle::referrals(facts));
    let counts = winner(&partners, &reports, first.as_second());
    let Some((key, report)) = counts else {
        return sums;
    };
    let Some(pin) = partners.pins.get(key) else {
        return sums;
    };
    let held = held(&partners, key);
    let last = match pin.program.span {
        Span::Months(months) => {
            let first = first.to_zoned(TimeZone::UTC);
            (&first + i32::from(months).months()).timestamp()
        }
        Span::FirstPayment | Span::Life => jiff::Timestamp::MAX,
    };
    for (place, payment) in paid.iter().enumerate() {
        let later = pin.program.span == Span::FirstPayment && place > 0;
        let in_span = payment.paid_at().is_some_and(|at| at < last);
        let sum = share(pin.program.reward, payment);
        if later || !in_span || sum == 0 {
            continue;
        }
        let account = (
            report.partner.to_string(),
            payment
                .paid()
                .map_or_else(String::new, |paid| paid.currency.code().to_owned()),
            held.map_or("", Suspicion::as_str),
            customer.clone(),
            payment
                .ids
                .last()
                .cloned()
                .unwrap_or_else(|| ObjectId::new("")),
        );
        sums.insert(account, sum);
    }
    sums
}

/// How each report with a program stands, by customer and `partner/referral`; one of which
/// nothing is to be told is left out.
pub(super) fn standings(
    customer: &CustomerKey,
    facts: &[Seen<'_, Fact>],
) -> BTreeMap<(CustomerKey, String), Standing> {
    let (partners, reports) = (partners(facts), oracle::referrals(facts));
    let (open, closed) = books::all(facts);
    let paid = closed
        .iter()
        .chain(&open)
        .filter_map(Payment::paid_at)
        .min();
    let paid = paid.map(jiff::Timestamp::as_second);
    let counts = paid.and_then(|paid| winner(&partners, &reports, paid));
    let of_one = |(key, report): (&String, &Referral)| {
        let pin = partners.pins.get(key)?;
        let void = partners.decisions.get(key) == Some(&Decision::Void);
        let standing = match (paid, counts) {
            _ if void && !report.canceled => Standing::Refused(Reason::Void),
            (None, _) => return None,
            _ if report.canceled => Standing::Refused(Reason::Canceled),
            (Some(paid), _) if !is_near(pin, report, paid) => {
                Standing::Refused(Reason::OutsideWindow)
            }
            (_, None) => return None,
            (_, Some((winner, _))) if winner == key => {
                held(&partners, key).map_or(Standing::Attributed, Standing::Held)
            }
            (_, Some((_, other))) if other.partner == report.partner => {
                Standing::Refused(Reason::AnotherReport)
            }
            (_, Some(_)) => Standing::Refused(Reason::AnotherPartner),
        };
        Some(((customer.clone(), key.clone()), standing))
    };
    reports.iter().filter_map(of_one).collect()
}

/// Why what a report earns waits for a person.
fn held(partners: &Partners, key: &str) -> Option<Suspicion> {
    let released = partners.decisions.get(key) == Some(&Decision::Release);
    let pin = partners.pins.get(key)?;
    pin.suspicion.filter(|_| !released)
}

fn is_near(pin: &Pin, report: &Referral, first_paid: i64) -> bool {
    let window = i64::from(pin.program.window_days) * 86_400;
    let (sent, said) = (report.referred_at.as_second(), pin.reported_at.as_second());
    first_paid - sent <= window && said - first_paid <= window
}

/// The report that counts.
fn winner<'a>(
    partners: &Partners,
    reports: &'a BTreeMap<String, Referral>,
    first_paid: i64,
) -> Option<(&'a String, &'a Referral)> {
    let stands = |(key, report): &(&String, &Referral)| {
        let pin = partners.pins.get(*key);
        let void = partners.decisions.get(*key) == Some(&Decision::Void);
        let near = pin.is_none_or(|pin| is_near(pin, report, first_paid));
        !report.canceled && !void && near
    };
    let mut standing: Vec<(&String, &Referral)> = reports.iter().filter(stands).collect();
    let said = |key: &String, report: &Referral| {
        let pin = partners.pins.get(key);
        pin.map_or(report.referred_at, |pin| pin.reported_at)
    };
    standing.sort_by_key(|(key, report)| (said(key, report), *key));
    let first = *standing.first()?;
    let claim = partners.pins.get(first.0).map(|pin| pin.program.claim);
    if claim != Some(Claim::Last) {
        return Some(first);
    }
    standing.retain(|(_, report)| report.referred_at.as_second() <= first_paid);
    standing.sort_by_key(|(key, report)| (report.referred_at, *key));
    Some(standing.last().copied().unwrap_or(first))
}

/// The exact fraction, plus a half, cut off.
fn share(reward: Reward, payment: &Payment) -> i64 {
    let Some(paid) = payment.paid().filter(|paid| paid.minor > 0) else {
        return 0;
    };
    let back = payment.refunded_minor().max(0) + payment.disputed_minor().max(0);
    let left = i128::from((paid.minor - back).max(0));
    let tax = payment.tax_minor().unwrap_or(0).clamp(0, paid.minor);
    let (earned, per) = match reward {
        Reward::BasisPoints(points) => {
            let base = i128::from(paid.minor - tax);
            (i128::from(points) * base, 10_000)
        }
        Reward::Fixed(fixed) if fixed.is_of(paid) => (i128::from(fixed.minor), 1),
        Reward::Fixed(_) => return 0,
    };
    let (top, bottom) = (earned * left, per * i128::from(paid.minor));
    i64::try_from((2 * top + bottom) / (2 * bottom)).expect("less than was paid")
}

/// The code as a report of whoever had it last, if anybody had it by then.
fn used(before: &[Seen<'_, Fact>], code: &Arc<str>, at: &Position) -> Option<(String, Pinned)> {
    let granted: &CodeGranted = before.iter().rev().find_map(|(_, fact)| match fact {
        Fact::CodeGranted(granted) if granted.code == *code => Some(&**granted),
        _ => None,
    })?;
    let pinned = Pinned {
        partner: granted.partner.clone(),
        referral: format!("code/{code}").into(),
        reported_at: at.at,
        program: granted.program.clone(),
        own: granted.own.clone(),
    };
    Some((format!("{}/{}", pinned.partner, pinned.referral), pinned))
}

/// A program as it was pinned at that place, and in what the customer was first seen, from then
/// on, to look like the partner.
fn pin(pinned: &Pinned, facts: &[Seen<'_, Fact>], place: usize) -> Pin {
    let looks = |(at, (_, fact)): (usize, &Seen<'_, Fact>)| {
        let tells = matches!(fact, Fact::Profile(_) | Fact::Fingerprint { .. });
        if at < place || !(tells || at == place) {
            return None;
        }
        let known = &facts[..=at];
        let marks = known.iter().filter_map(|(_, fact)| match fact {
            Fact::Fingerprint { fingerprint } => Some(fingerprint.clone()),
            _ => None,
        });
        pinned
            .own
            .resembles(&oracle::person(known), &marks.collect())
    };
    Pin {
        reported_at: pinned.reported_at,
        program: pinned.program.clone(),
        own: pinned.own.clone(),
        suspicion: facts.iter().enumerate().find_map(looks),
    }
}

fn in_order<'a>(facts: &[Seen<'a, Fact>]) -> Vec<Seen<'a, Fact>> {
    let mut facts = facts.to_vec();
    facts.sort_by(|a, b| a.0.cmp(&b.0));
    facts
}
