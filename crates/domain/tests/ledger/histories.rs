//! The ledger's laws over generated histories, against sums that the test computes itself.
//!
//! `cargo test --profile prove -p domain --test ledger -- --ignored --nocapture` runs a million.

use crate::history::{History, PartnerReport, SeededRng, ShopPayment};
use crate::model_table::{LedgerTable, customer, day, money};
use domain::ids::PartnerId;
use domain::money::Currency;
use domain::partner::payout::balances;
use domain::partner::payout::{Payout, PayoutOutcome, PayoutRequest, day_of, decide};
use domain::partner::program::{AttributionModel, CommissionDuration, Reward};
use domain::partner::referral::Decision;
use domain::record::Record;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::BTreeMap;

const SEED: u64 = 7;

#[test]
fn ledgers_of_some_thousand_histories_are_right() {
    println!("{}", run(4_000));
}

#[test]
#[ignore = "minutes; the command above runs it"]
fn ledgers_of_a_million_histories_are_right() {
    println!("{}", run(1_000_000));
}

/// How often each case was generated.
#[derive(Default, Debug)]
struct HistoryCounts {
    deliveries: u64,
    rows: u64,
    earning: u64,
    held: u64,
    over_twelve: u64,
    lost_records: u64,
    payouts: u64,
    carried: u64,
    late: u64,
    left: u64,
}

fn run(histories: u64) -> String {
    let mut counts = HistoryCounts::default();
    for n in 0..histories {
        let mut rng = SeededRng(SEED.wrapping_mul(1_000_003).wrapping_add(n << 20));
        check_history(&mut rng, &mut counts).unwrap_or_else(|error| panic!("history {n}: {error}"));
    }
    let required = [
        counts.earning,
        counts.held,
        counts.over_twelve,
        counts.lost_records,
        counts.carried,
        counts.late,
        counts.left,
    ];
    assert!(
        required.iter().all(|count| *count > histories / 1_000),
        "{counts:?}"
    );
    format!("{histories} histories, seed {SEED}, 0 wrong: {counts:?}")
}

/// What the rows add up to. The rows of a payment stand under the id that was known first, which
/// depends on the order of arrival; its number does not.
fn sums_by_payment(table: &LedgerTable) -> LedgerSums {
    let mut sums: LedgerSums = BTreeMap::new();
    for (account, total) in table.sums() {
        let number = account.payment.as_str().split('_').nth(1).unwrap();
        let key = (
            account.partner.to_string(),
            account.currency,
            account.self_referral_signal.is_some(),
            number.parse().unwrap(),
        );
        *sums.entry(key).or_default() += total;
    }
    sums
}

fn check_history(rng: &mut SeededRng, counts: &mut HistoryCounts) -> Result<(), String> {
    let history = History::generate(rng);
    let accrued = expected_sums(&history);
    let (table, payouts) = deliver_in_disorder(&history, rng, counts)?;
    counts.rows += table.rows.len() as u64;
    counts.held += u64::from(accrued.keys().any(|(_, _, held, _)| *held));
    counts.earning += u64::from(accrued.keys().any(|(_, _, held, _)| !held));
    counts.over_twelve += u64::from(history.payments.len() > 12);
    let sums = sums_by_payment(&table);
    if sums != accrued {
        return Err(format!(
            "the rows add up to {sums:?}, accrued is {accrued:?}"
        ));
    }
    paid_once(&table, &accrued, &payouts)?;
    // The same events in their right order, delivered to an empty table, make the same sums. Rows
    // stay under the id of their payment that was known first, which the order decides.
    let mut replayed = history.events.clone();
    replayed.sort_by_key(|event| event.occurred_at);
    let replayed = LedgerTable::after(&replayed);
    if sums_by_payment(&replayed) != sums || replayed.record.folded != table.record.folded {
        return Err(format!(
            "{:?} after a replay {:?}",
            table.summary(),
            replayed.summary()
        ));
    }
    Ok(())
}

/// By partner, currency, whether it is held, and the number in all ids of the payment.
type LedgerSums = BTreeMap<(String, Currency, bool, usize), i64>;

/// Delivers the events repeated and shuffled. Processes die before they put rows, records get lost,
/// and partners are paid in between.
fn deliver_in_disorder(
    history: &History,
    rng: &mut SeededRng,
    counts: &mut HistoryCounts,
) -> Result<(LedgerTable, Vec<Payout>), String> {
    let mut events: Vec<_> = history.events.iter().collect();
    for _ in 0..rng.below(3) {
        if !events.is_empty() {
            events.push(events[rng.below(events.len())]);
        }
    }
    if rng.one_in(3) {
        events.sort_by_key(|event| event.occurred_at);
    } else {
        rng.shuffle(&mut events);
    }
    let mut table = LedgerTable::new();
    let mut payouts: Vec<Payout> = Vec::new();
    let mut now = day(3, 1);
    for event in events {
        let hours = [4, 24 * 30][rng.below(2)];
        now += SignedDuration::from_hours(rng.below(hours) as i64);
        if hours > 4 {
            // The audit has run meanwhile.
            table.put();
        }
        counts.deliveries += 1;
        table.fold(event, now);
        if !rng.one_in(5) {
            table.put();
        }
        if rng.one_in(50) {
            counts.lost_records += 1;
            table.record = Record::new(customer());
            table.rebuild(&[], now);
        }
        if rng.one_in(8) {
            pay_out(&table, &mut payouts, rng, now, counts)?;
        }
        paid_rows_are_what_was_paid(&table, &payouts)?;
    }
    table.put();
    Ok((table, payouts))
}

fn pay_out(
    table: &LedgerTable,
    payouts: &mut Vec<Payout>,
    rng: &mut SeededRng,
    now: Timestamp,
    counts: &mut HistoryCounts,
) -> Result<(), String> {
    for partner in ["acme", "peel", "zest"].map(|text| PartnerId::parse(text).unwrap()) {
        let (rows, before) = of_partner(table, payouts, &partner);
        let negative = balances(&rows, &before, now);
        counts.carried += negative.iter().filter(|b| b.released_minor < 0).count() as u64;
        let order = PayoutRequest {
            date: day_of(now - SignedDuration::from_hours(rng.below(72) as i64)),
            minimums: vec![money(1 + rng.below(500) as i64, "eur")],
        };
        let decided = decide(&partner, &rows, &before, &order, now);
        let Ok(PayoutOutcome::Pay(payout, left)) = decided else {
            continue;
        };
        counts.payouts += 1;
        counts.late += payout.late_rows.len() as u64;
        counts.left += left.len() as u64;
        payouts.push(payout);
        let again = decide(
            &partner,
            &rows,
            &of_partner(table, payouts, &partner).1,
            &order,
            now,
        );
        if again != Ok(PayoutOutcome::AlreadyPaid(payouts.last().unwrap().clone())) {
            return Err(format!("the same day is paid again: {again:?}"));
        }
    }
    Ok(())
}

/// Checks that in each currency the rows shown as paid add up to what was paid. Rows that were put
/// later must not be among them.
fn paid_rows_are_what_was_paid(table: &LedgerTable, payouts: &[Payout]) -> Result<(), String> {
    for partner in ["acme", "peel", "zest"].map(|text| PartnerId::parse(text).unwrap()) {
        let (rows, payouts) = of_partner(table, payouts, &partner);
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for row in rows
            .iter()
            .filter(|row| payouts.iter().any(|p| p.includes(row)))
        {
            *sums.entry(row.amount.currency).or_default() += row.amount.minor;
        }
        for amount in payouts.iter().flat_map(|payout| &payout.amounts) {
            if amount.minor <= 0 {
                return Err(format!("{partner} is paid {amount}"));
            }
            *sums.entry(amount.currency).or_default() -= amount.minor;
        }
        if sums.values().any(|sum| *sum != 0) {
            return Err(format!(
                "rows shown as paid less payouts: {sums:?} {payouts:?}"
            ));
        }
    }
    Ok(())
}

fn of_partner(
    table: &LedgerTable,
    payouts: &[Payout],
    partner: &PartnerId,
) -> (Vec<domain::partner::ledger::CommissionRow>, Vec<Payout>) {
    let rows = table
        .rows()
        .into_iter()
        .filter(|row| row.partner == *partner);
    let payouts = payouts.iter().filter(|payout| payout.partner == *partner);
    (rows.collect(), payouts.cloned().collect())
}

/// Checks for each currency that, when all holds have ended, what was paid and what can still be
/// paid add up to what has accrued.
fn paid_once(table: &LedgerTable, accrued: &LedgerSums, payouts: &[Payout]) -> Result<(), String> {
    for partner in ["acme", "peel", "zest"] {
        let (rows, payouts) = of_partner(table, payouts, &PartnerId::parse(partner).unwrap());
        for balance in balances(
            &rows,
            &payouts,
            day(3, 1) + SignedDuration::from_hours(24 * 3_650),
        ) {
            let of = |waiting| -> i64 {
                let sums = accrued.iter().filter(|((owner, currency, held, _), _)| {
                    owner == partner && *currency == balance.currency && *held == waiting
                });
                sums.map(|(_, sum)| sum).sum()
            };
            let right = balance.pending_minor == 0
                && balance.paid_minor + balance.released_minor == of(false)
                && balance.held_minor == of(true);
            if !right {
                return Err(format!(
                    "{partner} has {balance:?}, accrued is {}",
                    of(false)
                ));
            }
        }
    }
    Ok(())
}

/// What has accrued, computed from the history: from what arrived, less refunds and disputes.
fn expected_sums(history: &History) -> LedgerSums {
    let arrived = || {
        history
            .payments
            .iter()
            .enumerate()
            .filter(|(_, p)| p.arrived)
    };
    let mut sums = LedgerSums::new();
    let Some((first, first_paid)) = arrived().min_by_key(|(_, p)| p.at) else {
        return sums;
    };
    let Some(report) = winner(&history.reports, first_paid.at) else {
        return sums;
    };
    let held = report.looks_like_partner && report.decision != Some(Decision::Release);
    for (n, payment) in arrived() {
        let covered = match report.program.duration {
            CommissionDuration::FirstPayment => n == first,
            CommissionDuration::Life => true,
            CommissionDuration::Months(months) => {
                let first = first_paid.at.to_zoned(TimeZone::UTC);
                payment.at < (&first + i32::from(months).months()).timestamp()
            }
        };
        let sum = share(report.program.reward, payment);
        if covered && sum != 0 {
            let key = (report.partner.clone(), payment.paid.currency, held, n);
            sums.insert(key, sum);
        }
    }
    sums
}

fn winner(reports: &[PartnerReport], first_paid: Timestamp) -> Option<&PartnerReport> {
    let near = |report: &PartnerReport| {
        let window = i64::from(report.program.window_days) * 86_400;
        let (sent, reported) = (report.sent.as_second(), report.reported.as_second());
        first_paid.as_second() - sent <= window && reported - first_paid.as_second() <= window
    };
    let counts = |r: &&PartnerReport| !r.canceled && r.decision != Some(Decision::Void) && near(r);
    let mut reports: Vec<&PartnerReport> = reports.iter().filter(counts).collect();
    reports.sort_by_key(|report| (report.reported, &report.partner));
    let first = *reports.first()?;
    if first.program.attribution_model == AttributionModel::First {
        return Some(first);
    }
    reports.retain(|report| report.reported <= first_paid);
    reports.sort_by_key(|report| (report.reported, &report.partner));
    Some(reports.last().copied().unwrap_or(first))
}

/// Computed by hand: the exact fraction plus a half, rounded down.
fn share(reward: Reward, payment: &ShopPayment) -> i64 {
    let paid = i128::from(payment.paid.minor);
    let left = (payment.paid.minor - payment.refunded - payment.disputed).max(0);
    let (earned, per) = match reward {
        Reward::BasisPoints(points) => (
            i128::from(points) * (paid - i128::from(payment.tax)),
            10_000,
        ),
        Reward::Fixed(fixed) if fixed.currency == payment.paid.currency => {
            (i128::from(fixed.minor), 1)
        }
        Reward::Fixed(_) => return 0,
    };
    let (numerator, denominator) = (earned * i128::from(left), per * paid);
    ((2 * numerator + denominator) / (2 * denominator)) as i64
}
