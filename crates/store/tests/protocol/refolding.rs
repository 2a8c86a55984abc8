//! A better fold reaches the records that an older one made: the audit folds them again, and
//! nobody is written to because of it.

use crate::support::{
    acme, at, customer, ended, ingest, paid, record, report, reshape, subscribed,
};
use domain::letter::Letter;
use domain::partner::ledger::CommissionRow;
use serde_json::{Value, json};
use std::sync::Arc;
use store::audit::walk;
use store::items::{COMMISSION, LETTER, customer_partition, ledger_partition};
use store::memory::MemoryTable;
use store::{Key, Table};

/// As an older fold made it: it saw no payments and no end, and told nobody of either.
fn older(image: &mut Value) {
    image["fold_version"] = json!({ "N": "0" });
    let state = image["state"]["M"].as_object_mut().unwrap();
    state.remove("payments");
    for subscription in state["subscriptions"]["M"]
        .as_object_mut()
        .unwrap()
        .values_mut()
    {
        let subscription = subscription["M"].as_object_mut().unwrap();
        subscription.remove("ended_at");
    }
    let image = image.as_object_mut().unwrap();
    image.remove("due_letters");
    image.remove("ledger");
}

async fn rows(table: &MemoryTable) -> Vec<Arc<CommissionRow>> {
    let partition = ledger_partition(&acme());
    table.query_rows(&partition, COMMISSION).await.unwrap()
}

async fn letters(table: &MemoryTable) -> usize {
    let partition = customer_partition(&customer(1));
    let page = table.query(&partition, LETTER, None).await.unwrap();
    page.items.len()
}

async fn shop() -> MemoryTable {
    let table = MemoryTable::default();
    ingest(&table, report(1)).await;
    ingest(&table, subscribed(1)).await;
    ingest(&table, paid(1, 1)).await;
    table
}

#[tokio::test]
async fn a_record_of_an_older_fold_is_folded_again_by_the_audit_once() {
    let table = shop().await;
    let right = record(&table, 1).await.folded.clone();
    let earned = rows(&table).await;
    reshape(&table, &Key::record(&customer(1)), older);
    assert_ne!(record(&table, 1).await.folded, right);
    let found = walk(&table, 9, at(2)).await.unwrap();
    assert_eq!((found.refolded, found.repaired), (1, 0));
    assert_eq!(record(&table, 1).await.folded, right);
    assert_eq!(rows(&table).await, earned, "what was earned is earned once");
    let again = walk(&table, 9, at(2)).await.unwrap();
    assert_eq!((again.refolded, again.repaired), (0, 0));
}

#[tokio::test]
async fn a_better_fold_writes_to_nobody_for_what_an_older_one_had_folded() {
    let table = shop().await;
    let welcome = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    table.delete(welcome).await.unwrap();
    reshape(&table, &Key::record(&customer(1)), older);
    let before = letters(&table).await;
    walk(&table, 9, at(2)).await.unwrap();
    assert_eq!(letters(&table).await, before);
    for hour in 3..9 {
        store::folding::replan(&table, &customer(1), at(hour))
            .await
            .unwrap();
    }
    assert_eq!(letters(&table).await, before, "nor later");
}

#[tokio::test]
async fn what_comes_to_a_record_of_an_older_fold_is_written_of() {
    let table = shop().await;
    let welcome = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    table.delete(welcome.clone()).await.unwrap();
    reshape(&table, &Key::record(&customer(1)), older);
    let before = letters(&table).await;
    let mut end = ended(1);
    if let Some(domain::event::Fact::Subscription(seen)) = end.facts.first_mut() {
        seen.end_requested = true;
        seen.canceled_at = Some(at(1));
    }
    ingest(&table, end).await;
    assert!(!record(&table, 1).await.folded.is_of_older_fold());
    assert!(table.get(welcome).await.unwrap().is_none());
    assert_eq!(
        letters(&table).await,
        before + 1,
        "the end is confirmed, and no welcome sent"
    );
}
