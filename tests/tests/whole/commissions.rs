//! The commission ledger over the store's protocol: what it costs, and that nothing is lost or
//! owed twice however many deliver at once.

use crate::support::partner_harness::program;
use domain::event::{About, Fact, NormalizedEvent, ReferralSnapshot};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId, Reference};
use domain::money::{Currency, Money};
use domain::partner::ledger::Ledger;
use domain::partner::payout;
use domain::partner::program::{AttributionTerms, PartnerIdentity};
use domain::partner::statement::balances;
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, PaymentSnapshot, RefundSnapshot, RefundState, SourceKind,
};
use domain::record::Entry;
use jiff::Timestamp;
use std::sync::atomic::{AtomicU32, Ordering, Relaxed};
use std::sync::{Arc, Mutex};
use store::audit::walk;
use store::ingest::ingest_entries;
use store::memory::MemoryTable;
use store::notice_endpoints::{remove, set};
use store::notices::{DeliveryPlan, NoticeTask, plan_delivery, save_delivered};
use store::partners::ledger;
use store::payouts::run;
use store::{Item, Key, Page, PutOutcome, StoreError, Table, TransactWrite, WriteCondition};

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
        assert!(walk(&table, 1, at(9)).await.unwrap().complete);
        let rows = ledger(&table, &acme()).await.unwrap();
        let balance = balances(&rows, &[], at(9)).pop().unwrap();
        assert_eq!(balance.pending_minor, 50 * 200);
        assert_eq!(Ledger::from_rows(&rows).balances.len(), 50);
        assert_eq!(walk(&table, 1, at(9)).await.unwrap().repaired, 0);
        println!(
            "{customers} customers: {} rows for 50 payments told twice",
            rows.len()
        );
    }
}

#[tokio::test]
async fn each_kind_of_event_costs_these_requests() {
    let table = MemoryTable::default().yielding();
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
    let written = include_str!("../../../crates/README.md");
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

/// One delivery of an event, with a receipt of its own.
async fn ingest(table: &MemoryTable, event: NormalizedEvent) {
    static DELIVERIES: AtomicU32 = AtomicU32::new(0);
    let (now, raw) = (at(1), event.id.as_str().as_bytes().into());
    let receipt = DELIVERIES.fetch_add(1, Relaxed).to_string();
    let entry = Arc::new(Entry::new(event, raw, 1, now, receipt.into()));
    ingest_entries(table, &[entry], now).await.unwrap();
}

pub(crate) fn acme() -> PartnerId {
    PartnerId::new("acme")
}

fn customer(n: usize) -> CustomerKey {
    CustomerKey::new(format!("stripe/test/cus_{n}"))
}

pub(crate) fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + 3_600 * hour).unwrap()
}

pub(crate) fn event_of(
    customer_n: usize,
    id: String,
    at: Timestamp,
    facts: Vec<Fact>,
) -> NormalizedEvent {
    NormalizedEvent {
        id: EventId::new(id),
        kind: "made.up".into(),
        occurred_at: at,
        rank: 1,
        about: About::Customer(customer(customer_n)),
        facts,
        references: Vec::<Reference>::new(),
    }
}

/// A partner sent a customer.
fn report(n: usize) -> NormalizedEvent {
    let referral: Arc<str> = format!("r-{n}").into();
    let seen = ReferralSnapshot {
        partner: acme(),
        referral: referral.clone(),
        referred_at: at(0),
    };
    let pinned = AttributionTerms {
        partner: acme(),
        referral,
        reported_at: at(0),
        program: program(),
        identity: PartnerIdentity::default(),
    };
    let facts = vec![
        Fact::Referral(seen),
        Fact::AttributionTerms(Box::new(pinned)),
    ];
    event_of(n, format!("partner/acme/{n}"), at(0), facts)
}

/// The n-th payment there is, by this customer: 1,000 each, a second apart.
pub(crate) fn paid(customer: usize, n: usize) -> NormalizedEvent {
    let paid_at = Timestamp::from_second(at(0).as_second() + 1 + n as i64).unwrap();
    let seen = PaymentSnapshot {
        ids: vec![ObjectId::new(format!("pi_{n}"))],
        source_kind: SourceKind::Intent,
        paid: Money {
            minor: 1_000,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        tax_minor: None,
        paid_at,
        subscription: None,
    };
    let id = format!("stripe/test/evt_{n}");
    event_of(customer, id, paid_at, vec![Fact::Payment(seen)])
}

fn disputed(customer: usize, n: usize, state: DisputeState) -> NormalizedEvent {
    let id = format!("stripe/test/evt_dp_{n}_{state:?}");
    let seen = DisputeSnapshot {
        id: ObjectId::new(format!("dp_{n}")),
        payment: vec![ObjectId::new(format!("pi_{n}"))],
        minor: 1_000,
        state,
    };
    let when = at(2 + i64::from(state != DisputeState::Open));
    event_of(customer, id, when, vec![Fact::Dispute(seen)])
}

fn refunded(customer: usize, n: usize, minor: i64) -> NormalizedEvent {
    let seen = RefundSnapshot {
        id: ObjectId::new(format!("re_{n}")),
        payment: vec![ObjectId::new(format!("pi_{n}"))],
        minor,
        state: RefundState::Succeeded,
        created_at: at(1),
    };
    let id = format!("stripe/test/evt_re_{n}");
    event_of(customer, id, at(1), vec![Fact::Refund(seen)])
}
