//! A customer of many years: one more event costs what the hundredth did, and what a fold decides
//! at once is written a part at a time.

use crate::support::{at, customer, empty, entry, event_of, naming, object, record};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{ObjectId, Reference};
use domain::money::{Currency, Money};
use domain::payment::snapshot::{PaymentSnapshot, RefundSnapshot, RefundState, SourceKind};
use domain::record::closed_objects::LONG_JOURNAL;
use domain::record::{Entry, MAX_PENDING};
use std::slice::from_ref;
use std::sync::Arc;
use store::folding::{FoldStatus, fold, replan};
use store::ingest::{append_or_park, ingest_entries};
use store::items::{ALIAS, CLOSED, customer_partition};
use store::memory::{Crash, MemoryTable, Paging, TableState};
use store::port::query_all;
use store::{Item, Key, Table, WriteCondition};

fn id(kind: &str, n: i64) -> ObjectId {
    ObjectId::parse(format!("{kind}_{n}")).unwrap()
}

fn eur(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    }
}

fn pays(n: i64) -> NormalizedEvent {
    let fact = Fact::Payment(PaymentSnapshot {
        ids: vec![id("in", n), id("pi", n), id("ch", n)],
        source_kind: SourceKind::Invoice,
        paid: eur(1_000),
        tax_minor: None,
        paid_at: at(n),
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    });
    event_of(1, format!("stripe/test/evt_{n}"), at(n), vec![fact])
}

fn refunds(n: i64, of: i64, second: i64) -> NormalizedEvent {
    let fact = Fact::Refund(RefundSnapshot {
        id: id("re", n),
        payment: vec![id("pi", of)],
        amount: eur(100).into(),
        tax_minor: None,
        state: RefundState::Succeeded,
        created_at: at(second),
    });
    event_of(1, format!("stripe/test/evt_re_{n}"), at(second), vec![fact])
}

async fn requests(table: &MemoryTable, event: NormalizedEvent) -> Vec<&'static str> {
    let new = entry(event, "r");
    table.take_requests();
    let now = new.event.occurred_at;
    ingest_entries(table, from_ref(&new), now).await.unwrap();
    table.take_requests()
}

/// A customer who paid so often, in order.
async fn paid(count: i64) -> MemoryTable {
    let table = MemoryTable::without_attributes();
    let entries: Vec<Arc<Entry>> = (0..count).map(|n| entry(pays(n), "r")).collect();
    for new in &entries {
        append_or_park(&table, new).await.unwrap();
    }
    fold(&table, &customer(1), vec![], at(count)).await.unwrap();
    table
}

#[tokio::test]
async fn one_more_payment_costs_the_same_after_two_hundred_and_after_two_thousand() {
    let mut costs = Vec::new();
    for count in [200, 2_000] {
        let table = paid(count).await;
        let requests = requests(&table, pays(count)).await;
        let queries = requests.iter().filter(|name| **name == "query").count();
        assert_eq!(
            queries, 0,
            "the journal of {count} is not read: {requests:?}"
        );
        assert!(requests.len() <= 18, "{requests:?}");
        costs.push(requests.len());
        let payments = record(&table, 1).await.folded.state.payments.clone();
        assert_eq!(
            (payments.open.len(), i64::from(payments.closed)),
            (12, count - 11)
        );
    }
}

#[tokio::test]
async fn an_event_about_a_payment_in_the_record_costs_no_more_than_a_read_and_a_write() {
    let table = paid(200).await;
    // The refund's own id is new, and may have been a closed payment's.
    assert_eq!(
        requests(&table, refunds(1, 199, 300)).await,
        ["put", "get", "get", "put"]
    );
}

#[tokio::test]
async fn an_event_about_a_payment_that_left_the_record_reads_the_journal() {
    let table = paid(200).await;
    let requests = requests(&table, refunds(1, 3, 300)).await;
    assert!(requests.contains(&"query"), "{requests:?}");
    let entries = store::folding::read_journal(&table, &customer(1))
        .await
        .unwrap();
    let all = domain::state::fold::fold_with_all_payments(entries.iter().map(|e| &e.event));
    let refunded = |n: usize| all.payments.open[n].refunded_minor();
    assert_eq!((refunded(2), refunded(3)), (0, 100));
}

#[tokio::test]
async fn a_record_grown_over_the_bound_is_the_record_of_its_whole_journal() {
    let table = MemoryTable::default();
    let count = i64::try_from(LONG_JOURNAL).unwrap() + 12;
    for n in 0..count {
        requests(&table, pays(n)).await;
        if n % 20 == 0 {
            requests(&table, refunds(n, n / 2, n)).await;
        }
    }
    let grown = record(&table, 1).await;
    assert!(grown.closed_index);
    table.delete(Key::record(&customer(1))).await.unwrap();
    fold(&table, &customer(1), vec![], at(count)).await.unwrap();
    assert_eq!(record(&table, 1).await.folded, grown.folded);
    let buckets = table
        .query(&customer_partition(&customer(1)), CLOSED, None)
        .await
        .unwrap();
    assert!((1..=64).contains(&buckets.items.len()));
}

#[tokio::test]
async fn an_event_that_comes_a_little_late_costs_the_same_after_two_thousand() {
    let mut costs = Vec::new();
    for count in [200, 2_000] {
        let table = paid(count).await;
        requests(&table, pays(count)).await;
        let late = requests(&table, refunds(1, count - 1, count - 1)).await;
        assert!(
            !late.contains(&"query"),
            "the journal of {count} is not read: {late:?}"
        );
        assert!(late.len() <= 24, "{late:?}");
        costs.push(late.len());
        let grown = record(&table, 1).await;
        table.delete(Key::record(&customer(1))).await.unwrap();
        fold(&table, &customer(1), vec![], at(count)).await.unwrap();
        assert_eq!(record(&table, 1).await.folded, grown.folded);
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test]
async fn the_checkpoint_moves_on_and_the_journal_is_not_read_again() {
    let table = paid(200).await;
    for n in 200..320 {
        let requests = requests(&table, pays(n)).await;
        assert!(!requests.contains(&"query"), "{n}: {requests:?}");
        assert!(requests.len() <= 80, "{n}: {requests:?}");
    }
    let grown = record(&table, 1).await;
    table.delete(Key::record(&customer(1))).await.unwrap();
    fold(&table, &customer(1), vec![], at(400)).await.unwrap();
    assert_eq!(record(&table, 1).await.folded, grown.folded);
}

#[tokio::test]
async fn a_checkpoint_that_is_lost_or_not_the_records_costs_one_read_of_the_journal() {
    let key = Key::new(customer_partition(&customer(1)), "checkpoint");
    for is_lost in [true, false] {
        let table = paid(200).await;
        let early = table.get(key.clone()).await.unwrap().unwrap();
        let mut last = 199;
        if !is_lost {
            for n in 200..240 {
                requests(&table, pays(n)).await;
            }
            last = 239;
        }
        table.delete(key.clone()).await.unwrap();
        if !is_lost {
            table.put(early, WriteCondition::Absent).await.unwrap();
        }
        let late = requests(&table, refunds(1, last, last - 1)).await;
        assert!(late.contains(&"query"), "{late:?}");
        let again = requests(&table, refunds(2, last, last - 1)).await;
        assert!(!again.contains(&"query"), "{again:?}");
    }
}

/// Entries that name three objects each, appended and not folded.
async fn unfolded(table: &MemoryTable, count: i64) {
    for n in 0..count {
        let names = ["in", "pi", "ch"].map(|kind| object(&format!("{kind}_{n}")));
        let names: Vec<&Reference> = names.iter().collect();
        let event = naming(
            event_of(1, format!("stripe/test/evt_{n}"), at(n), vec![]),
            &names,
        );
        append_or_park(table, &entry(event, "r")).await.unwrap();
    }
}

fn most_pending(table: &MemoryTable) -> usize {
    let pending = table
        .changes(0)
        .into_iter()
        .filter_map(|change| match change.item {
            Ok(Some(Item::Record(record))) => Some(record.pending.len()),
            Ok(_) | Err(_) => None,
        });
    pending.max().unwrap_or_default()
}

async fn is_set(table: &MemoryTable, n: i64, kind: &str) -> bool {
    let partition = format!("reference#{}", object(&format!("{kind}_{n}")).as_str());
    let aliases = query_all(table, &partition, ALIAS).await.unwrap();
    aliases.len() == 1
}

#[tokio::test]
async fn thousands_of_effects_are_written_a_part_at_a_time() {
    let table = MemoryTable::without_attributes();
    unfolded(&table, 400).await;
    let status = fold(&table, &customer(1), vec![], at(1_000)).await;
    assert_eq!(status, Ok(FoldStatus::Done));
    assert_eq!(most_pending(&table), MAX_PENDING);
    assert!(!record(&table, 1).await.owes());
    for n in 0..400 {
        assert!(
            is_set(&table, n, "in").await && is_set(&table, n, "ch").await,
            "{n}"
        );
    }
}

#[tokio::test]
async fn a_process_that_dies_between_two_parts_leaves_the_rest_to_the_next() {
    for after in [5, 400, 505, 506, 700] {
        let table = MemoryTable::new(TableState::with_paging(Paging::Whole));
        unfolded(&table, 200).await;
        let process = table.process();
        process.set_faults(
            Crash {
                after,
                answer_lost: false,
            }
            .faults(),
        );
        fold(&process, &customer(1), vec![], at(1_000))
            .await
            .unwrap_err();
        assert!(record(&table, 1).await.owes(), "{after}");
        // Another event comes first, then whoever looks.
        requests(&table, empty(1, 2_000)).await;
        let status = replan(&table, &customer(1), at(2_001)).await;
        assert_eq!(status, Ok(FoldStatus::Done));
        assert!(!record(&table, 1).await.owes());
        for n in 0..200 {
            assert!(is_set(&table, n, "pi").await, "{after}: {n}");
        }
    }
}
