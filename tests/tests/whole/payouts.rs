//! Payouts over the embedded engine: however many run at once, nothing is paid twice. What the
//! store promises besides is tested there.

use domain::ids::{CustomerKey, ObjectId, PartnerId};
use domain::money::{Currency, Money};
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::payout::balances;
use domain::partner::payout::{PayoutOutcome, PayoutRequest};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use store::payouts::{LedgerSnapshot, read_ledger_snapshot, run};
use store::{Item, PutOutcome, Table, WriteCondition};
use tests::harness::TestHarness;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_runs_at_once_pay_once() {
    let harness = TestHarness::open().await;
    let table = harness.table.clone();
    for n in 0..30 {
        put(&table, n, 200).await;
    }
    let runs = (0..20).map(|_| {
        let table = table.clone();
        tokio::spawn(async move {
            run(&table, &acme(), &request_for(5), noon(5))
                .await
                .unwrap()
        })
    });
    let mut paid = 0;
    for run in runs.collect::<Vec<_>>() {
        match run.await.unwrap() {
            PayoutOutcome::Pay(payout, _) => {
                paid += 1;
                assert_eq!(payout.amounts, [eur(30 * 200)]);
            }
            PayoutOutcome::AlreadyPaid(payout) => assert_eq!(payout.n, 1),
            PayoutOutcome::Nothing(_) => panic!("all of it is released"),
        }
    }
    assert_eq!(paid, 1);
    let books = read_ledger_snapshot(&table, &acme()).await.unwrap();
    assert_eq!((books.payouts.len(), released(&books)), (1, 0));
}

fn released(books: &LedgerSnapshot) -> i64 {
    let balances = balances(&books.rows, &books.payouts, noon(28));
    balances.iter().map(|balance| balance.released_minor).sum()
}

/// Row n, released before the month.
async fn put<T: Table>(table: &T, n: u64, minor: i64) {
    let row = CommissionRow {
        partner: acme(),
        customer: CustomerKey::parse(format!("stripe/test/cus_{}", n % 7)).unwrap(),
        payment: ObjectId::parse(format!("pi_{n}")).unwrap(),
        n,
        kind: RowKind::Commission,
        amount: eur(minor),
        referral: None,
        sub_ids: Default::default(),
        is_tax_unknown: false,
        self_referral_signal: None,
        reward: None,
        base_minor: None,
        paid_at: None,
        // Lately, for a run on any of these days.
        at: noon(27),
        releases_at: noon(1) - SignedDuration::from_hours(24),
    };
    let put = table.put(Item::Commission(Arc::new(row)), WriteCondition::Absent);
    assert_eq!(put.await.unwrap(), PutOutcome::Done);
}

fn acme() -> PartnerId {
    PartnerId::parse("acme").unwrap()
}

fn request_for(of_march: i8) -> PayoutRequest {
    PayoutRequest {
        date: day(of_march),
        minimums: Vec::new(),
    }
}

fn day(of_march: i8) -> Date {
    date(2026, 3, of_march)
}

fn noon(of_march: i8) -> Timestamp {
    let noon = day(of_march).at(12, 0, 0, 0);
    noon.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}

fn eur(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    }
}
