//! The commission ledger over the store's protocol: what it costs, and that nothing is lost or
//! owed twice however many deliver at once.

use crate::support::{acme, at, customer, disputed, ingest, paid, refunded, report};
use domain::partner::ledger::Ledger;
use domain::partner::payout;
use domain::partner::payout::balances;
use domain::payment::snapshot::DisputeState;
use std::sync::Arc;
use store::audit::walk;
use store::memory::MemoryTable;
use store::notice_endpoints::{remove, set};
use store::notices::{DeliveryPlan, NoticeTask, plan_delivery, save_delivered};
use store::partners::ledger;
use store::payouts::run;
use store::{Item, Key, Table};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_simultaneous_deliveries_that_touch_one_partner_lose_nothing() {
    // Fifty customers with a payment each, then one customer with fifty.
    for customers in [50, 1] {
        let table = MemoryTable::default().yielding();
        for n in 0..customers {
            ingest(&table, report(n)).await;
        }
        let deliveries = (0..50).map(|n| {
            let (table, payment) = (table.clone(), paid(n % customers, n));
            tokio::spawn(async move {
                ingest(&table, payment.clone()).await;
                ingest(&table, payment).await;
            })
        });
        for delivery in deliveries.collect::<Vec<_>>() {
            delivery.await.unwrap();
        }
        // Those that kept losing their race to others are left to stream and audit.
        assert!(walk(&table, u32::MAX, at(9)).await.unwrap().complete);
        let rows = ledger(&table, &acme()).await.unwrap();
        let balance = balances(&rows, &[], at(9)).pop().unwrap();
        assert_eq!(balance.pending_minor, 50 * 200);
        assert_eq!(Ledger::from_rows(&rows).balances.len(), 50);
        assert_eq!(walk(&table, u32::MAX, at(9)).await.unwrap().repaired, 0);
        println!(
            "{customers} customers: {} rows for 50 payments told twice",
            rows.len()
        );
    }
}

#[tokio::test]
async fn each_kind_of_event_costs_these_requests() {
    let table = MemoryTable::with_page(0).yielding();
    let mut seen = String::new();
    let mut came = |what: &str| {
        let requests = table.take_requests().join(" ");
        seen.push_str(&format!("| {what} | `{requests}` |\n"));
    };
    for (what, reading) in [
        ("an event of a new customer", paid(1, 2)),
        ("its repetition", paid(1, 2)),
        ("a partner's report of a new customer", report(0)),
        ("a first payment that earns", paid(0, 1)),
        ("a later payment that earns", paid(0, 3)),
        ("a refund of a payment that earned", refunded(0, 1, 500)),
        ("a dispute of one", disputed(0, 3, DisputeState::Open)),
        ("a dispute that is won", disputed(0, 3, DisputeState::Won)),
        ("a payment that earns, told late", paid(0, 0)),
    ] {
        ingest(&table, reading).await;
        came(what);
    }
    let row = ledger(&table, &acme()).await.unwrap().remove(0);
    let order = NoticeTask::of(&Item::Commission(Arc::new(row))).unwrap();
    set(&table, &acme(), "https://acme.example/", at(0))
        .await
        .unwrap();
    table.take_requests();
    for what in ["a row, told to its partner", "the same, ordered again"] {
        if let DeliveryPlan::Deliver(work) = plan_delivery(&table, &order, at(2)).await.unwrap() {
            let mut told = work.state;
            told.delivered.insert(work.due[0].kind.into(), at(2));
            told.next_due_at = work.next_due_at;
            assert!(save_delivered(&table, told).await.unwrap());
        }
        came(what);
    }
    remove(&table, &acme()).await.unwrap();
    table.take_requests();
    plan_delivery(&table, &order, at(2)).await.unwrap();
    came("a row of a partner without an endpoint");
    let later = at(40 * 24);
    for what in ["a payout", "the same day again"] {
        let day = payout::PayoutRequest {
            date: payout::day_of(later),
            minimums: Vec::new(),
        };
        let paid = run(&table, &acme(), &day, later).await.unwrap();
        assert!(!matches!(paid, payout::PayoutOutcome::Nothing(_)));
        came(what);
    }
    let written = include_str!("../../README.md");
    let (_, written) = written.split_once(HEAD).unwrap();
    let (written, _) = written.split_once("\n\n").unwrap();
    assert_eq!(seen.trim_end(), written);
}

/// Of the table that says what each costs.
const HEAD: &str = "| what happens | requests to the table |\n| --- | --- |\n";

#[tokio::test]
async fn a_record_that_was_lost_is_mended_and_owes_nothing_twice() {
    let table = MemoryTable::default().yielding();
    ingest(&table, report(0)).await;
    for n in 1..16 {
        ingest(&table, paid(0, n)).await;
    }
    table.delete(Key::record(&customer(0))).await.unwrap();
    assert_eq!(walk(&table, 1, at(9)).await.unwrap().repaired, 1);
    ingest(&table, refunded(0, 1, 1_000)).await;
    let rows = ledger(&table, &acme()).await.unwrap();
    assert_eq!(rows.len(), 16);
    let balance = balances(&rows, &[], at(9)).pop().unwrap();
    assert_eq!(balance.pending_minor, 14 * 200);
}
