//! Partners' rows: changed by one at a time, and remembered for a minute.

use crate::support::{acme, at, at_once};
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use std::convert::Infallible;
use std::sync::Arc;
use store::memory::{Fault, MemoryTable, TableRequest};
use store::partners::{PartnerCache, PartnerRow, add, change, list, put_new, read};
use store::public_key_cache::PublicKeyCache;
use store::{StoreError, Table};

fn seconds(n: i64) -> Timestamp {
    at(1) + SignedDuration::from_secs(n)
}

fn new_key(row: &mut PartnerRow) -> Result<(), Infallible> {
    row.last_key += 1;
    row.keys.push(row.last_key);
    Ok(())
}

#[tokio::test]
async fn a_partner_is_added_once() {
    let table = MemoryTable::default();
    assert!(add(&table, &acme()).await.unwrap());
    change(&table, &acme(), new_key).await.unwrap();
    assert!(!add(&table, &acme()).await.unwrap());
    assert_eq!(read(&table, &acme()).await.unwrap().unwrap().keys, [1, 2]);
}

#[tokio::test]
async fn a_partner_that_was_put_and_whose_answer_was_lost_is_new() {
    let table = MemoryTable::default();
    let row = PartnerRow::new(acme());
    for _ in 0..2 {
        assert_eq!(put_new(&table, row.clone()).await, Ok(None));
    }
    let other = PartnerRow {
        last_key: 9,
        ..row.clone()
    };
    assert_eq!(put_new(&table, other).await, Ok(Some(Arc::new(row))));
}

#[tokio::test]
async fn partners_are_listed_by_name() {
    let table = MemoryTable::with_page(2);
    for name in ["zest", "acme", "lemon"] {
        add(&table, &PartnerId::parse(name).unwrap()).await.unwrap();
    }
    let rows = list(&table).await.unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.partner.as_str()).collect();
    assert_eq!(names, ["acme", "lemon", "zest"]);
}

#[tokio::test]
async fn who_is_not_there_is_not_changed() {
    let table = MemoryTable::default();
    assert_eq!(change(&table, &acme(), new_key).await, Ok(None));
    assert_eq!(table.take_requests(), ["get"]);
}

#[tokio::test]
async fn a_change_that_refuses_or_changes_nothing_writes_nothing() {
    let table = MemoryTable::default();
    add(&table, &acme()).await.unwrap();
    table.take_requests();
    let refused = change(&table, &acme(), |_| Err("no")).await.unwrap();
    assert_eq!(refused, Some(Err("no")));
    let same = change(&table, &acme(), |_| Ok::<(), Infallible>(())).await;
    assert_eq!(same.unwrap().unwrap().unwrap().version, 1);
    assert_eq!(table.take_requests(), ["get", "get"]);
}

#[tokio::test]
async fn of_changes_at_once_none_is_lost() {
    let table = MemoryTable::default();
    add(&table, &acme()).await.unwrap();
    let (process, other) = (table.process(), table.process());
    let mut raced = 0;
    process.set_faults(move |request| {
        if matches!(request, TableRequest::Put(..)) && raced < 3 {
            raced += 1;
            at_once(change(&other, &acme(), new_key)).unwrap();
        }
        Fault::None
    });
    change(&process, &acme(), new_key).await.unwrap();
    let row = read(&table, &acme()).await.unwrap().unwrap();
    assert_eq!((row.version, &*row.keys), (5, &[1, 2, 3, 4, 5][..]));
}

#[tokio::test]
async fn a_change_that_others_outrun_each_time_is_contended_and_not_throttled() {
    let table = MemoryTable::default();
    add(&table, &acme()).await.unwrap();
    let (process, other) = (table.process(), table.process());
    process.set_faults(move |request| {
        if matches!(request, TableRequest::Put(..)) {
            at_once(change(&other, &acme(), new_key)).unwrap();
        }
        Fault::None
    });
    let changed = change(&process, &acme(), new_key).await;
    assert_eq!(changed, Err(StoreError::Contended));
    assert_eq!(process.take_requests().len(), 10);
    let words = StoreError::Contended.to_string();
    assert!(!words.contains("throttl"), "{words}");
}

#[tokio::test]
async fn a_partner_is_read_once_a_minute() {
    let table = MemoryTable::default();
    add(&table, &acme()).await.unwrap();
    table.take_requests();
    let cache = PartnerCache::default();
    for (second, reads) in [(0, 1), (59, 0), (60, 1), (-1, 1)] {
        let row = cache
            .read(&table, &acme(), 1, seconds(second))
            .await
            .unwrap();
        assert!(row.is_some());
        assert_eq!(table.take_requests().len(), reads, "second {second}");
    }
}

#[tokio::test]
async fn a_key_that_was_given_out_since_is_looked_up() {
    let table = MemoryTable::default();
    add(&table, &acme()).await.unwrap();
    let cache = PartnerCache::default();
    cache.read(&table, &acme(), 1, at(1)).await.unwrap();
    change(&table, &acme(), new_key).await.unwrap();
    let row = cache.read(&table, &acme(), 2, at(1)).await.unwrap();
    assert_eq!(row.unwrap().keys, [1, 2]);
}

#[tokio::test]
async fn a_partner_that_is_not_there_is_not_remembered() {
    let table = MemoryTable::default();
    let cache = PartnerCache::default();
    assert_eq!(cache.read(&table, &acme(), 1, at(1)).await, Ok(None));
    add(&table, &acme()).await.unwrap();
    assert!(
        cache
            .read(&table, &acme(), 1, at(1))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn public_keys_are_read_all_at_once_once_a_minute_whatever_is_named() {
    let table = MemoryTable::default();
    for (name, keys) in [("acme", vec!["whpk_1".into()]), ("zest", vec![])] {
        let row = PartnerRow {
            public_keys: keys,
            ..PartnerRow::new(PartnerId::parse(name).unwrap())
        };
        put_new(&table, row).await.unwrap();
    }
    table.take_requests();
    let cache = PublicKeyCache::default();
    for name in ["acme", "zest", "nobody", "acme"] {
        let row = cache
            .read(&table, &PartnerId::parse(name).unwrap(), at(1))
            .await
            .unwrap();
        assert_eq!(row.is_some(), name == "acme");
    }
    assert_eq!(table.take_requests(), ["query"]);
    cache.read(&table, &acme(), seconds(60)).await.unwrap();
    assert_eq!(table.take_requests(), ["query"]);
}

#[tokio::test]
async fn a_list_that_fails_is_not_remembered() {
    let table = MemoryTable::default();
    let cache = PublicKeyCache::default();
    let process = table.process();
    process.set_faults(|_| Fault::Fail(StoreError::Throttled));
    let failed = cache.read(&process, &acme(), at(1)).await;
    assert_eq!(failed, Err(StoreError::Throttled));
    assert_eq!(cache.read(&table, &acme(), at(1)).await, Ok(None));
    assert!(
        table
            .get(store::Key::partner(&acme()))
            .await
            .unwrap()
            .is_none()
    );
}
