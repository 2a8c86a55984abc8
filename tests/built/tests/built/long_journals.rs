//! A customer of many years: whoever reads the whole journal fits into the smallest function.

use crate::requests::signed;
use crate::test_harness::{BuiltHarness, batch_failures, invoke, invoke_http};
use domain::event::Fact;
use domain::ids::{CustomerKey, EventId, ObjectId};
use domain::record::Entry;
use jiff::SignedDuration;
use lambda::{FunctionProcess, RecordBatch};
use providers::provider;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{Item, Key, PutOutcome, Table, WriteCondition};
use tokio::task::JoinSet;

/// Payments in the journal.
const PAYMENTS: usize = 10_000;
/// What the template gives a function, in kilobytes: its `MemorySize`.
const MEMORY_KB: u64 = 128 * 1024;
/// Requests to the table at once, while the journal is made.
const WRITERS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes ten thousand entries; .ci/run has time for it"]
async fn a_journal_of_ten_thousand_payments_fits_into_the_smallest_function() {
    let harness = BuiltHarness::open().await;
    let (customer, first) = fill_journal(&harness).await;
    let record = Key::record(&customer);
    let mut peaks = Vec::new();

    let mut process = harness.start("calendar").await;
    let answer = invoke(&mut process, &json!({ "job": "audit" })).await;
    assert_eq!(answer["repaired"], 1, "{answer}: {}", process.log());
    peaks.push(("calendar", peak_kb(&process)));
    assert_eq!(payments(&harness, &record).await, PAYMENTS);

    let mut process = harness.start("payment-webhook").await;
    let refund = signed(refund_of_the_first_payment());
    let (status, answer) = invoke_http(&mut process, &refund.event()).await;
    assert_eq!((status, &answer["applied"]), (200, &json!(1)), "{answer}");
    peaks.push(("payment-webhook", peak_kb(&process)));
    // Nothing says that the charge which it names is one of the invoices.
    assert_eq!(payments(&harness, &record).await, PAYMENTS + 1);

    // A receiver that died after it had kept an event of the first day.
    let late = Item::Entry(customer, payment(&first, 1, "late"));
    let table = harness.table();
    let put = table.put(late.clone(), WriteCondition::Absent).await;
    assert_eq!(put.unwrap(), PutOutcome::Done);
    let mut process = harness.start("journal-fold").await;
    let batch = RecordBatch::of_stream().unwrap();
    let batch = batch.with(in_stream(&harness, &late));
    let answer = invoke(&mut process, &batch.event()).await;
    assert_eq!(answer, batch_failures(&[]));
    peaks.push(("journal-fold", peak_kb(&process)));
    assert_eq!(payments(&harness, &record).await, PAYMENTS + 2);

    println!("peak memory with {PAYMENTS} payments, kilobytes: {peaks:?}");
    for (function, peak) in peaks {
        assert!(peak < MEMORY_KB, "{function} took {peak} kilobytes");
    }
}

/// Puts the payments into the customer's journal as their webhooks left them, without a record.
async fn fill_journal(harness: &BuiltHarness) -> (CustomerKey, Arc<Entry>) {
    let mut process = harness.start("payment-webhook").await;
    let first = signed(sample("invoice.paid"));
    assert_eq!(invoke_http(&mut process, &first.event()).await.0, 200);
    let items = harness.table().scan(None, 100).await.unwrap().items;
    let mut entries = items.into_iter().filter_map(|item| match item {
        Item::Entry(customer, entry) => Some((customer, entry)),
        _ => None,
    });
    let (customer, first) = entries.next().unwrap();
    harness
        .table()
        .delete(Key::record(&customer))
        .await
        .unwrap();
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (table, customer, first) = (harness.table(), customer.clone(), first.clone());
        tasks.spawn(async move {
            for number in (1..PAYMENTS).filter(|number| number % WRITERS == writer) {
                let item = Item::Entry(customer.clone(), payment(&first, number, "x"));
                let put = table.put(item, WriteCondition::Absent).await;
                assert_eq!(put.unwrap(), PutOutcome::Done);
            }
        });
    }
    tasks.join_all().await;
    (customer, first)
}

/// The same payment again, minutes later and under ids of its own.
fn payment(first: &Entry, number: usize, mark: &str) -> Arc<Entry> {
    let mut event = first.event.clone();
    event.id = EventId::parse(format!("{}{mark}{number}", first.event.id)).unwrap();
    event.occurred_at += SignedDuration::from_mins(i64::try_from(number).unwrap());
    for fact in &mut event.facts {
        if let Fact::Payment(payment) = fact {
            payment.paid_at = event.occurred_at;
            for id in &mut payment.ids {
                *id = ObjectId::parse(format!("{id}{mark}{number}")).unwrap();
            }
        }
    }
    event.references.clear();
    let raw = first.raw.bytes();
    let receipt = first.receipt.clone();
    let entry = Entry::new(event, raw, first.normalizer, first.received_at, receipt);
    Arc::new(entry)
}

/// A refund that names a payment which left the record long ago.
fn refund_of_the_first_payment() -> String {
    let mut event: Value = serde_json::from_str(&sample("charge.refunded")).unwrap();
    event["id"] = "evt_builtrefund".into();
    event.to_string()
}

fn sample(name: &str) -> String {
    let mut samples = provider("stripe").unwrap().samples().iter();
    let (_, body) = samples.find(|(known, _)| *known == name).unwrap();
    (*body).to_owned()
}

async fn payments(harness: &BuiltHarness, record: &Key) -> usize {
    match harness.table().get(record.clone()).await.unwrap() {
        Some(Item::Record(record)) => {
            let payments = &record.folded.state.payments;
            payments.open.len() + payments.closed as usize
        }
        other => panic!("no record: {other:?}"),
    }
}

/// The item as the table's stream tells it.
fn in_stream(harness: &BuiltHarness, item: &Item) -> [(&'static str, Value); 3] {
    let key = item.key();
    let mut images = harness.images().into_iter();
    let (keys, image) = images
        .find(|(keys, _)| keys["sk"]["S"] == *key.sort)
        .unwrap();
    [
        (
            "/dynamodb/SequenceNumber",
            "442158450000000001745043901".into(),
        ),
        ("/dynamodb/Keys", keys),
        ("/dynamodb/NewImage", image),
    ]
}

/// The most that the process ever held in memory.
fn peak_kb(process: &FunctionProcess) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id().unwrap()));
    let status = status.unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().trim().trim_end_matches("kB").trim();
    number.parse().unwrap()
}
