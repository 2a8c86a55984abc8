//! Two sets of entries of one size are not one set: wherever a record, a checkpoint or a journal is
//! compared, the digest decides and never the count.

use crate::support::{at, customer, empty, entry, naming, object, paid};
use domain::event::NormalizedEvent;
use domain::ids::Reference;
use domain::record::checkpoint::Checkpoint;
use domain::record::closed_objects::LONG_JOURNAL;
use domain::record::{Entry, Record};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::audit::walk;
use store::folding::{fold, read_journal, read_record};
use store::ingest::{append_or_park, ingest_entries};
use store::memory::MemoryTable;
use store::{Item, Key};

/// A payment some seconds before the last one.
fn late(of: usize, name: &str) -> NormalizedEvent {
    let mut late = paid(1, of);
    late.id = domain::ids::EventId::parse(format!("stripe/test/evt_{name}")).unwrap();
    late.facts.clear();
    late
}

async fn is_the_fold_of_its_journal(table: &MemoryTable) -> bool {
    let journal = read_journal(table, &customer(1)).await.unwrap();
    let record = read_record(table, &customer(1)).await.unwrap().unwrap();
    let folded = Record::new(customer(1)).rebuild(&journal, &[], at(3));
    record.folded == folded.unwrap().folded
}

#[tokio::test]
async fn a_checkpoint_of_as_many_other_entries_is_not_the_records() {
    let table = MemoryTable::without_attributes();
    let count = LONG_JOURNAL as usize + 12;
    for n in 0..count {
        let new = entry(paid(1, n), "r");
        append_or_park(&table, &new).await.unwrap();
    }
    fold(&table, &customer(1), vec![], at(3)).await.unwrap();
    // Another process kept one of which an entry is another, and died before its record.
    let partition = store::items::customer_partition(&customer(1));
    let key = Key::new(partition, "checkpoint");
    let Some(Item::Checkpoint(there)) = table.state().peek(&key).cloned() else {
        panic!("a long journal has one")
    };
    let mut other = Checkpoint::clone(&there);
    other.folded.digest = other.folded.digest.plus(entry(empty(1, 1), "r").digest);
    other.folded.state.unclear += 1;
    table.plant(Item::Checkpoint(Arc::new(other)));
    let late = entry(late(count - 3, "late"), "r");
    ingest_entries(&table, &[late], at(3)).await.unwrap();
    assert!(is_the_fold_of_its_journal(&table).await);
}

#[tokio::test]
async fn an_entry_that_is_told_again_is_not_the_one_that_is_new() {
    let table = MemoryTable::without_attributes();
    let all: Vec<Arc<Entry>> = (0..40).map(|n| entry(empty(1, n), "r")).collect();
    ingest_entries(&table, &all, at(3)).await.unwrap();
    // Appended, and whoever appended it died; it names what leads to the customer.
    let invoice = object("in_1");
    let new = entry(naming(empty(1, 50), &[&invoice]), "r");
    append_or_park(&table, &new).await.unwrap();
    // The first one has left the ring: it may be new, for all that the record knows.
    fold(&table, &customer(1), vec![all[0].clone()], at(3))
        .await
        .unwrap();
    assert!(is_the_fold_of_its_journal(&table).await);
    let alias = Item::Alias(invoice, customer(1)).key();
    assert!(table.state().peek(&alias).is_some());
    let record = read_record(&table, &customer(1)).await.unwrap().unwrap();
    assert!(record.remembers(new.digest), "it was folded just now");
}

#[test]
fn what_remains_of_one_journal_is_not_named_by_another_of_its_length() {
    let names = |letter: char| -> BTreeSet<Reference> {
        (0..300)
            .map(|n| object(&format!("{letter}_{n:03}")))
            .collect()
    };
    let one_that_names = |hour: i64, letter: char| {
        let names = names(letter);
        vec![entry(
            naming(empty(1, hour), &names.iter().collect::<Vec<_>>()),
            "r",
        )]
    };
    let (journal, other) = (one_that_names(1, 'a'), one_that_names(2, 'b'));
    let record = Record::new(customer(1))
        .rebuild(&journal, &[], at(3))
        .unwrap();
    assert!(record.remainder.is_some(), "more than fit");
    let next = record.cleared_with_next(&other);
    assert!(next.pending.is_empty());
    assert_eq!(next.remainder, record.remainder);
    assert_eq!(record.cleared_with_next(&journal).pending.len(), 50);
}

#[tokio::test]
async fn the_audit_folds_a_record_of_as_many_other_entries() {
    let table = MemoryTable::without_attributes();
    let all: Vec<Arc<Entry>> = (0..2).map(|n| entry(empty(1, n), "r")).collect();
    ingest_entries(&table, &all, at(3)).await.unwrap();
    let there = read_record(&table, &customer(1)).await.unwrap().unwrap();
    let mut wrong = Record::clone(&there);
    wrong.folded.digest = all[0].digest.plus(entry(empty(1, 9), "r").digest);
    table.plant(Item::from(wrong));
    let found = walk(&table, 99, at(4)).await.unwrap();
    assert_eq!(found.repaired, 1);
    assert!(is_the_fold_of_its_journal(&table).await);
}
