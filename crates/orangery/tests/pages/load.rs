//! How fast pages answer over a hundred thousand events; run by hand:
//! `cargo test -p orangery --test pages -- --ignored --nocapture`.

use super::support::{get, open, shop};
use domain::ids::{Mode, ProviderAccount};
use domain::record::Entry;
use providers::{
    ApiResponses, EndpointConfig, FetchStep, InboundRequest, ItemOutcome, PersonKey, Request,
    Secret,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::dynamo::DynamoTable;

const SECRET: &str = "whsec_of_the_load_test_alone";

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// One customer's events, made from the samples of a subscription's life.
fn entries(customer: &str, count: usize, from: usize) -> Vec<Arc<Entry>> {
    let provider = providers::provider("stripe").unwrap();
    let (secret, keys) = (Secret::new(SECRET).unwrap(), Secret::new(SECRET).unwrap());
    let (keys, secrets) = (
        PersonKey::derive(&keys).unwrap(),
        provider.secrets([SECRET]).unwrap(),
    );
    let names = [
        "customer.created",
        "customer.subscription.created",
        "invoice.paid",
        "charge.succeeded",
        "payment_intent.succeeded",
        "customer.subscription.updated",
        "charge.refunded",
        "invoice.payment_failed",
        "refund.created",
        "customer.updated",
    ];
    let now = "2026-03-01T00:00:00Z".parse().unwrap();
    let mut entries = Vec::new();
    for at in from..from + count {
        let name = names[at % names.len()];
        let (_, body) = provider
            .samples()
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap();
        let body = body
            .replace("cus_Valencia01", customer)
            .replace("Grove0", &format!("{customer}x{}x", at / names.len()))
            .replace("nell@example.com", &format!("{customer}@example.com"));
        let mut value: serde_json::Value = serde_json::from_str(&body).unwrap();
        value["id"] = format!("evt_{customer}_{at}").into();
        value["created"] = (1_767_225_600 + at as i64 * 600).into();
        let body = serde_json::to_vec(&value).unwrap();
        let headers = providers::Headers::new(provider.sign(&body, &secret, now).unwrap()).unwrap();
        let request = Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: &body,
        };
        let arrival = InboundRequest {
            request,
            endpoint: EndpointConfig::new(Mode::Test),
            secrets: &secrets,
            fetched: &ApiResponses::closed(),
            now,
        };
        let FetchStep::Done(received) = providers::receive(provider, &arrival, &keys).unwrap()
        else {
            panic!("asks though nobody answers");
        };
        for received in received {
            if let ItemOutcome::Event(reading) = received.outcome {
                entries.push(Arc::new(Entry::new(
                    reading,
                    received.raw,
                    1,
                    now,
                    "load".into(),
                )));
            }
        }
    }
    entries
}

/// One customer through the store, then copies of what that wrote under other names: a
/// million writes through a client would take an hour without optimization.
async fn load(stack: &local_cloud::Stack, table: &DynamoTable, customers: usize) {
    let now = "2026-03-01T00:00:00Z".parse().unwrap();
    let template = "cus_000000";
    store::ingest::ingest_entries(table, &entries(template, 10, 0), now)
        .await
        .unwrap();
    let engine = stack.engine().clone();
    let (records, next) = engine.scan_page(None).unwrap();
    assert!(next.is_none());
    let of_it = |record: &&serde_json::Value| {
        let sort = record["dynamodb"]["Keys"]["sk"]["S"].as_str().unwrap();
        ["journal#", "record", "letter#"]
            .iter()
            .any(|prefix| sort.starts_with(prefix))
    };
    let images = records
        .iter()
        .filter(of_it)
        .map(|record| &record["dynamodb"]["NewImage"]);
    let images: Vec<serde_json::Value> = images.cloned().collect();
    for at in 1..customers {
        for image in &images {
            let mut image = image.clone();
            let raw = image.as_object_mut().unwrap().remove("raw");
            let text = image.to_string().replace(template, &format!("cus_{at:06}"));
            let mut image: serde_json::Value = serde_json::from_str(&text).unwrap();
            if let Some(raw) = raw {
                image["raw"] = raw;
            }
            let put = serde_json::json!({ "TableName": "orangery", "Item": image });
            engine
                .database()
                .put_item(serde_json::from_value(put).unwrap())
                .unwrap();
        }
    }
}

async fn timed_get(stack: &local_cloud::Stack, path: &str) -> (Duration, usize) {
    let mut best = Duration::MAX;
    let mut size = 0;
    for _ in 0..3 {
        let begun = Instant::now();
        let (status, text) = get(stack, path).await;
        assert_eq!(status, 200, "{path}: {text}");
        best = best.min(begun.elapsed());
        size = text.len();
    }
    (best, size)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: figures for people, no assertion of time"]
async fn pages_over_a_hundred_thousand_events() {
    let mut shop = shop();
    shop.fallbacks = local_shop::shop::Fallbacks {
        stream: false,
        audit: false,
    };
    let (customers, long) = (number("CUSTOMERS", 10_000), number("LONG", 10_000));
    let stack = open(&shop).await;
    let table = local_shop::connection::dynamo_table(stack.endpoints()).unwrap();
    let begun = Instant::now();
    load(&stack, &table, customers).await;
    println!(
        "{customers} customers of 10 events in {:?}",
        begun.elapsed()
    );
    append_long(&table, long).await;
    wait_until_caught_up(&stack, customers + usize::from(long > 0)).await;
    let first = Instant::now();
    if long > 0 {
        get(&stack, "/customer?key=stripe/test/cus_long").await;
        println!("first look at the long one {:?}", first.elapsed());
    }
    print_pages(&stack, customers, long).await;
}

/// One customer whose journal is long: appended without folding each time, since the fold at the
/// end reads them all.
async fn append_long(table: &DynamoTable, long: usize) {
    let begun = Instant::now();
    let now = "2026-03-01T00:00:00Z".parse().unwrap();
    for from in (0..long).step_by(500) {
        for entry in entries("cus_long", 500.min(long - from), from) {
            store::ingest::append_or_park(table, &entry).await.unwrap();
        }
    }
    let key = ProviderAccount {
        provider: "stripe",
        mode: Mode::Test,
    }
    .customer(&domain::ids::ObjectId::parse("cus_long").unwrap());
    store::folding::fold_or_leave(table, &key, vec![], now).await;
    println!("one customer of {long} events in {:?}", begun.elapsed());
}

async fn print_pages(stack: &local_cloud::Stack, customers: usize, long: usize) {
    println!("| page | best of 3 | size |\n| --- | --- | --- |");
    let middle = format!("cus_{:06}", customers / 2);
    let mut pages = vec![
        "/".to_owned(),
        "/live".into(),
        "/customers".into(),
        format!("/customers?after=stripe/test/{middle}"),
        format!("/customers?q={middle}%40example.com"),
        format!("/customers?q=no+such+name"),
        format!("/customer?key=stripe/test/{middle}"),
        format!("/event?id=stripe/test/evt_{middle}_3"),
        "/mailbox".into(),
        "/refused".into(),
        "/clock".into(),
        "/gallery".into(),
    ];
    if long > 0 {
        pages.push("/customer?key=stripe/test/cus_long".into());
        pages.push("/customer?key=stripe/test/cus_long&page=100".into());
        pages.push("/customer?key=stripe/test/cus_long&page=200".into());
    }
    for page in pages {
        let (took, size) = timed_get(stack, &page).await;
        println!("| {page} | {took:?} | {size} |");
    }
}

/// Waits until the index knows as many customers.
async fn wait_until_caught_up(stack: &local_cloud::Stack, customers: usize) {
    let begun = Instant::now();
    let wanted = format!("data-count=\"customers\">{customers}");
    while !get(stack, "/live").await.1.contains(&wanted) {
        let waited = begun.elapsed();
        assert!(
            waited < Duration::from_secs(600),
            "the index never caught up"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("the index had caught up after {:?} more", begun.elapsed());
}
