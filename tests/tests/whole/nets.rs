//! Each net alone suffices: without the receivers' fold the stream ends every record alike,
//! without the stream the receivers and the audit do.

use crate::support::house::{House, opening, shop};
use crate::support::tale::Tale;
use jiff::{SignedDuration, Timestamp};
use orangery::delivery::Delivery;
use orangery::dev::sample_story;
use orangery::story::Story;
use orangery::wiring::{AUDIT, Nets, dynamo_table, wire, wire_over};
use serde_json::{Map, Value};
use store::dynamo::DynamoTable;
use store::items::RECORD;
use store::{Item, Key, Page, Put, StoreError, Table, When, Write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_receivers_fold_the_stream_ends_every_record_alike() {
    let house = House::of(shop(), |endpoints, shop| {
        let table = dynamo_table(endpoints).unwrap();
        wire_over(endpoints, shop, Blind(table.clone()), table).unwrap()
    });
    let house = house.await;
    tell(&house).await;
    house.settle().await;
    let (views, undisturbed) = tokio::join!(views(&house), undisturbed());
    assert_eq!(views, undisturbed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_stream_the_receivers_and_the_audit_end_every_record_alike() {
    let mut shop = shop();
    shop.nets = Nets {
        stream: false,
        audit: true,
    };
    let house = House::of(shop, |endpoints, shop| wire(endpoints, shop).unwrap()).await;
    tell(&house).await;
    house.settle().await;
    assert!(
        house.mails().is_empty(),
        "nobody handed letters to their queue yet"
    );
    // What waits longer than the audit's patience is handed over.
    house.advance(SignedDuration::from_mins(6)).await;
    house.settle().await;
    let (views, undisturbed) = tokio::join!(views(&house), undisturbed());
    assert_eq!(views, undisturbed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_stream_and_receivers_fold_the_audit_alone_ends_every_record_alike() {
    let mut shop = shop();
    shop.nets = Nets {
        stream: false,
        audit: true,
    };
    let house = House::of(shop, |endpoints, shop| {
        let table = dynamo_table(endpoints).unwrap();
        wire_over(endpoints, shop, Blind(table.clone()), table).unwrap()
    });
    let house = house.await;
    tell(&house).await;
    // One walk folds; what that sets free of parking, a second one; then letters fall overdue.
    for _ in 0..3 {
        house.stack.run_schedule(AUDIT).await.unwrap();
    }
    house.advance(SignedDuration::from_mins(6)).await;
    house.settle().await;
    let (views, undisturbed) = tokio::join!(views(&house), undisturbed());
    assert_eq!(views, undisturbed);
}

/// The lives that are told: the sample shop's, and a renewal with a refund and a dispute.
const LIVES: [(&str, &str); 6] = [
    ("ada", "cus_ada"),
    ("bruno", "cus_bruno"),
    ("chloe", "cus_chloe"),
    ("dana", "cus_dana"),
    ("emil", "cus_emil"),
    ("guest", "pi_Guest03"),
];

async fn undisturbed() -> Value {
    let house = House::open().await;
    tell(&house).await;
    house.settle().await;
    let views = views(&house).await;
    assert_eq!(house.mails().len(), 3, "ada, chloe and dana are welcomed");
    views
}

async fn tell(house: &House) {
    house.partner("acme").await;
    let signers = house.signers();
    let mut deliveries: Vec<Delivery> = Vec::new();
    for (name, _) in LIVES {
        let story = Story::parse(sample_story(name).unwrap()).unwrap();
        deliveries.extend(story.deliveries(&signers, opening()).unwrap());
    }
    deliveries.extend(Tale::read("renewal").deliveries(&signers));
    house.send_all(&deliveries).await;
}

async fn views(house: &House) -> Value {
    let mut views = Map::new();
    for id in LIVES.map(|(_, id)| id).into_iter().chain(["cus_rangpur"]) {
        let mut view = house.view(&format!("stripe/test/{id}")).await;
        for event in view["events"].as_array_mut().unwrap() {
            // A report's webhook-id is made of the second at which it was sent.
            if event["type"] == "referral.created" {
                event["id"] = "(the sender's)".into();
            }
        }
        views.insert(id.to_owned(), view);
    }
    Value::Object(views)
}

/// A table that never shows a record: whoever holds it can append, and fold nothing.
#[derive(Clone)]
struct Blind(DynamoTable);

impl Table for Blind {
    async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        if &*key.sort == RECORD {
            return Err(StoreError::NoAnswer("out of sight".into()));
        }
        self.0.get(key).await
    }

    async fn put(&self, item: Item, when: When) -> Result<Put, StoreError> {
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

    async fn due(&self, shard: u64, until: Timestamp, most: u32) -> Result<Vec<Key>, StoreError> {
        self.0.due(shard, until, most).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<bool, StoreError> {
        self.0.transact(writes).await
    }
}
