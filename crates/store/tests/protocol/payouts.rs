//! Payouts over the store: however many run at once, and wherever one dies, nothing is paid
//! twice, and every transfer is in one message to the bank.

use crate::support::at_once;
use domain::ids::{CustomerKey, ObjectId, PartnerId};
use domain::money::{Currency, Money};
use domain::partner::bank_account::BankAccount;
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::payout::balances;
use domain::partner::payout::{Payout, PayoutOutcome, PayoutRequest};
use domain::partner::statement::statement;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use store::memory::{Crash, Fault, MemoryTable, TableRequest};
use store::payouts::{
    LedgerSnapshot, PayoutError, Transfer, bank, read_ledger_snapshot, run, save_transfer_batches,
    set_bank,
};
use store::{Item, PutOutcome, StoreError, Table, WriteCondition};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_runs_at_once_pay_once() {
    let table = MemoryTable::default().yielding();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_for_different_days_while_rows_come_in_pay_each_row_once() {
    let table = MemoryTable::default();
    let mut tasks = Vec::new();
    for n in 0..200_u8 {
        let table = table.clone();
        tasks.push(tokio::spawn(async move {
            put(&table, n.into(), 10 + i64::from(n)).await;
            let day = 1 + (n % 27) as i8;
            match run(&table, &acme(), &request_for(day), noon(28)).await {
                // A later day was paid meanwhile.
                Ok(_) | Err(PayoutError::Refused(_)) => {}
                Err(error) => panic!("{error}"),
            }
            check(&read_ledger_snapshot(&table, &acme()).await.unwrap());
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    run(&table, &acme(), &request_for(28), noon(28))
        .await
        .unwrap();
    let books = read_ledger_snapshot(&table, &acme()).await.unwrap();
    check(&books);
    assert_eq!(released(&books), 0);
    assert_eq!(paid(&books), (0..200).map(|n| 10 + n).sum::<i64>());
}

#[tokio::test]
async fn a_run_that_dies_anywhere_is_the_same_payout_when_it_is_asked_again() {
    for after in 0..4 {
        for lost in [false, true] {
            let table = MemoryTable::with_page(0);
            for n in 0..3 {
                put(&table, n, 100).await;
            }
            let mortal = table.process();
            mortal.set_faults(
                Crash {
                    after,
                    answer_lost: lost,
                }
                .faults(),
            );
            let first = run(&mortal, &acme(), &request_for(5), noon(5)).await;
            let dead = matches!(&first, Err(PayoutError::Store(StoreError::NoAnswer(_))));
            assert_eq!(dead, after < 3, "three requests pay");
            // Meanwhile more is released; whoever asks for that day again gets what was decided.
            put(&table, 3, 100).await;
            let decided = read_ledger_snapshot(&table, &acme()).await.unwrap().payouts;
            run(&table, &acme(), &request_for(5), noon(6))
                .await
                .unwrap();
            let books = read_ledger_snapshot(&table, &acme()).await.unwrap();
            assert_eq!(books.payouts.len(), 1);
            if let [payout] = decided.as_slice() {
                assert_eq!((&books.payouts[0], paid(&books)), (payout, 300));
            } else {
                assert_eq!(paid(&books), 400);
            }
            check(&books);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_tell_the_bank_at_once_each_transfer_is_in_one_message() {
    let table = MemoryTable::default();
    let all: Vec<Transfer> = (0..60).map(transfer).collect();
    let tellers = (0..30).map(|n| {
        let (table, some) = (table.clone(), all[n..=2 * n].to_vec());
        tokio::spawn(async move {
            save_transfer_batches(&table, day(5), &some, noon(5))
                .await
                .unwrap()
        })
    });
    for told in tellers.collect::<Vec<_>>() {
        told.await.unwrap();
    }
    let told = save_transfer_batches(&table, day(5), &all, noon(6))
        .await
        .unwrap();
    let mut in_messages: Vec<&Transfer> =
        told.iter().flat_map(|message| &message.transfers).collect();
    in_messages.sort_by_key(|transfer| transfer.payout);
    assert_eq!(in_messages, all.iter().collect::<Vec<_>>());
    // Asked again, also with another account: what the bank was told stands.
    let mut moved = all.clone();
    moved[0].account = BankAccount::new("Other", "NL91ABNA0417164300", None).unwrap();
    let again = save_transfer_batches(&table, day(5), &moved, noon(7))
        .await
        .unwrap();
    assert_eq!(again, told);
    let other_day = save_transfer_batches(&table, day(6), &[], noon(7))
        .await
        .unwrap();
    assert_eq!(other_day, []);
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_the_same_message() {
    for after in 0..3 {
        for lost in [false, true] {
            let table = MemoryTable::default();
            let mortal = table.process();
            mortal.set_faults(
                Crash {
                    after,
                    answer_lost: lost,
                }
                .faults(),
            );
            let first = save_transfer_batches(&mortal, day(5), &[transfer(1)], noon(5)).await;
            assert_eq!(first.is_err(), after < 3);
            let some = [transfer(1), transfer(2)];
            let told = save_transfer_batches(&table, day(5), &some, noon(6))
                .await
                .unwrap();
            let known = after > 1 || (after == 1 && lost);
            let lists: Vec<usize> = told.iter().map(|message| message.transfers.len()).collect();
            assert_eq!(
                lists,
                if known { vec![1, 1] } else { vec![2] },
                "{after} {lost}"
            );
        }
    }
}

#[tokio::test]
async fn of_two_who_set_an_account_at_once_one_is_told_so() {
    let table = MemoryTable::default();
    let account = |holder| BankAccount::new(holder, "NL91ABNA0417164300", None).unwrap();
    assert!(
        set_bank(&table, &acme(), account("One"), noon(1))
            .await
            .unwrap()
    );
    assert!(
        set_bank(&table, &acme(), account("One"), noon(2))
            .await
            .unwrap()
    );
    let row = bank(&table, &acme()).await.unwrap().unwrap();
    assert_eq!((row.version, row.since), (1, noon(1)));
    assert!(
        set_bank(&table, &acme(), account("Two"), noon(3))
            .await
            .unwrap()
    );
    // One who read the first and writes after the second.
    let stale = Item::Bank(Arc::new(store::payouts::BankRow {
        version: 2,
        account: account("Three"),
        ..(*row).clone()
    }));
    assert!(matches!(
        table
            .put(stale, WriteCondition::Version(row.version))
            .await
            .unwrap(),
        PutOutcome::Refused(_)
    ));
    let row = bank(&table, &acme()).await.unwrap().unwrap();
    assert_eq!((row.account.holder(), row.version), ("Two", 2));
}

#[tokio::test]
async fn whoever_lost_the_race_for_an_account_is_told_so() {
    let account = |holder| BankAccount::new(holder, "NL91ABNA0417164300", None).unwrap();
    let table = MemoryTable::default();
    for faster in ["One", "Two"] {
        let (process, other) = (table.process(), table.process());
        let mut is_raced = false;
        process.set_faults(move |request| {
            let puts = matches!(request, TableRequest::Put(..));
            if puts && !std::mem::replace(&mut is_raced, true) {
                let partner = acme();
                let said = set_bank(&other, &partner, account(faster), noon(1));
                assert_eq!(at_once(said), Ok(true));
            }
            Fault::None
        });
        let slower = set_bank(&process, &acme(), account("Three"), noon(2)).await;
        assert_eq!(slower, Ok(false));
        let row = bank(&table, &acme()).await.unwrap().unwrap();
        assert_ne!(row.account.holder(), "Three");
    }
}

/// The rows that are said to be paid come to what was paid, and no more than was released.
fn check(books: &LedgerSnapshot) {
    let said = books
        .rows
        .iter()
        .filter(|row| is_paid_by(&books.payouts, row));
    let said: i64 = said.map(|row| row.amount.minor).sum();
    assert_eq!(said, paid(books));
    let numbers: Vec<u64> = books.payouts.iter().map(|payout| payout.n).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let shown = statement(&books.rows, &books.payouts, noon(28));
    let as_shown = shown.rows.iter().filter(|row| row.state == "paid");
    assert_eq!(as_shown.map(|row| row.amount_minor).sum::<i64>(), 0);
}

fn is_paid_by(payouts: &[Payout], row: &CommissionRow) -> bool {
    payouts.iter().any(|payout| payout.includes(row))
}

fn paid(books: &LedgerSnapshot) -> i64 {
    let amounts = books.payouts.iter().flat_map(|payout| &payout.amounts);
    amounts.map(|amount| amount.minor).sum()
}

fn released(books: &LedgerSnapshot) -> i64 {
    let balances = balances(&books.rows, &books.payouts, noon(28));
    balances.iter().map(|balance| balance.released_minor).sum()
}

/// Row n, released before the month.
fn row(n: u64, minor: i64) -> CommissionRow {
    CommissionRow {
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
    }
}

async fn put<T: Table>(table: &T, n: u64, minor: i64) {
    let row = Item::Commission(Arc::new(row(n, minor)));
    let put = table.put(row, WriteCondition::Absent);
    assert_eq!(put.await.unwrap(), PutOutcome::Done);
}

fn transfer(n: u64) -> Transfer {
    Transfer {
        partner: PartnerId::parse(format!("partner-{}", n % 3)).unwrap(),
        payout: n,
        amount: eur(100),
        account: BankAccount::new("Acme", "DE89370400440532013000", None).unwrap(),
    }
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

#[tokio::test]
async fn what_is_released_later_that_day_is_the_next_payouts() {
    let table = MemoryTable::default();
    put(&table, 1, 100).await;
    let mut later = row(2, 50);
    later.releases_at = noon(5) + SignedDuration::from_hours(6);
    table.insert(Arc::new(later)).await.unwrap();
    let run = run(&table, &acme(), &request_for(5), noon(5))
        .await
        .unwrap();
    let PayoutOutcome::Pay(payout, _) = run else {
        panic!("{run:?}")
    };
    assert_eq!((payout.amounts, payout.until), (vec![eur(100)], noon(5)));
}

#[tokio::test]
async fn a_row_that_comes_late_is_not_paid_by_the_number_of_another_customers() {
    let table = MemoryTable::default();
    put(&table, 1, 100).await;
    run(&table, &acme(), &request_for(5), noon(5))
        .await
        .unwrap();
    // Decided before the payout, put after it, and numbered like the other's.
    let mut late = row(1, 70);
    late.customer = CustomerKey::parse("stripe/test/cus_late").unwrap();
    late.at = noon(4);
    table.insert(Arc::new(late.clone())).await.unwrap();
    let books = read_ledger_snapshot(&table, &acme()).await.unwrap();
    assert!(!is_paid_by(&books.payouts, &late));
    assert_eq!(released(&books), 70);
}
