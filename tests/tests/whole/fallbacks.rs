//! Each net alone suffices: without the receivers' fold the stream ends every record alike,
//! without the stream the receivers and the audit do.

use crate::support::story_test::StoryTest;
use jiff::{SignedDuration, Timestamp};
use local_shop::connection::dynamo_table;
use local_shop::delivery::Delivery;
use local_shop::samples::sample_story;
use local_shop::shop::Fallbacks;
use local_shop::story::Story;
use orangery::wiring::{AUDIT, wire_with_table};
use serde_json::{Map, Value};
use store::dynamo::DynamoTable;
use store::items::RECORD;
use store::{Item, Key, Page, PutOutcome, StoreError, Table, TransactWrite, WriteCondition};
use tests::harness::{TestHarness, shop, start_time};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_receivers_fold_the_stream_ends_every_record_alike() {
    let harness = TestHarness::local_stack().wired(|endpoints, shop| {
        let table = dynamo_table(endpoints).unwrap();
        wire_with_table(endpoints, shop, RecordHidingTable(table.clone()), table).unwrap()
    });
    let harness = harness.open().await;
    deliver_stories(&harness).await;
    harness.settle().await;
    let (views, undisturbed) = tokio::join!(views(&harness), undisturbed());
    assert_eq!(views, undisturbed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_stream_the_receivers_and_the_audit_end_every_record_alike() {
    let mut shop = shop();
    shop.fallbacks = Fallbacks {
        stream: false,
        audit: true,
    };
    let harness = TestHarness::local_stack().shop(shop).open().await;
    deliver_stories(&harness).await;
    harness.settle().await;
    assert!(
        harness.mails().is_empty(),
        "nobody handed letters to their queue yet"
    );
    // What waits longer than the audit's patience is handed over.
    harness.advance(SignedDuration::from_mins(6)).await;
    harness.settle().await;
    let (views, undisturbed) = tokio::join!(views(&harness), undisturbed());
    assert_eq!(views, undisturbed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_stream_and_receivers_fold_the_audit_alone_ends_every_record_alike() {
    let mut shop = shop();
    shop.fallbacks = Fallbacks {
        stream: false,
        audit: true,
    };
    let harness = TestHarness::local_stack()
        .shop(shop)
        .wired(|endpoints, shop| {
            let table = dynamo_table(endpoints).unwrap();
            wire_with_table(endpoints, shop, RecordHidingTable(table.clone()), table).unwrap()
        });
    let harness = harness.open().await;
    deliver_stories(&harness).await;
    // One walk folds; what that sets free of parking, a second one; then letters fall overdue.
    for _ in 0..3 {
        harness.stack().run_schedule(AUDIT).await.unwrap();
    }
    harness.advance(SignedDuration::from_mins(6)).await;
    harness.settle().await;
    let (views, undisturbed) = tokio::join!(views(&harness), undisturbed());
    assert_eq!(views, undisturbed);
}

/// The lives that are told: the sample shop's, and a renewal with a refund and a dispute.
const SAMPLE_STORIES: [(&str, &str); 6] = [
    ("ada", "cus_ada"),
    ("bruno", "cus_bruno"),
    ("chloe", "cus_chloe"),
    ("dana", "cus_dana"),
    ("emil", "cus_emil"),
    ("guest", "pi_Guest03"),
];

async fn undisturbed() -> Value {
    let harness = TestHarness::open().await;
    deliver_stories(&harness).await;
    harness.settle().await;
    let views = views(&harness).await;
    assert_eq!(harness.mails().len(), 3, "ada, chloe and dana are welcomed");
    views
}

async fn deliver_stories(harness: &TestHarness) {
    harness.add_partner("acme").await;
    let signers = harness.signers();
    let mut deliveries: Vec<Delivery> = Vec::new();
    for (name, _) in SAMPLE_STORIES {
        let story = Story::parse(sample_story(name).unwrap()).unwrap();
        deliveries.extend(story.deliveries(&signers, start_time()).unwrap());
    }
    deliveries.extend(StoryTest::read("renewal").deliveries(&signers));
    harness.send_all(&deliveries).await;
}

async fn views(harness: &TestHarness) -> Value {
    let mut views = Map::new();
    for id in SAMPLE_STORIES
        .map(|(_, id)| id)
        .into_iter()
        .chain(["cus_rangpur"])
    {
        let mut view = harness.view(&format!("stripe/test/{id}")).await;
        for event in view["events"].as_array_mut().unwrap() {
            // A report's webhook-id is made of the second at which it was sent, and its place is
            // where it was heard.
            if event["type"] == "referral.created" {
                event["id"] = "(the sender's)".into();
                event["occurred_at"] = "(when it was heard)".into();
            }
        }
        views.insert(id.to_owned(), view);
    }
    Value::Object(views)
}

/// A table that never shows a record: whoever holds it can append, and fold nothing.
#[derive(Clone)]
struct RecordHidingTable(DynamoTable);

impl Table for RecordHidingTable {
    async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        if &*key.sort == RECORD {
            return Err(StoreError::NoAnswer("out of sight".into()));
        }
        self.0.get(key).await
    }

    async fn put(&self, item: Item, when: WriteCondition) -> Result<PutOutcome, StoreError> {
        self.0.put(item, when).await
    }

    async fn delete(&self, key: Key) -> Result<(), StoreError> {
        self.0.delete(key).await
    }

    async fn query(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<Key>,
    ) -> Result<Page, StoreError> {
        self.0.query(partition, prefix, after).await
    }

    async fn scan(&self, after: Option<Key>, limit: u32) -> Result<Page, StoreError> {
        self.0.scan(after, limit).await
    }

    async fn query_due(
        &self,
        shard: u64,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.0.query_due(shard, until, most).await
    }

    async fn transact(&self, writes: Vec<TransactWrite>) -> Result<bool, StoreError> {
        self.0.transact(writes).await
    }
}
