//! Whose work fails is passed over, counted and named: an audit and a scan go on with the others,
//! and what a step of the audit found is handed over before its place is saved.

use crate::support::{
    at, customer, empty, ingest, object, on_trial, paid, plant_entry, record, reshape, subscribed,
};
use domain::letter::Letter;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use store::audit::{AuditReport, MAX_NAMED, Walk, read_audit_age, walk};
use store::due_scan::scan_due;
use store::folding::read_record;
use store::ingest::append_or_park;
use store::memory::{Fault, MemoryTable, TableRequest};
use store::{Item, Key, StoreError};

/// A day before a trial of thirty days ends its letter is due, at the latest.
const ENDING: i64 = 29 * 24;

/// A fact that this version does not know.
fn unknown_fact(image: &mut serde_json::Value) {
    let facts = image["normalized"]["M"]["facts"]["L"].as_array_mut();
    facts
        .unwrap()
        .push(json!({ "M": { "crowned": { "M": {} } } }));
}

/// A record that owes a letter which this version does not know.
fn unknown_letter(image: &mut serde_json::Value) {
    let letter = json!({ "M": {
        "letter": { "S": "harvest_report" },
        "cause": { "S": "sub_1" },
        "caused_at": { "S": "2026-01-01T00:00:00Z" },
    } });
    image["due_letters"] = json!({ "L": [letter] });
}

/// Whether the letter that falls due by time alone is decided.
async fn trial_is_told(table: &MemoryTable, n: usize) -> bool {
    let letters = &record(table, n).await.due_letters;
    letters.iter().any(|due| due.letter == Letter::TrialEnding)
}

#[tokio::test]
async fn an_entry_of_a_newer_version_stops_no_others_audit() {
    let table = MemoryTable::with_page(4);
    for n in 0..30 {
        ingest(&table, subscribed(n)).await;
        append_or_park(&table, &crate::support::entry(empty(n, 2), "r"))
            .await
            .unwrap();
    }
    plant_entry(&table, paid(7, 7), unknown_fact);
    let found = walk(&table, 999, at(3)).await.unwrap();
    assert!(found.complete);
    assert_eq!((found.customers, found.repaired), (30, 29));
    assert_eq!(found.passed_over.count, 1);
    let named = &found.passed_over.named[0];
    assert_eq!(named.name, "stripe/test/cus_7");
    assert!(named.why.contains("crowned"), "{}", named.why);
    for n in 0..30 {
        let folded = record(&table, n).await.folded.count;
        assert_eq!(folded, if n == 7 { 1 } else { 2 });
    }
}

#[tokio::test]
async fn a_record_that_owes_an_unknown_letter_stops_no_others_scan() {
    let table = MemoryTable::default();
    for n in 0..40 {
        ingest(&table, on_trial(n)).await;
    }
    reshape(&table, &Key::record(&customer(11)), unknown_letter);
    let swept = scan_due(&table, 250, at(ENDING)).await.unwrap();
    assert_eq!((swept.customers, swept.passed_over.count), (40, 1));
    assert_eq!(swept.passed_over.named[0].name, "stripe/test/cus_11");
    for n in (0..40).filter(|n| *n != 11) {
        assert!(trial_is_told(&table, n).await, "{n}");
    }
}

#[tokio::test]
async fn those_who_fail_stand_in_nobodys_way_where_a_scan_is_bounded() {
    let table = MemoryTable::default();
    for n in 0..64 {
        ingest(&table, on_trial(n)).await;
    }
    for n in 0..32 {
        reshape(&table, &Key::record(&customer(n)), unknown_letter);
    }
    for _ in 0..16 {
        scan_due(&table, 2, at(ENDING)).await.unwrap();
    }
    for n in 32..64 {
        assert!(trial_is_told(&table, n).await, "{n}");
    }
}

#[tokio::test]
async fn all_are_counted_and_the_first_are_named() {
    let table = MemoryTable::with_page(0);
    for n in 0..50 {
        ingest(&table, subscribed(n)).await;
        reshape(&table, &Key::record(&customer(n)), unknown_letter);
    }
    let found = walk(&table, 1, at(3)).await.unwrap();
    assert_eq!(found.passed_over.count, 50);
    assert_eq!(found.passed_over.named.len(), MAX_NAMED);
}

#[tokio::test]
async fn what_waits_under_a_reference_is_named_without_it() {
    let table = MemoryTable::default();
    let invoice = object("in_1");
    let waits = crate::support::about(empty(1, 1), &[&invoice]);
    ingest(&table, waits.clone()).await;
    let key = Key::parked(&invoice, &waits.id);
    reshape(&table, &key, |image| image["format"] = json!({ "N": "99" }));
    let found = walk(&table, 1, at(3)).await.unwrap();
    assert_eq!(found.passed_over.count, 1);
    let named = &found.passed_over.named[0];
    assert_eq!(named.name, "a reference");
    assert!(!named.why.contains("in_1"), "{}", named.why);
}

#[tokio::test]
async fn a_customer_whom_the_table_throttles_is_passed_over_and_a_table_in_trouble_ends_the_walk() {
    for (sick, ended) in [(1, true), (9, false)] {
        let table = MemoryTable::with_page(0);
        for n in 0..12 {
            append_or_park(&table, &crate::support::entry(empty(n, 1), "r"))
                .await
                .unwrap();
        }
        let process = table.process();
        process.set_faults(move |request| match request {
            TableRequest::Get(key) if (0..sick).any(|n| *key == Key::record(&customer(n))) => {
                Fault::Fail(StoreError::Throttled)
            }
            _ => Fault::None,
        });
        let walked = walk(&process, 1, at(2)).await;
        match walked {
            Ok(found) => assert_eq!(
                (found.passed_over.count, found.repaired, ended),
                (1, 11, true)
            ),
            Err(error) => assert_eq!((error, ended), (StoreError::Throttled, false)),
        }
    }
}

async fn step(table: &MemoryTable, now: i64) -> AuditReport {
    let mut run = Walk::resume(table, at(now)).await.unwrap().unwrap();
    run.step(at(now)).await.unwrap()
}

#[tokio::test]
async fn what_a_step_found_is_found_again_until_its_place_is_saved() {
    let table = MemoryTable::with_page(0);
    ingest(&table, subscribed(1)).await;
    assert_eq!(step(&table, 2).await.overdue_letters.len(), 1);
    let mut run = Walk::resume(&table, at(3)).await.unwrap().unwrap();
    let mut found = run.step(at(3)).await.unwrap();
    while !found.complete {
        found.add(run.step(at(3)).await.unwrap());
    }
    assert_eq!(found.overdue_letters.len(), 1, "nobody handed it over");
    assert!(run.save(at(3)).await.unwrap());
    // A place that was saved is not a round that has begun anew.
    let age = read_audit_age(&table, at(5)).await.unwrap();
    assert_eq!(age.map(|age| age.as_hours()), Some(2));
}

#[tokio::test]
async fn a_walk_that_fails_late_keeps_the_places_it_saved() {
    let table = MemoryTable::with_page(2);
    for n in 0..12 {
        append_or_park(&table, &crate::support::entry(empty(n, 1), "r"))
            .await
            .unwrap();
    }
    let (process, mut scans) = (table.process(), 0);
    process.set_faults(move |request| match request {
        TableRequest::Scan(..) => {
            scans += 1;
            match scans {
                1..5 => Fault::None,
                _ => Fault::Fail(StoreError::Throttled),
            }
        }
        _ => Fault::None,
    });
    assert_eq!(walk(&process, 99, at(2)).await, Err(StoreError::Throttled));
    let mended = table.items().into_iter();
    let mended = mended
        .filter(|item| matches!(item, Item::Record(_)))
        .count();
    assert!(mended >= 7, "{mended}");
    table.take_requests();
    let rest = walk(&table, 99, at(2)).await.unwrap();
    assert!(
        rest.complete && rest.customers as usize <= 12 - mended + 1,
        "{rest:?}"
    );
}

/// Out of time or of memory: from that read on the run asks for nothing more.
async fn run_until_death(table: &MemoryTable, deadly: &Key, now: i64) {
    let (dying, deadly) = (table.process(), deadly.clone());
    let dead = Arc::new(AtomicBool::new(false));
    let at_death = dead.clone();
    dying.set_faults(move |request| {
        if matches!(request, TableRequest::Get(key) if *key == deadly) {
            at_death.store(true, Relaxed);
        }
        match at_death.load(Relaxed) {
            true => Fault::Fail(StoreError::NoAnswer("it died".into())),
            false => Fault::None,
        }
    });
    let mut run = Walk::resume(&dying, at(now)).await.unwrap().unwrap();
    loop {
        let found = run.step(at(now)).await;
        if dead.load(Relaxed) {
            return;
        }
        run.save(at(now)).await.unwrap();
        if found.unwrap().complete {
            return;
        }
    }
}

#[tokio::test]
async fn a_partition_at_which_runs_die_is_passed_over_and_those_behind_it_are_done() {
    let table = MemoryTable::default();
    for n in 0..9 {
        append_or_park(&table, &crate::support::entry(empty(n, 1), "r"))
            .await
            .unwrap();
    }
    // The one that a walk meets first.
    let Some(Item::Entry(deadly, _)) = table.items().into_iter().next() else {
        panic!("an entry")
    };
    for day in 0..8 {
        run_until_death(&table, &Key::record(&deadly), 24 * day).await;
    }
    for customer in (0..9).map(customer) {
        let there = read_record(&table, &customer).await.unwrap();
        assert_eq!(there.is_some(), customer != deadly, "{customer}");
    }
    for _ in 0..4 {
        walk(&table, 99, at(300)).await.unwrap();
    }
    assert!(read_record(&table, &deadly).await.unwrap().is_some());
}
