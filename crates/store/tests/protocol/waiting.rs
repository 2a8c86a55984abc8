//! What waits for a provider's API: read in bounded steps, and gone once it was taken in.

use crate::support::{about, at, event_of, ingest, object};
use domain::event::Fact;
use domain::ids::EventId;
use store::memory::{MemoryTable, Paging};
use store::waiting::{delete_waiting, read_waiting};

async fn table_with(page: usize, count: i64) -> MemoryTable {
    with_waiting(MemoryTable::with_page(page), count).await
}

async fn with_waiting(table: MemoryTable, count: i64) -> MemoryTable {
    for n in 0..count {
        let fact = Fact::Waiting {
            what: "a payment".into(),
        };
        let event = event_of(1, format!("stripe/test/evt_{n}"), at(n), vec![fact]);
        ingest(&table, about(event, &[&object("waiting")])).await;
    }
    table
}

#[tokio::test]
async fn nothing_waits_where_nothing_was_parked() {
    let table = MemoryTable::default();
    let batch = read_waiting(&table, &object("waiting"), None, 9)
        .await
        .unwrap();
    assert_eq!((batch.entries.len(), batch.last), (0, None));
    assert_eq!(table.take_requests(), ["query"]);
}

#[tokio::test]
async fn what_waits_is_read_once_each_in_steps_of_any_size() {
    for page in [0, 1, 2, 3] {
        for most in [1, 2, 3, 9] {
            let table = table_with(page, 5).await;
            let (mut after, mut ids) = (None, Vec::new());
            loop {
                let batch = read_waiting(&table, &object("waiting"), after, most)
                    .await
                    .unwrap();
                assert!(batch.entries.len() <= most);
                ids.extend(batch.entries.iter().map(|entry| entry.event.id.to_string()));
                after = batch.last;
                if after.is_none() {
                    break;
                }
            }
            let expected: Vec<_> = (0..5).map(|n| format!("stripe/test/evt_{n}")).collect();
            assert_eq!(ids, expected, "pages of {page}, {most} at most");
        }
    }
}

#[tokio::test]
async fn what_was_taken_in_waits_no_more_and_the_rest_does() {
    let table = table_with(0, 3).await;
    for _ in 0..2 {
        let id = EventId::parse("stripe/test/evt_1").unwrap();
        delete_waiting(&table, &object("waiting"), &id)
            .await
            .unwrap();
        let batch = read_waiting(&table, &object("waiting"), None, 9)
            .await
            .unwrap();
        assert_eq!(batch.entries.len(), 2);
        assert!(batch.entries.iter().all(|entry| entry.event.id != id));
    }
}

#[tokio::test]
async fn what_waits_is_found_behind_a_page_that_is_empty() {
    for seed in 0..40 {
        let table = with_waiting(MemoryTable::with_paging(Paging::Drawn(seed)), 3).await;
        let batch = read_waiting(&table, &object("waiting"), None, 9).await;
        assert!(!batch.unwrap().entries.is_empty(), "seed {seed}");
    }
}
