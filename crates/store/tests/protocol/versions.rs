//! Old and new code at once: what an older version can't read or can't keep it leaves alone, and
//! what a newer version finds from before it reads.

use crate::support::{
    at, customer, empty, entry, image, ingest, object, paid, plant_entry, record, reshape,
    subscribed,
};
use domain::letter::Letter;
use serde_json::{Value, json};
use store::folding::{FoldStatus, fold, read_record, replan};
use store::ingest::{AppendOutcome, append_or_park, ingest_entries};
use store::memory::MemoryTable;
use store::{Key, StoreError, Table};

/// What a newer version adds to a record.
fn trust(image: &mut Value) {
    image["trust"] = json!({ "M": { "score": { "N": "7" } } });
}

#[tokio::test]
async fn a_record_that_says_more_than_we_know_is_not_written_over_and_its_event_is_kept() {
    let newer: [fn(&mut Value); 6] = [
        trust,
        |image| image["state"]["M"]["trust"] = json!({ "S": "high" }),
        |image| image["ledger"] = json!({ "M": { "held": { "N": "400" } } }),
        |image| image["format"] = json!({ "N": "3" }),
        |image| image["fold_version"] = json!({ "N": "65000" }),
        |image| image["pending"] = json!({ "L": [{ "M": { "crown": { "S": "x" } } }] }),
    ];
    for (number, change) in newer.into_iter().enumerate() {
        let table = MemoryTable::default();
        ingest(&table, subscribed(1)).await;
        let key = Key::record(&customer(1));
        reshape(&table, &key, change);
        let before = image(&table, &key);
        let verdicts = ingest_entries(&table, &[entry(paid(1, 1), "r")], at(1)).await;
        assert_eq!(verdicts, Ok(vec![AppendOutcome::Appended]), "{number}");
        let folded = fold(&table, &customer(1), Vec::new(), at(2)).await;
        let is_refused = matches!(folded, Err(StoreError::Unreadable { .. }));
        assert!(is_refused, "{number}: {folded:?}");
        let planned = replan(&table, &customer(1), at(2)).await;
        assert!(matches!(planned, Err(StoreError::Unreadable { .. })));
        assert_eq!(image(&table, &key), before, "{number}");
    }
}

#[tokio::test]
async fn what_an_older_version_left_alone_the_newer_one_folds() {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let key = Key::record(&customer(1));
    reshape(&table, &key, trust);
    ingest(&table, paid(1, 1)).await;
    // The newer version: for it the attribute is none that is lost.
    reshape(&table, &key, |image| {
        image.as_object_mut().unwrap().remove("trust");
    });
    let audited = store::audit::walk(&table, 9, at(3)).await.unwrap();
    assert_eq!((audited.repaired, audited.passed_over.count), (1, 0));
    assert_eq!(record(&table, 1).await.folded.count, 2);
}

#[tokio::test]
async fn an_event_that_a_newer_version_keeps_is_repeated_to_an_older_one() {
    let table = MemoryTable::default();
    plant_entry(&table, paid(1, 1), |image| {
        let facts = image["normalized"]["M"]["facts"]["L"].as_array_mut();
        facts
            .unwrap()
            .push(json!({ "M": { "crowned": { "M": {} } } }));
    });
    let again = append_or_park(&table, &entry(paid(1, 1), "r")).await;
    assert_eq!(again.unwrap().0, AppendOutcome::Repeated);
}

#[tokio::test]
async fn what_is_parked_by_a_newer_version_is_not_moved_by_an_older_one() {
    let table = MemoryTable::default();
    let invoice = object("in_1");
    let parked = crate::support::about(empty(9, 1), &[&invoice]);
    ingest(&table, parked.clone()).await;
    let key = Key::parked(&invoice, &parked.id);
    reshape(&table, &key, |image| {
        image["normalized"]["M"]["origin"] = json!({ "S": "api" });
    });
    let before = image(&table, &key);
    ingest(&table, crate::support::naming(empty(1, 2), &[&invoice])).await;
    assert_eq!(image(&table, &key), before);
    assert_eq!(record(&table, 1).await.pending.len(), 1, "it is still owed");
}

#[tokio::test]
async fn a_field_without_content_is_nothing_that_is_lost() {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let key = Key::record(&customer(1));
    reshape(&table, &key, |image| {
        image["pending"] = json!({ "L": [] });
        image["state"]["M"]["unclear"] = json!({ "N": "0" });
        image["next_hint"] = json!({ "NULL": true });
    });
    assert!(read_record(&table, &customer(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_record_from_before_formats_is_read_and_written_whatever_else_it_has() {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let key = Key::record(&customer(1));
    reshape(&table, &key, |image| {
        let image = image.as_object_mut().unwrap();
        image.remove("format");
        image.remove("fold_version");
        image.insert("retired".into(), json!({ "S": "long ago" }));
    });
    ingest(&table, empty(1, 5)).await;
    let now = image(&table, &key);
    assert_eq!(
        (&now["format"], &now["retired"]),
        (&json!({ "N": "2" }), &Value::Null)
    );
    assert_eq!(record(&table, 1).await.folded.count, 2);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_no_free_key() {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let key = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    reshape(&table, &key, |image| image["format"] = json!({ "N": "9" }));
    let letter: Result<Option<std::sync::Arc<store::letters::LetterRow>>, _> =
        table.get_row(key.clone()).await;
    let Err(StoreError::Unreadable { key: told, why }) = letter else {
        panic!("{letter:?}")
    };
    assert_eq!(told, key.to_string());
    assert_eq!(why, "its format is 9, and this version knows 1");
    assert_eq!(
        replan(&table, &customer(1), at(1)).await,
        Ok(FoldStatus::Done)
    );
}
