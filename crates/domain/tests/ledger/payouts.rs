//! Payouts: what a request pays, leaves or is refused for, by example and over generated ledgers.

use crate::model_table::{day, money};
use domain::ids::{CustomerKey, ObjectId, PartnerId};
use domain::money::Money;
use domain::partner::identity::SelfReferralSignal;
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::payout::balances;
use domain::partner::payout::{
    HoldReason, Payout, PayoutOutcome, PayoutRefusal, PayoutRequest, UnpaidBalance, day_of, decide,
};
use domain::partner::statement::statement;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// Row `n`, decided on one day of March and released on another.
fn row(n: u64, minor: i64, decided: i8, released: i8) -> CommissionRow {
    CommissionRow {
        partner: acme(),
        customer: CustomerKey::parse("stripe/test/cus_1").unwrap(),
        payment: ObjectId::parse("pi_1").unwrap(),
        n,
        kind: RowKind::Commission,
        amount: money(minor, "eur"),
        referral: None,
        sub_ids: Default::default(),
        is_tax_unknown: false,
        self_referral_signal: None,
        reward: None,
        base_minor: None,
        paid_at: None,
        at: day(3, decided),
        releases_at: day(3, released),
    }
}

fn acme() -> PartnerId {
    PartnerId::parse("acme").unwrap()
}

fn on(day: i8) -> PayoutRequest {
    PayoutRequest {
        date: date(2026, 3, day),
        minimums: Vec::new(),
    }
}

fn ask(
    rows: &[CommissionRow],
    payouts: &[Payout],
    request: &PayoutRequest,
    now: Timestamp,
) -> PayoutOutcome {
    decide(&acme(), rows, payouts, request, now).unwrap()
}

fn paid(run: PayoutOutcome) -> Payout {
    match run {
        PayoutOutcome::Pay(payout, _) => payout,
        PayoutOutcome::AlreadyPaid(_) | PayoutOutcome::Nothing(_) => panic!("{run:?}"),
    }
}

#[test]
fn a_day_has_one_payout_whatever_is_asked_again() {
    let rows = [row(0, 200, 1, 2)];
    let payout = paid(ask(&rows, &[], &on(5), day(3, 5)));
    assert_eq!((payout.n, payout.amounts[0].minor), (1, 200));
    assert_eq!(payout.name(), "acme-1");
    let more = [row(0, 200, 1, 2), row(1, 50, 4, 5)];
    let payouts = [payout.clone()];
    for (minimum, now) in [
        (vec![], day(3, 5)),
        (vec![money(100_000, "eur")], day(3, 5)),
        (vec![], day(3, 9)),
        // The clock may have been set back.
        (vec![], day(3, 1)),
    ] {
        let request = PayoutRequest {
            minimums: minimum,
            ..on(5)
        };
        let expected = PayoutOutcome::AlreadyPaid(payout.clone());
        assert_eq!(ask(&more, &payouts, &request, now), expected, "{request:?}");
    }
    let next = paid(ask(&more, &payouts, &on(6), day(3, 6)));
    assert_eq!((next.n, next.amounts[0].minor), (2, 50));
}

#[test]
fn a_day_to_come_and_one_before_the_last_payout_are_refused() {
    let rows = [row(0, 200, 1, 2)];
    let now = day(3, 5);
    let refused = decide(&acme(), &rows, &[], &on(6), now).unwrap_err();
    let date = date(2026, 3, 6);
    assert_eq!(refused, PayoutRefusal::FutureDate { date, now });
    assert_eq!(
        refused.to_string(),
        "2026-03-06 is in the future: it is 2026-03-05T12:00:00Z now, so that day \
         cannot be paid out yet"
    );
    let payouts = [paid(ask(&rows, &[], &on(5), now))];
    let refused = decide(&acme(), &rows, &payouts, &on(4), day(3, 7)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "2026-03-04 is before the last payout (number 1, of 2026-03-05), which paid all that was \
         released by then: choose a later day"
    );
}

#[test]
fn a_day_that_is_over_takes_what_was_released_by_its_end_and_what_went_back_since() {
    let rows = [
        row(0, 200, 1, 5),
        row(1, 70, 1, 6),
        // Takes back from the first row, and was decided only on the 7th.
        row(2, -50, 7, 5),
    ];
    let payout = paid(ask(&rows, &[], &on(5), day(3, 8)));
    assert_eq!(payout.amounts, [money(150, "eur")]);
    assert_eq!(payout.until.to_string(), "2026-03-05T23:59:59Z");
    let states = |payouts: &[Payout]| -> Vec<&str> {
        let shown = statement(&rows, payouts, day(3, 8)).rows.into_iter();
        shown
            .filter(|row| row.kind == "commission")
            .map(|row| row.state)
            .collect()
    };
    assert_eq!(states(&[payout]), ["paid", "released", "paid"]);
}

#[test]
fn currencies_and_their_units_stand_apart_and_held_and_pending_stay() {
    let fine = Money {
        exponent: 4,
        ..money(40_000, "eur")
    };
    let held = CommissionRow {
        self_referral_signal: Some(SelfReferralSignal::SameEmail),
        ..row(5, 5_000, 1, 2)
    };
    let rows = [
        row(0, 200, 1, 2),
        of(money(900, "usd"), 1),
        of(money(-30, "gbp"), 2),
        of(fine, 3),
        row(4, 7_000, 1, 9),
        held,
    ];
    let request = PayoutRequest {
        minimums: vec![money(300, "eur"), money(1_000, "usd")],
        ..on(5)
    };
    let PayoutOutcome::Pay(payout, left) = ask(&rows, &[], &request, day(3, 5)) else {
        panic!("nothing is paid")
    };
    // 4.0000 EUR is not below 3.00 EUR, but 2.00 EUR is.
    assert_eq!(payout.amounts, [fine]);
    let below = |amount, minimum| UnpaidBalance {
        amount,
        reason: HoldReason::BelowMinimum(minimum),
    };
    let negative = UnpaidBalance {
        amount: money(-30, "gbp"),
        reason: HoldReason::Negative,
    };
    assert_eq!(
        left,
        [
            below(money(200, "eur"), money(300, "eur")),
            negative,
            below(money(900, "usd"), money(1_000, "usd")),
        ]
    );
    assert!(payout.includes(&rows[3]));
    for (n, row) in rows.iter().enumerate().filter(|(n, _)| *n != 3) {
        assert!(!payout.includes(row), "{n}");
    }
}

fn of(amount: Money, n: u64) -> CommissionRow {
    CommissionRow {
        amount,
        ..row(n, 0, 1, 2)
    }
}

#[test]
fn a_row_that_was_put_after_the_payout_is_paid_by_the_next() {
    let late = row(1, 60, 4, 5);
    let first = paid(ask(&[row(0, 200, 1, 2)], &[], &on(5), day(3, 5)));
    let rows = [row(0, 200, 1, 2), late];
    let states = |payouts: &[Payout]| -> Vec<&str> {
        let shown = statement(&rows, payouts, day(3, 9)).rows;
        let of_rows = shown.iter().filter(|row| row.kind == "commission");
        of_rows.map(|row| row.state).collect()
    };
    let mut payouts = vec![first];
    assert_eq!(states(&payouts), ["paid", "released"]);
    payouts.push(paid(ask(&rows, &payouts, &on(9), day(3, 9))));
    assert_eq!(payouts[1].amounts, [money(60, "eur")]);
    assert_eq!(states(&payouts), ["paid", "paid"]);
}

#[test]
fn a_payout_of_very_many_new_rows_stays_small() {
    let rows: Vec<CommissionRow> = (0..3_000)
        .map(|n| {
            let second = SignedDuration::from_secs(n as i64 / 2);
            CommissionRow {
                at: day(3, 4) + second,
                ..row(n, 1, 4, 4)
            }
        })
        .collect();
    let payout = paid(ask(&rows, &[], &on(5), day(3, 5)));
    let named: usize = payout.late_rows.values().map(|numbers| numbers.len()).sum();
    assert!((990..=1_000).contains(&named), "{named}");
    assert_eq!(payout.amounts, [money(3_000, "eur")]);
    assert!(rows.iter().all(|row| payout.includes(row)));
}

/// What happens to a ledger: a row that is decided and is put up to two days later, or a payout for
/// a day up to two days ago.
#[derive(Clone, Debug)]
enum LedgerActivity {
    Row {
        minor: i64,
        currency: usize,
        held: bool,
        hold: i64,
        put_after: i64,
    },
    Run {
        days_ago: i64,
        minimum: i64,
    },
}

fn any_activity() -> impl Strategy<Value = (i64, LedgerActivity)> {
    let row = (-400_i64..1_000, 0..2_usize, 0..8_u8, 0..90_i64, 0..48_i64).prop_map(
        |(minor, currency, held, hold, put_after)| LedgerActivity::Row {
            minor,
            currency,
            held: held == 0,
            hold,
            put_after,
        },
    );
    let run = (0..3_i64, 1..500_i64)
        .prop_map(|(days_ago, minimum)| LedgerActivity::Run { days_ago, minimum });
    (0..1_500_i64, prop_oneof![3 => row, 2 => run])
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2_000)
    })]

    #[test]
    fn nobody_is_paid_twice_or_more_than_is_released(
        mut story in prop::collection::vec(any_activity(), 1..40)
    ) {
        story.sort_by_key(|(hour, _)| *hour);
        let begin = day(3, 1);
        let hours = |hours: i64| begin + SignedDuration::from_hours(hours);
        let mut put: Vec<(Timestamp, CommissionRow)> = Vec::new();
        let mut payouts: Vec<Payout> = Vec::new();
        for (n, (hour, activity)) in story.into_iter().enumerate() {
            let now = hours(hour);
            match activity {
                LedgerActivity::Row { minor, currency, held, hold, put_after } => {
                    put.push((hours(hour + put_after), CommissionRow {
                        amount: money(minor, ["eur", "usd"][currency]),
                        self_referral_signal: held.then_some(SelfReferralSignal::SameDomain),
                        at: now,
                        releases_at: hours(hour + 24 * hold),
                        ..row(n as u64, 0, 1, 1)
                    }));
                }
                LedgerActivity::Run { days_ago, minimum } => {
                    let rows = visible_rows(&put, now);
                    let request = PayoutRequest {
                        date: days_before(day_of(now), days_ago),
                        minimums: vec![money(minimum, "eur")],
                    };
                    let outcome = decide(&acme(), &rows, &payouts, &request, now);
                    let Ok(PayoutOutcome::Pay(payout, _)) = outcome else {
                        continue;
                    };
                    prop_assert_eq!(payout.n, payouts.len() as u64 + 1);
                    prop_assert!(payout.amounts.iter().all(|amount| amount.minor > 0));
                    let until = payout.until;
                    payouts.push(payout.clone());
                    for code in ["eur", "usd"] {
                        prop_assert!(paid_so_far(&payouts, code) <= released(&rows, code, until)
                            || !payout.amounts.iter().any(|a| a.currency.code() == code));
                    }
                    let again = decide(&acme(), &rows, &payouts, &request, now);
                    prop_assert_eq!(again, Ok(PayoutOutcome::AlreadyPaid(payout)));
                }
            }
            let rows = visible_rows(&put, now);
            for code in ["eur", "usd"] {
                let is_paid = |row: &&CommissionRow| payouts.iter().any(|p| p.includes(row));
                let shown_as_paid: i64 = rows.iter().filter(is_paid)
                    .filter(|row| row.amount.currency.code() == code)
                    .map(|row| row.amount.minor).sum();
                prop_assert_eq!(shown_as_paid, paid_so_far(&payouts, code));
            }
        }
        // Long after that, one more payout pays all that is left.
        let end = hours(24 * 400);
        let rows = visible_rows(&put, end);
        let request = PayoutRequest { date: day_of(end), minimums: Vec::new() };
        if let Ok(PayoutOutcome::Pay(payout, _)) = decide(&acme(), &rows, &payouts, &request, end) {
            payouts.push(payout);
        }
        for balance in balances(&rows, &payouts, end) {
            prop_assert!(balance.released_minor <= 0 && balance.pending_minor == 0);
            let code = balance.currency.code();
            prop_assert_eq!(
                paid_so_far(&payouts, code) + balance.released_minor,
                released(&rows, code, end)
            );
        }
    }
}

fn visible_rows(put: &[(Timestamp, CommissionRow)], now: Timestamp) -> Vec<CommissionRow> {
    let visible = put.iter().filter(|(when, _)| *when <= now);
    visible.map(|(_, row)| row.clone()).collect()
}

fn days_before(date: Date, days: i64) -> Date {
    date - SignedDuration::from_hours(24 * days)
}

fn paid_so_far(payouts: &[Payout], code: &str) -> i64 {
    let amounts = payouts.iter().flat_map(|payout| &payout.amounts);
    amounts
        .filter(|amount| amount.currency.code() == code)
        .map(|amount| amount.minor)
        .sum()
}

/// Computed by hand: the sum of rows that are not held and whose hold has ended.
fn released(rows: &[CommissionRow], code: &str, by: Timestamp) -> i64 {
    rows.iter()
        .filter(|row| row.amount.currency.code() == code)
        .filter(|row| row.self_referral_signal.is_none() && row.releases_at <= by)
        .map(|row| row.amount.minor)
        .sum()
}
