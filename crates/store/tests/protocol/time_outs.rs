//! How long each thing lasts, in numbers and on both sides of its border: what another part of the
//! house, or a person, counts on.

use crate::support::{acme, at, customer, ingest, paid, program, report, subscribed};
use domain::ids::{CustomerKey, ObjectId};
use domain::letter::{Letter, TRIAL_NOTICE};
use domain::money::{Currency, Money};
use domain::notice::GIVE_UP_AFTER;
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::payout::{PayoutOutcome, PayoutRequest};
use domain::partner::tiers::ProgramTerms;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::audit::{OVERDUE_AFTER, Walk, walk};
use store::letters::{ClaimOutcome, LEASE, LetterState, SendTask, claim};
use store::memory::MemoryTable;
use store::notice_endpoints::{KEY_OVERLAP, set};
use store::partners::{PartnerRow, put_new, read};
use store::payouts::run;
use store::tiers::reconcile_tiers;
use store::{Item, Key, Table, WriteCondition};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

#[test]
fn what_is_promised_lasts_as_long_as_the_pages_say() {
    let last = [
        // A sender has so long for its outcome, and its function less to run.
        (LEASE, 15 * MINUTE),
        (OVERDUE_AFTER, 5 * MINUTE),
        // A partner changes over to a new secret.
        (KEY_OVERLAP, DAY),
        // An hour less than its messages are tried.
        (GIVE_UP_AFTER, 71 * HOUR),
        (TRIAL_NOTICE, 3 * DAY),
    ];
    for (is, promised) in last {
        assert_eq!(is, promised);
    }
}

#[test]
fn each_letter_has_its_window() {
    let windows = [
        (Letter::Welcome, 7 * DAY),
        (Letter::PaymentFailed, 3 * DAY),
        (Letter::PaymentRecovered, 3 * DAY),
        (Letter::CancellationConfirmed, 7 * DAY),
        (Letter::TrialEnding, 3 * DAY),
    ];
    assert_eq!(windows.map(|(letter, _)| letter), Letter::ALL);
    for (letter, window) in windows {
        assert_eq!(letter.window_end(at(0)), at(0) + window, "{letter:?}");
    }
}

#[tokio::test]
async fn a_letter_is_claimed_until_the_last_second_of_its_window() {
    for (moment, is_claimed) in [(at(7 * 24) - SECOND, true), (at(7 * 24), false)] {
        let (table, task) = welcome().await;
        let claimed = claim(&table, &task, "one", moment).await.unwrap();
        let is = matches!(claimed, ClaimOutcome::Claimed { .. });
        assert_eq!(is, is_claimed, "{moment}: {claimed:?}");
    }
}

#[tokio::test]
async fn a_claim_is_its_owners_for_a_quarter_of_an_hour() {
    let (table, task) = welcome().await;
    claim(&table, &task, "one", at(1)).await.unwrap();
    let ends = at(1) + 15 * MINUTE;
    let before = walk(&table, 9, ends - SECOND).await.unwrap();
    assert_eq!(before.unknown_letters, 0);
    let busy = claim(&table, &task, "other", ends - SECOND).await.unwrap();
    assert!(matches!(busy, ClaimOutcome::Busy));
    let over = claim(&table, &task, "other", ends).await.unwrap();
    assert!(matches!(
        over,
        ClaimOutcome::Done(LetterState::Unknown { .. })
    ));
}

#[tokio::test]
async fn a_letter_that_is_due_is_overdue_after_five_minutes() {
    let (table, _) = welcome().await;
    let named = async |now| walk(&table, 9, now).await.unwrap().overdue_letters.len();
    assert_eq!(named(at(1) + 5 * MINUTE).await, 0);
    assert_eq!(named(at(1) + 5 * MINUTE + SECOND).await, 1);
}

#[tokio::test]
async fn a_row_is_handed_over_again_from_a_quarter_of_an_hour_to_a_week() {
    let table = MemoryTable::default();
    set(&table, &acme(), "https://acme.example/", at(0))
        .await
        .unwrap();
    ingest(&table, report(1)).await;
    ingest(&table, paid(1, 1)).await;
    let missed = async |wait| {
        let found = walk(&table, 9, at(1) + wait).await.unwrap();
        found.undelivered.len()
    };
    assert_eq!(missed(15 * MINUTE).await, 0);
    assert_eq!(missed(15 * MINUTE + SECOND).await, 2);
    assert_eq!(missed(7 * DAY - SECOND).await, 2);
    assert_eq!(missed(7 * DAY).await, 0);
}

#[tokio::test]
async fn a_tier_counts_ten_minutes_after_it_was_counted() {
    let table = MemoryTable::default();
    let offer = ProgramTerms {
        program: program(),
        tiers: vec!["2:25%".parse().unwrap()],
    };
    let mut row = PartnerRow::new(acme());
    row.set_terms(&offer, 0, at(0));
    put_new(&table, row).await.unwrap();
    let active = BTreeMap::from([(acme(), 2)]);
    reconcile_tiers(&table, &active, at(1)).await.unwrap();
    let row = read(&table, &acme()).await.unwrap().unwrap();
    assert_eq!(row.latest().unwrap().since, at(1) + 10 * MINUTE);
}

#[tokio::test]
async fn a_payout_lists_rows_of_its_last_week() {
    let table = MemoryTable::default();
    let now = at(24 * 100);
    for (n, age) in [(0, 7 * DAY), (1, 7 * DAY - SECOND)] {
        let row = Item::Commission(Arc::new(row_of(n, now - age)));
        table.put(row, WriteCondition::Absent).await.unwrap();
    }
    let request = PayoutRequest {
        date: date(2026, 4, 10),
        minimums: Vec::new(),
    };
    let paid = run(&table, &acme(), &request, now).await.unwrap();
    let PayoutOutcome::Pay(payout, _) = paid else {
        panic!("{paid:?}")
    };
    assert_eq!(payout.complete_until, now - 7 * DAY);
    let listed: Vec<u64> = payout.late_rows.into_values().flatten().collect();
    assert_eq!(listed, [1]);
}

#[tokio::test]
async fn a_partition_is_passed_over_after_two_runs_that_died_at_it() {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let mut passed_over = Vec::new();
    for _ in 0..3 {
        let mut run = Walk::resume(&table, at(2)).await.unwrap().unwrap();
        let mut found = run.step(at(2)).await.unwrap();
        while !run.has_progressed() {
            found.add(run.step(at(2)).await.unwrap());
        }
        passed_over.push(found.passed_over.count);
        // It dies before its place is saved.
    }
    // The second one is careful, and looks all the same.
    assert_eq!(passed_over, [0, 0, 1]);
}

async fn welcome() -> (MemoryTable, SendTask) {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let key = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    let Some(Item::Letter(row)) = table.get(key).await.unwrap() else {
        panic!("it is due")
    };
    (table, SendTask::of(&row))
}

/// A row that was decided then and is released.
fn row_of(n: u64, at: Timestamp) -> CommissionRow {
    CommissionRow {
        partner: acme(),
        customer: CustomerKey::parse("stripe/test/cus_1").unwrap(),
        payment: ObjectId::parse("pi_1").unwrap(),
        n,
        kind: RowKind::Commission,
        amount: Money {
            minor: 100,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        referral: None,
        sub_ids: BTreeMap::default(),
        is_tax_unknown: false,
        self_referral_signal: None,
        reward: None,
        base_minor: None,
        paid_at: None,
        at,
        releases_at: at,
    }
}
