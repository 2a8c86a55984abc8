//! The reference for partners: who sent a customer, and what its payments owe, by rules written a
//! second time, over sets.

use super::expected_payments;
use super::expected_referrals::{heard_at, is_about, is_by_code_alone, partners};
use super::facts::{self, JournaledEvent};
use domain::ids::{CustomerKey, ObjectId, Reference};
use domain::money::StatedAmount;
use domain::partner::attribution::{EffectiveTerms, Partners};
use domain::partner::identity::SelfReferralSignal;
use domain::partner::ledger::CommissionRow;
use domain::partner::program::{AttributionModel, CommissionDuration, Reward};
use domain::partner::referral::Decision;
use domain::partner::referral::Referral;
use domain::partner::referral::ReferralRefusal;
use domain::partner::referral_status::ReferralStatus;
use domain::payment::payments::Payment;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

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

/// What the customer's payments owe to whoever sent it, those that left the record among them.
pub(crate) fn accrued(
    customer: &CustomerKey,
    known: &[JournaledEvent<'_>],
    firsts: &[PersonFirst],
) -> CommissionSums {
    let facts = facts::facts(known);
    let mut paid = expected_payments::all_with_pairs_as_one(&facts);
    paid.retain(|payment| payment.paid_at().is_some());
    paid.sort_by_key(|payment| (payment.paid_at(), payment.ids.clone()));
    let mut sums = CommissionSums::new();
    let Some(first) = expected_payments::first_paid_at(&facts) else {
        return sums;
    };
    let partners = partners(known);
    let counts = winner(&partners, first.as_second());
    let Some((key, report)) = counts else {
        return sums;
    };
    let Some(pin) = partners.attribution_terms.get(key) else {
        return sums;
    };
    let held = open_signal(&partners, key, report);
    // Of all customers who share a name with this one, the first to pay.
    let mut others: Vec<&PersonFirst> = firsts.iter().collect();
    others.retain(|other| !other.names.is_disjoint(&partners.names));
    others.sort_by_key(|other| (other.paid_at, &other.customer));
    let person_first = others
        .first()
        .map_or((first, customer), |first| (first.paid_at, &first.customer));
    let last = match pin.program.duration {
        CommissionDuration::Months(months) => {
            let first = person_first.0.to_zoned(TimeZone::UTC);
            (&first + i32::from(months).months()).timestamp()
        }
        CommissionDuration::FirstPayment | CommissionDuration::Life => jiff::Timestamp::MAX,
    };
    for (place, payment) in paid.iter().enumerate() {
        let is_first = place == 0 && person_first.1 == customer;
        let later = pin.program.duration == CommissionDuration::FirstPayment && !is_first;
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

/// The ids of each payment of a customer.
pub(crate) fn payment_ids(known: &[JournaledEvent<'_>]) -> Vec<BTreeSet<ObjectId>> {
    let all = expected_payments::all_with_pairs_as_one(&facts::facts(known));
    all.into_iter().map(|payment| payment.ids).collect()
}

/// What accounts come to, whatever ids their payments go by.
pub(crate) fn without_payments(sums: &CommissionSums) -> BTreeMap<AccountName, i64> {
    let mut whole = BTreeMap::new();
    for ((partner, currency, signal, customer, _), sum) in sums {
        let account = (partner.clone(), currency.clone(), *signal, customer.clone());
        *whole.entry(account).or_default() += sum;
    }
    whole.retain(|_, sum| *sum != 0);
    whole
}

/// An account without its payment.
type AccountName = (String, String, &'static str, CustomerKey);

/// When a customer first paid, and the names by which it is a person.
pub(crate) struct PersonFirst {
    customer: CustomerKey,
    names: BTreeSet<Reference>,
    paid_at: jiff::Timestamp,
}

/// A customer on whom somebody may earn by the person's first payment.
pub(crate) fn person_first(
    customer: &CustomerKey,
    known: &[JournaledEvent<'_>],
) -> Option<PersonFirst> {
    let partners = partners(known);
    let mut terms = partners.attribution_terms.values();
    if terms.all(|pin| pin.program.duration == CommissionDuration::Life) {
        return None;
    }
    Some(PersonFirst {
        customer: customer.clone(),
        names: partners.names,
        paid_at: expected_payments::first_paid_at(&facts::facts(known))?,
    })
}

/// How each report with a program stands, by customer and `partner/referral`; one of which
/// nothing is to be told is left out.
pub(crate) fn referral_statuses(
    customer: &CustomerKey,
    known: &[JournaledEvent<'_>],
) -> BTreeMap<(CustomerKey, String), ReferralStatus> {
    let partners = partners(known);
    let paid = expected_payments::first_paid_at(&facts::facts(known));
    let paid = paid.map(jiff::Timestamp::as_second);
    let counts = paid.and_then(|paid| winner(&partners, paid));
    let of_one = |(key, report): (&String, &Referral)| {
        let pin = partners.attribution_terms.get(key)?;
        if !is_about(&partners, report) {
            return None;
        }
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
                let held = open_signal(&partners, key, report);
                held.map_or(ReferralStatus::Attributed, ReferralStatus::Held)
            }
            (_, Some((_, other))) if other.partner == report.partner => {
                ReferralStatus::Refused(ReferralRefusal::AnotherReport)
            }
            (_, Some(_)) => ReferralStatus::Refused(ReferralRefusal::AnotherPartner),
        };
        Some(((customer.clone(), key.clone()), standing))
    };
    partners.referrals.iter().filter_map(of_one).collect()
}

/// Why what a report earns waits for a person.
fn open_signal(partners: &Partners, key: &str, report: &Referral) -> Option<SelfReferralSignal> {
    let released = partners.decisions.get(key) == Some(&Decision::Release);
    let pin = partners.attribution_terms.get(key)?;
    let alone = is_by_code_alone(partners, key, report).then_some(SelfReferralSignal::SharedCode);
    pin.self_referral_signal.or(alone).filter(|_| !released)
}

fn is_in_window(pin: &EffectiveTerms, report: &Referral, first_paid: i64) -> bool {
    let window = i64::from(pin.program.window_days) * 86_400;
    let (sent, answer) = (report.referred_at.as_second(), pin.reported_at.as_second());
    first_paid - sent <= window && answer - first_paid <= window
}

/// The report that counts.
fn winner(partners: &Partners, first_paid: i64) -> Option<(&String, &Referral)> {
    let stands = |(key, report): &(&String, &Referral)| {
        let pin = partners.attribution_terms.get(*key);
        let void = partners.decisions.get(*key) == Some(&Decision::Void);
        let near = pin.is_none_or(|pin| is_in_window(pin, report, first_paid));
        !report.canceled && !void && near && is_about(partners, report)
    };
    let mut standing: Vec<(&String, &Referral)> =
        partners.referrals.iter().filter(stands).collect();
    // Those that wait for a person come behind all others.
    let alone = |(key, report): &(&String, &Referral)| is_by_code_alone(partners, key, report);
    if !standing.iter().all(alone) {
        standing.retain(|report| !alone(report));
    }
    standing.sort_by_key(|(key, report)| (heard_at(partners, key, report), *key));
    let first = *standing.first()?;
    let claim = partners
        .attribution_terms
        .get(first.0)
        .map(|pin| pin.program.attribution_model);
    if claim != Some(AttributionModel::Last) {
        return Some(first);
    }
    standing.retain(|(key, report)| heard_at(partners, key, report).as_second() <= first_paid);
    Some(standing.last().copied().unwrap_or(first))
}

/// The exact fraction, plus a half, cut off.
fn commission_minor(reward: Reward, payment: &Payment) -> i64 {
    let Some(paid) = payment.paid().filter(|paid| paid.minor > 0) else {
        return 0;
    };
    // What went back in another currency can't be compared, and takes nothing back.
    let mut own = payment.clone();
    let counts = |amount: StatedAmount| amount.currency.is_none_or(|code| code == paid.currency);
    own.refunds.retain(|_, refund| counts(refund.amount));
    own.disputes.retain(|_, dispute| counts(dispute.amount));
    let back = own.refunded_minor().max(0) + own.disputed_minor().max(0);
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
