//! Keys of the shop's own code, and whom a reference leads to.

use crate::support::{at, customer, ingest, naming, object, paid, subscribed};
use domain::ids::{CustomerKey, Mode, ProviderAccount, Reference};
use domain::root_fingerprint::RootFingerprint;
use domain::shop_key::{KeyName, KeyScope};
use jiff::{SignedDuration, Timestamp};
use store::StoreError;
use store::lookup::{FoundCustomers, MAX_CUSTOMERS, find_customers};
use store::memory::{Fault, MemoryTable, Paging, TableRequest};
use store::roots::{RootCheck, check_root, claim_root, replace_root};
use store::shop_keys::{CreateKeyOutcome, ShopKeyCache, create, list, read, revoke};

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

fn seconds(n: i64) -> Timestamp {
    at(1) + SignedDuration::from_secs(n)
}

/// The version that was given out; none where one is in force.
async fn create_key(table: &MemoryTable, key: &str, scope: KeyScope) -> Option<u32> {
    match create(table, &name(key), scope, at(1)).await.unwrap() {
        CreateKeyOutcome::Created(row) => Some(row.key),
        CreateKeyOutcome::InForce(_) => None,
    }
}

#[tokio::test]
async fn a_key_is_given_out_once_and_a_revoked_version_never_again() {
    let table = MemoryTable::default();
    assert_eq!(create_key(&table, "backend", KeyScope::Read).await, Some(1));
    assert_eq!(create_key(&table, "backend", KeyScope::Write).await, None);
    let row = read(&table, &name("backend")).await.unwrap().unwrap();
    assert!(row.has_key(1, KeyScope::Read));
    assert!(!row.has_key(1, KeyScope::Write) && !row.has_key(2, KeyScope::Read));
    let revoked = revoke(&table, &name("backend"), at(2)).await.unwrap();
    let revoked = revoked.unwrap();
    assert!(!revoked.has_key(1, KeyScope::Read));
    let again = revoke(&table, &name("backend"), at(3)).await.unwrap();
    assert_eq!(again.unwrap().revoked_at, Some(at(2)));
    assert_eq!(
        create_key(&table, "backend", KeyScope::Write).await,
        Some(2)
    );
    let row = read(&table, &name("backend")).await.unwrap().unwrap();
    assert!(row.has_key(2, KeyScope::Write) && !row.has_key(1, KeyScope::Read));
    assert_eq!(revoke(&table, &name("nobody"), at(2)).await, Ok(None));
}

#[tokio::test]
async fn keys_are_listed_by_name() {
    let table = MemoryTable::with_page(2);
    for key in ["web", "backend", "nightly"] {
        create_key(&table, key, KeyScope::Read).await;
    }
    let rows = list(&table).await.unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["backend", "nightly", "web"]);
}

#[tokio::test]
async fn a_key_whose_answer_was_lost_is_given_out_all_the_same() {
    let table = MemoryTable::default();
    table.set_faults(|request| match request {
        TableRequest::Put(..) => Fault::LoseAnswer,
        _ => Fault::None,
    });
    let lost = create(&table, &name("backend"), KeyScope::Read, at(1)).await;
    assert!(matches!(lost, Err(StoreError::NoAnswer(_))), "{lost:?}");
    table.clear_faults();
    // Nobody saw its text: the next call says that one is in force, and revoking makes room.
    assert_eq!(create_key(&table, "backend", KeyScope::Read).await, None);
    revoke(&table, &name("backend"), at(2)).await.unwrap();
    assert_eq!(create_key(&table, "backend", KeyScope::Read).await, Some(2));
}

#[tokio::test]
async fn of_two_who_create_a_key_at_once_one_gives_it_out() {
    let table = MemoryTable::default();
    let (rival, mut raced) = (table.process(), false);
    table.set_faults(move |request| {
        if matches!(request, TableRequest::Put(..)) && !std::mem::replace(&mut raced, true) {
            let backend = name("backend");
            let made = create(&rival, &backend, KeyScope::Write, at(1));
            crate::support::at_once(made).unwrap();
        }
        Fault::None
    });
    assert_eq!(create_key(&table, "backend", KeyScope::Read).await, None);
    let row = read(&table, &name("backend")).await.unwrap().unwrap();
    assert!(row.has_key(1, KeyScope::Write));
}

#[tokio::test]
async fn a_row_is_remembered_for_less_than_a_minute_and_a_new_version_is_known_at_once() {
    let (table, cache) = (MemoryTable::default(), ShopKeyCache::default());
    let is_in_force = async |version: u32, second: i64| {
        let backend = name("backend");
        let row = cache
            .read(&table, &backend, version, seconds(second))
            .await
            .unwrap();
        row.is_some_and(|row| row.has_key(version, KeyScope::Read))
    };
    create_key(&table, "backend", KeyScope::Read).await;
    assert!(is_in_force(1, 0).await);
    revoke(&table, &name("backend"), at(2)).await.unwrap();
    table.take_requests();
    assert!(is_in_force(1, 59).await, "still remembered");
    assert_eq!(table.take_requests(), [""; 0]);
    assert!(!is_in_force(1, 60).await);
    assert_eq!(table.take_requests(), ["get"]);
    assert!(!is_in_force(1, 61).await);
    assert_eq!(table.take_requests(), [""; 0]);
    create_key(&table, "backend", KeyScope::Read).await;
    assert!(is_in_force(2, 62).await, "given out since");
    // A key of which there is no row was proven and is in force nowhere: that is remembered too.
    for second in 0..3 {
        let row = cache.read(&table, &name("gone"), 1, seconds(second)).await;
        assert_eq!(row, Ok(None));
    }
    let reads = table
        .take_requests()
        .into_iter()
        .filter(|one| *one == "get");
    assert_eq!(reads.count(), 3, "one to create, one for each name");
}

fn account() -> ProviderAccount {
    ProviderAccount {
        provider: "stripe",
        mode: Mode::Test,
    }
}

async fn found(table: &MemoryTable, text: &str) -> FoundCustomers {
    find_customers(table, text, &[account()]).await.unwrap()
}

fn keys(found: &FoundCustomers) -> Vec<CustomerKey> {
    let keys = found.records.iter().map(|record| record.customer.clone());
    keys.collect()
}

#[tokio::test]
async fn a_customer_is_found_by_any_reference_with_the_reads_that_it_takes() {
    let table = MemoryTable::with_paging(Paging::Whole);
    let shop = Reference::shop("user-17").unwrap();
    ingest(&table, naming(subscribed(1), &[&object("in_1"), &shop])).await;
    let own = customer(1);
    let id = own.as_str().rsplit('/').next().unwrap().to_owned();
    for (text, requests) in [
        (own.as_str(), &["get"][..]),
        ("stripe/test/in_1", &["get", "query", "get"]),
        ("shop/user-17", &["query", "get"]),
        ("user-17", &["query", "get"]),
        (&id, &["query", "get"]),
        ("in_1", &["query", "get", "query", "get"]),
    ] {
        table.take_requests();
        let found = keys(&found(&table, text).await);
        assert_eq!(found, std::slice::from_ref(&own), "{text}");
        assert_eq!(table.take_requests(), requests, "{text}");
    }
    for text in [
        "nobody",
        "stripe/test/nobody",
        "shop/nobody",
        "stripe/live/in_1",
        "a/b",
        "",
    ] {
        assert_eq!(
            found(&table, text).await,
            FoundCustomers::default(),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_reference_that_several_share_leads_to_all_of_them_up_to_a_bound() {
    let table = MemoryTable::with_page(3);
    let shop = Reference::shop("family").unwrap();
    for n in 1..=2 {
        ingest(&table, naming(subscribed(n), &[&shop])).await;
    }
    let both = found(&table, "family").await;
    assert_eq!((keys(&both).len(), both.more), (2, false));
    for n in 3..=MAX_CUSTOMERS + 1 {
        ingest(&table, naming(paid(n, n), &[&shop])).await;
    }
    let many = found(&table, "family").await;
    assert_eq!((keys(&many).len(), many.more), (MAX_CUSTOMERS, true));
}

#[tokio::test]
async fn the_first_root_is_the_stages_until_it_is_replaced_on_purpose() {
    let table = MemoryTable::default();
    let [ours, theirs] = [1, 2].map(|n| RootFingerprint::from_bytes([n; 8]));
    let asked = check_root(&table, "shop", &ours).await;
    assert_eq!(asked, Ok(RootCheck::Unknown));
    let claimed = claim_root(&table, "shop", &ours, at(1)).await;
    assert_eq!(claimed, Ok(RootCheck::Same));
    let RootCheck::Other(row) = claim_root(&table, "shop", &theirs, at(2)).await.unwrap() else {
        panic!("another root was taken for the stage's");
    };
    assert_eq!((&row.fingerprint, row.since), (&ours, at(1)));
    // Another purpose has a root of its own.
    let asked = check_root(&table, "partners", &theirs).await;
    assert_eq!(asked, Ok(RootCheck::Unknown));
    assert_eq!(replace_root(&table, &row, &theirs, at(3)).await, Ok(true));
    let late = replace_root(&table, &row, &ours, at(4)).await;
    assert_eq!(late, Ok(false), "a replacement that came later was lost");
    let asked = check_root(&table, "shop", &theirs).await;
    assert_eq!(asked, Ok(RootCheck::Same));
}
