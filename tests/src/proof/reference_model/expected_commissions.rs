//! The reference for partners: who sent a customer, and what its payments owe, by rules written a
//! second time, over sets.

use super::expected_payments;
use super::facts::{self, Positioned};
use domain::event::{Fact, Position};
use domain::ids::{CustomerKey, ObjectId};
use domain::partner::attribution::{EffectiveTerms, Partners};
use domain::partner::identity::SelfReferralSignal;
use domain::partner::ledger::CommissionRow;
use domain::partner::program::{AttributionModel, CommissionDuration, Reward};
use domain::partner::referral::AttributionTerms;
use domain::partner::referral::CodeGranted;
use domain::partner::referral::Decision;
use domain::partner::referral::Referral;
use domain::partner::referral::ReferralRefusal;
use domain::partner::referral_status::ReferralStatus;
use domain::payment::payments::Payment;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose, in which currency, why it waits for a person, of which customer, for which payment.
pub(crate) type CommissionAccount = (String, String, &'static str, CustomerKey, ObjectId);

/// What accounts come to, minor units; those that come to nothing are left out.
pub(crate) type CommissionSums = BTreeMap<CommissionAccount, i64>;

/// What the rows in a table come to.
pub(crate) fn sums<'a>(rows: impl Iterator<Item = &'a CommissionRow>) -> CommissionSums {
    let mut sums = CommissionSums::new();
    for row in rows {
        *sums.entry(account(row)).or_default() += row.amount.minor;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// Where a row counts.
pub(crate) fn account(row: &CommissionRow) -> CommissionAccount {
    (
        row.partner.to_string(),
        row.amount.currency.code().to_owned(),
        row.self_referral_signal
            .map_or("", SelfReferralSignal::as_str),
        row.customer.clone(),
        row.payment.clone(),
    )
}

/// Every referral of a customer: by the codes it showed, and as partners reported.
pub(crate) fn referrals(facts: &[Positioned<'_, Fact>]) -> BTreeMap<String, Referral> {
    let mut all = code_referrals(facts);
    all.extend(facts::reported_referrals(facts));
    all
}

/// What attribution rests on besides the reports.
pub(crate) fn partners(facts: &[Positioned<'_, Fact>]) -> Partners {
    let facts = sorted(facts);
    let mut partners = Partners::default();
    for (place, (at, fact)) in facts.iter().enumerate() {
        match fact {
            Fact::AttributionTerms(pinned) => {
                let key = format!("{}/{}", pinned.partner, pinned.referral);
                partners
                    .attribution_terms
                    .entry(key)
                    .or_insert_with(|| attribution_terms(pinned, &facts, place));
            }
            Fact::ReferralCode { code } => {
                if let Some((key, used)) = code_referral(&facts[..place], code, at) {
                    partners
                        .attribution_terms
                        .entry(key)
                        .or_insert_with(|| attribution_terms(&used, &facts, place));
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
    if !partners.attribution_terms.is_empty() {
        let closed = expected_payments::all_payments(&facts).1;
        partners.first_closed_at = closed.iter().filter_map(Payment::paid_at).min();
    }
    partners
}

/// Codes that were a partner's when the customer first showed them, as reports.
fn code_referrals(facts: &[Positioned<'_, Fact>]) -> BTreeMap<String, Referral> {
    let facts = sorted(facts);
    let mut reports = BTreeMap::new();
    for (place, (at, fact)) in facts.iter().enumerate() {
        if let Fact::ReferralCode { code } = fact
            && let Some((key, used)) = code_referral(&facts[..place], code, at)
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
pub(crate) fn accrued(customer: &CustomerKey, facts: &[Positioned<'_, Fact>]) -> CommissionSums {
    let (open, closed) = expected_payments::all_payments(facts);
    let mut paid: Vec<&Payment> = closed.iter().chain(&open).collect();
    paid.retain(|payment| payment.paid_at().is_some());
    paid.sort_by_key(|payment| (payment.paid_at(), &payment.ids));
    let mut sums = CommissionSums::new();
    let Some(first) = paid.first().and_then(|payment| payment.paid_at()) else {
        return sums;
    };
    let (partners, reports) = (partners(facts), referrals(facts));
    let counts = winner(&partners, &reports, first.as_second());
    let Some((key, report)) = counts else {
        return sums;
    };
    let Some(pin) = partners.attribution_terms.get(key) else {
        return sums;
    };
    let held = open_signal(&partners, key);
    let last = match pin.program.duration {
        CommissionDuration::Months(months) => {
            let first = first.to_zoned(TimeZone::UTC);
            (&first + i32::from(months).months()).timestamp()
        }
        CommissionDuration::FirstPayment | CommissionDuration::Life => jiff::Timestamp::MAX,
    };
    for (place, payment) in paid.iter().enumerate() {
        let later = pin.program.duration == CommissionDuration::FirstPayment && place > 0;
        let in_span = payment.paid_at().is_some_and(|at| at < last);
        let sum = commission_minor(pin.program.reward, payment);
        if later || !in_span || sum == 0 {
            continue;
        }
        let account = (
            report.partner.to_string(),
            payment
                .paid()
                .map_or_else(String::new, |paid| paid.currency.code().to_owned()),
            held.map_or("", SelfReferralSignal::as_str),
            customer.clone(),
            payment
                .ids
                .last()
                .cloned()
                .unwrap_or_else(|| ObjectId::parse("").expect("is an id")),
        );
        sums.insert(account, sum);
    }
    sums
}

/// How each report with a program stands, by customer and `partner/referral`; one of which
/// nothing is to be told is left out.
pub(crate) fn referral_statuses(
    customer: &CustomerKey,
    facts: &[Positioned<'_, Fact>],
) -> BTreeMap<(CustomerKey, String), ReferralStatus> {
    let (partners, reports) = (partners(facts), referrals(facts));
    let (open, closed) = expected_payments::all_payments(facts);
    let paid = closed
        .iter()
        .chain(&open)
        .filter_map(Payment::paid_at)
        .min();
    let paid = paid.map(jiff::Timestamp::as_second);
    let counts = paid.and_then(|paid| winner(&partners, &reports, paid));
    let of_one = |(key, report): (&String, &Referral)| {
        let pin = partners.attribution_terms.get(key)?;
        let void = partners.decisions.get(key) == Some(&Decision::Void);
        let standing = match (paid, counts) {
            _ if void && !report.canceled => ReferralStatus::Refused(ReferralRefusal::Void),
            (None, _) => return None,
            _ if report.canceled => ReferralStatus::Refused(ReferralRefusal::Canceled),
            (Some(paid), _) if !is_in_window(pin, report, paid) => {
                ReferralStatus::Refused(ReferralRefusal::OutsideWindow)
            }
            (_, None) => return None,
            (_, Some((winner, _))) if winner == key => {
                open_signal(&partners, key).map_or(ReferralStatus::Attributed, ReferralStatus::Held)
            }
            (_, Some((_, other))) if other.partner == report.partner => {
                ReferralStatus::Refused(ReferralRefusal::AnotherReport)
            }
            (_, Some(_)) => ReferralStatus::Refused(ReferralRefusal::AnotherPartner),
        };
        Some(((customer.clone(), key.clone()), standing))
    };
    reports.iter().filter_map(of_one).collect()
}

/// Why what a report earns waits for a person.
fn open_signal(partners: &Partners, key: &str) -> Option<SelfReferralSignal> {
    let released = partners.decisions.get(key) == Some(&Decision::Release);
    let pin = partners.attribution_terms.get(key)?;
    pin.self_referral_signal.filter(|_| !released)
}

fn is_in_window(pin: &EffectiveTerms, report: &Referral, first_paid: i64) -> bool {
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
        let pin = partners.attribution_terms.get(*key);
        let void = partners.decisions.get(*key) == Some(&Decision::Void);
        let near = pin.is_none_or(|pin| is_in_window(pin, report, first_paid));
        !report.canceled && !void && near
    };
    let mut standing: Vec<(&String, &Referral)> = reports.iter().filter(stands).collect();
    let said = |key: &String, report: &Referral| {
        let pin = partners.attribution_terms.get(key);
        pin.map_or(report.referred_at, |pin| pin.reported_at)
    };
    standing.sort_by_key(|(key, report)| (said(key, report), *key));
    let first = *standing.first()?;
    let claim = partners
        .attribution_terms
        .get(first.0)
        .map(|pin| pin.program.attribution_model);
    if claim != Some(AttributionModel::Last) {
        return Some(first);
    }
    standing.retain(|(_, report)| report.referred_at.as_second() <= first_paid);
    standing.sort_by_key(|(key, report)| (report.referred_at, *key));
    Some(standing.last().copied().unwrap_or(first))
}

/// The exact fraction, plus a half, cut off.
fn commission_minor(reward: Reward, payment: &Payment) -> i64 {
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
        Reward::Fixed(fixed) if fixed.is_same_unit(paid) => (i128::from(fixed.minor), 1),
        Reward::Fixed(_) => return 0,
    };
    let (top, bottom) = (earned * left, per * i128::from(paid.minor));
    i64::try_from((2 * top + bottom) / (2 * bottom)).expect("less than was paid")
}

/// The code as a report of whoever had it last, if anybody had it by then.
fn code_referral(
    before: &[Positioned<'_, Fact>],
    code: &Arc<str>,
    at: &Position,
) -> Option<(String, AttributionTerms)> {
    let granted: &CodeGranted = before.iter().rev().find_map(|(_, fact)| match fact {
        Fact::CodeGranted(granted) if granted.code == *code => Some(&**granted),
        _ => None,
    })?;
    let pinned = AttributionTerms {
        partner: granted.partner.clone(),
        referral: format!("code/{code}").into(),
        reported_at: at.at,
        program: granted.program.clone(),
        identity: granted.identity.clone(),
    };
    Some((format!("{}/{}", pinned.partner, pinned.referral), pinned))
}

/// A program as it was pinned at that place, and in what the customer was first seen, from then
/// on, to look like the partner.
fn attribution_terms(
    pinned: &AttributionTerms,
    facts: &[Positioned<'_, Fact>],
    place: usize,
) -> EffectiveTerms {
    let looks = |(at, (_, fact)): (usize, &Positioned<'_, Fact>)| {
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
            .identity
            .resembles(&facts::person(known), &marks.collect())
    };
    EffectiveTerms {
        reported_at: pinned.reported_at,
        program: pinned.program.clone(),
        identity: pinned.identity.clone(),
        self_referral_signal: facts.iter().enumerate().find_map(looks),
    }
}

fn sorted<'a>(facts: &[Positioned<'a, Fact>]) -> Vec<Positioned<'a, Fact>> {
    let mut facts = facts.to_vec();
    facts.sort_by(|a, b| a.0.cmp(&b.0));
    facts
}
