//! Batches of which a part fails: exactly what failed is named, the rest is done.

use crate::aws::AwsFault;
use crate::requests::{SignedRequest, signed, webhook};
use crate::test_harness::{BuiltHarness, batch_failures, invoke, invoke_http};
use domain::ids::CustomerKey;
use jiff::Timestamp;
use lambda::{FunctionProcess, RecordBatch};
use local_shop::samples::sample_story;
use local_shop::shop::Shop;
use local_shop::shop::signers;
use local_shop::story::Story;
use serde_json::{Value, json};
use store::{Key, Table};

/// How often the SDK asks before it gives up.
const ATTEMPTS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_record_that_cannot_be_read_fails_alone() {
    let harness = BuiltHarness::open().await;
    let customers = unfolded(&harness, 3).await;
    let bad = json!({ "type": { "S": "of a later version" }, "pk": { "S": "customer#x" } });
    let mut batch = RecordBatch::of_stream().unwrap();
    let entries = images(&harness, "journal#");
    assert_eq!(entries.len(), 3);
    for (number, (keys, image)) in entries.into_iter().enumerate() {
        batch = batch.with(stream_record(10 + number, keys, image));
        let keys = json!({ "pk": { "S": "customer#x" }, "sk": { "S": "record" } });
        if number == 1 {
            batch = batch.with(stream_record(50, keys, bad.clone()));
        }
    }
    let mut fold = harness.start("journal-fold").await;
    let answer = invoke(&mut fold, &batch.event()).await;
    assert_eq!(answer, batch_failures(&[&sequence(50)]));
    for customer in &customers {
        assert!(
            has_record(&harness, customer).await,
            "{customer:?} is folded"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_whom_the_table_throttles_fails_alone_and_is_folded_the_next_time() {
    let harness = BuiltHarness::open().await;
    let customers = unfolded(&harness, 3).await;
    let mut batch = RecordBatch::of_stream().unwrap();
    for (number, (keys, image)) in images(&harness, "journal#").into_iter().enumerate() {
        batch = batch.with(stream_record(10 + number, keys, image));
    }
    let event = batch.event();
    let mut fold = harness.start("journal-fold").await;
    let refused = "ProvisionedThroughputExceededException";
    harness
        .aws
        .inject("GetItem", AwsFault::Responds(400, refused), ATTEMPTS);
    let answer = invoke(&mut fold, &event).await;
    // Customers are taken in the order of their keys, and the table lists them so.
    assert_eq!(answer, batch_failures(&[&sequence(10)]));
    let mut folded = Vec::new();
    for customer in &customers {
        folded.push(has_record(&harness, customer).await);
    }
    assert_eq!(
        folded.iter().filter(|folded| **folded).count(),
        2,
        "{folded:?}"
    );
    assert_eq!(invoke(&mut fold, &event).await, batch_failures(&[]));
    for customer in &customers {
        assert!(has_record(&harness, customer).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_or_expired_is_nobodys_business() {
    let harness = BuiltHarness::open().await;
    let keys = json!({ "pk": { "S": "customer#x" }, "sk": { "S": "journal#x" } });
    let mut event = RecordBatch::of_stream()
        .unwrap()
        .with(stream_record(10, keys, json!({})))
        .event();
    let record = event["Records"][0].as_object_mut().unwrap();
    record["dynamodb"]
        .as_object_mut()
        .unwrap()
        .remove("NewImage");
    record["eventName"] = "REMOVE".into();
    let ttl = json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });
    record.insert("userIdentity".into(), ttl);
    for function in ["journal-fold", "dispatch"] {
        let mut process = harness.start(function).await;
        harness.aws.take_operations();
        assert_eq!(
            invoke(&mut process, &event).await,
            batch_failures(&[]),
            "{function}"
        );
        assert_eq!(harness.aws.take_operations(), [""; 0], "{function}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_the_queue_does_not_take_fails_alone() {
    let harness = BuiltHarness::open().await;
    play_scenarios(&harness, &["ada", "chloe", "gaspard"]).await;
    let letters = images(&harness, "letter#");
    assert!(letters.len() >= 3, "{letters:?}");
    let (mut batch, mut sequences) = (RecordBatch::of_stream().unwrap(), Vec::new());
    for (number, (keys, image)) in letters.into_iter().enumerate() {
        batch = batch.with(stream_record(10 + number, keys, image));
        sequences.push(sequence(10 + number));
    }
    let event = batch.event();
    let mut dispatch = harness.start("dispatch").await;
    harness.aws.inject(
        "SendMessage",
        AwsFault::Responds(500, "InternalFailure"),
        ATTEMPTS,
    );
    assert_eq!(
        invoke(&mut dispatch, &event).await,
        batch_failures(&[&sequences[0]])
    );
    assert_eq!(harness.aws.take_messages().len(), sequences.len() - 1);
    assert_eq!(invoke(&mut dispatch, &event).await, batch_failures(&[]));
    assert_eq!(harness.aws.take_messages().len(), sequences.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_orders_nothing_fails_alone_and_a_letter_goes_out_once() {
    let harness = BuiltHarness::open().await;
    play_scenarios(&harness, &["ada"]).await;
    let order = send_task(&harness).await;
    let nobodys = order.replace("cus_ada", "cus_nobody");
    assert_ne!(order, nobodys);
    let event = RecordBatch::of_queue()
        .unwrap()
        .with(message("bad", "no order of canary@example.com"))
        .with(message("good", &order))
        .with(message("bad-too", r#"{"letter":"canary@example.com"}"#))
        .with(message("gone", &nobodys))
        .event();
    let mut email = harness.start("engagement-email").await;
    for _ in 0..2 {
        let answer = invoke(&mut email, &event).await;
        assert_eq!(answer, batch_failures(&["bad", "bad-too"]));
        assert_eq!(harness.stack.mailbox().mails().unwrap().len(), 1);
    }
    assert!(!email.log().contains("canary@"), "{}", email.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_orders_no_notice_fails_alone() {
    let harness = BuiltHarness::open().await;
    let event = RecordBatch::of_queue()
        .unwrap()
        .with(message("bad", "no order of canary@example.com"))
        .with(message(
            "nobodys",
            r#"{"partner":"acme","row":"payout#0000000001"}"#,
        ))
        .with(message("bad-too", r#"{"partner":["canary@example.com"]}"#))
        .event();
    let mut notice = harness.start("partner-notice").await;
    let answer = invoke(&mut notice, &event).await;
    assert_eq!(answer, batch_failures(&["bad", "bad-too"]));
    assert!(!notice.log().contains("canary@"), "{}", notice.log());
}

/// A queue's message: its id and its body.
fn message(id: &str, body: &str) -> [(&'static str, Value); 2] {
    [("/messageId", id.into()), ("/body", body.into())]
}

/// A record of the stream that tells of a new item.
fn stream_record(number: usize, keys: Value, image: Value) -> [(&'static str, Value); 3] {
    [
        ("/dynamodb/SequenceNumber", sequence(number).into()),
        ("/dynamodb/Keys", keys),
        ("/dynamodb/NewImage", image),
    ]
}

fn sequence(number: usize) -> String {
    format!("44215845000000000174504390{number}")
}

/// Items whose sort key begins so, in the table's order.
fn images(harness: &BuiltHarness, prefix: &str) -> Vec<(Value, Value)> {
    let mut images = harness.images();
    images.retain(|(keys, _)| keys["sk"]["S"].as_str().unwrap().starts_with(prefix));
    images.sort_by_key(|(keys, _)| keys["pk"]["S"].to_string());
    images
}

/// So many customers with one entry each and no record, as a receiver leaves them that died.
async fn unfolded(harness: &BuiltHarness, count: usize) -> Vec<CustomerKey> {
    let mut endpoint = harness.start("payment-webhook").await;
    let mut customers = Vec::new();
    for _ in 0..count {
        let request = webhook();
        assert_eq!(invoke_http(&mut endpoint, &request.event()).await.0, 200);
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let id = body["data"]["object"]["customer"].as_str().unwrap();
        let customer = CustomerKey::parse(&*format!("stripe/test/{id}")).unwrap();
        harness
            .table()
            .delete(Key::record(&customer))
            .await
            .unwrap();
        customers.push(customer);
    }
    customers
}

async fn has_record(harness: &BuiltHarness, customer: &CustomerKey) -> bool {
    let record = harness.table().get(Key::record(customer)).await;
    record.unwrap().is_some()
}

/// Plays sample lives through the endpoint.
async fn play_scenarios(harness: &BuiltHarness, names: &[&str]) {
    let mut endpoint: FunctionProcess = harness.start("payment-webhook").await;
    for name in names {
        let story = Story::parse(sample_story(name).unwrap()).unwrap();
        let signers = signers(&Shop::default()).unwrap();
        for delivery in story.deliveries(&signers, Timestamp::now()).unwrap() {
            let request: SignedRequest = signed(String::from_utf8(delivery.body).unwrap());
            let (status, answer) = invoke_http(&mut endpoint, &request.event()).await;
            assert_eq!(status, 200, "{name}: {answer}");
        }
    }
}

/// The order that follows from the first letter owed, as `dispatch` sends it.
async fn send_task(harness: &BuiltHarness) -> String {
    let letters = images(harness, "letter#");
    let (keys, image) = letters.into_iter().next().unwrap();
    let event = RecordBatch::of_stream()
        .unwrap()
        .with(stream_record(10, keys, image))
        .event();
    let mut dispatch = harness.start("dispatch").await;
    assert_eq!(invoke(&mut dispatch, &event).await, batch_failures(&[]));
    harness.aws.take_messages().remove(0)
}
