//! SQS as the SDK and as Lambda meet it.

use std::time::Duration;

use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};
use jiff::SignedDuration;
use local_cloud::Wiring;
use local_cloud::queue_mapping::QueueMapping;
use runtime::function::Failure;
use serde_json::{Value, json};

use crate::support::{dummy, post, queue, silent_dummy, sqs, stack};

fn queue_wiring(mapping: QueueMapping) -> Wiring {
    Wiring {
        queues: vec![mapping],
        ..Wiring::default()
    }
}

#[tokio::test]
async fn the_sdk_sends_and_receives() {
    let function = silent_dummy();
    let stack = stack(|_| queue_wiring(queue("letters", &function))).await;
    let client = sqs(stack.aws_endpoint());
    let url = client
        .get_queue_url()
        .queue_name("letters-dead")
        .send()
        .await
        .unwrap();
    let url = url.queue_url.unwrap();
    assert_eq!(url, stack.endpoints().queue_url("letters-dead"));
    let attribute = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("v")
        .build()
        .unwrap();
    let sent = client
        .send_message()
        .queue_url(&url)
        .message_body("hello")
        .message_attributes("k", attribute)
        .send()
        .await
        .unwrap();
    assert_eq!(
        sent.md5_of_message_body(),
        Some("5d41402abc4b2a76b9719d911017c592")
    );
    let receive = client.receive_message().queue_url(&url);
    let received = receive.max_number_of_messages(10).send().await.unwrap();
    let message = &received.messages()[0];
    assert_eq!(message.body(), Some("hello"));
    assert_eq!(message.message_id(), sent.message_id());
    let attributes = message.message_attributes().unwrap();
    assert_eq!(attributes["k"].string_value(), Some("v"));
}

#[tokio::test]
async fn a_received_message_is_hidden_and_only_its_latest_receipt_deletes_it() {
    let stack = stack(|_| queue_wiring(queue("letters", &silent_dummy()))).await;
    let client = sqs(stack.aws_endpoint());
    let url = stack.endpoints().queue_url("letters-dead");
    stack
        .queues()
        .send("letters-dead", "x", &json!({}), Duration::ZERO)
        .unwrap();
    let receive = || {
        client
            .receive_message()
            .queue_url(&url)
            .visibility_timeout(600)
    };
    let delete = |receipt: &str| {
        client
            .delete_message()
            .queue_url(&url)
            .receipt_handle(receipt)
    };
    let first = receive().send().await.unwrap();
    let first = first.messages()[0].receipt_handle().unwrap();
    assert!(
        receive().send().await.unwrap().messages().is_empty(),
        "hidden"
    );
    let hide = client
        .change_message_visibility()
        .queue_url(&url)
        .receipt_handle(first);
    hide.visibility_timeout(0).send().await.unwrap();
    let second = receive().send().await.unwrap();
    let second = second.messages()[0].receipt_handle().unwrap();
    let depth = || stack.queues().depth("letters-dead").unwrap();
    delete(first).send().await.unwrap();
    assert_eq!(depth().in_flight, 1, "an old receipt deletes nothing");
    delete(second).send().await.unwrap();
    assert_eq!(depth().in_flight, 0);
}

#[tokio::test]
async fn the_sdk_speaks_in_batches_and_asks_for_attributes() {
    let stack = stack(|_| queue_wiring(queue("letters", &silent_dummy()))).await;
    let client = sqs(stack.aws_endpoint());
    let url = stack.endpoints().queue_url("letters-dead");
    let entry = |id: &str| {
        SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body(id)
            .build()
            .unwrap()
    };
    let batch = client
        .send_message_batch()
        .queue_url(&url)
        .entries(entry("a"))
        .entries(entry("b"));
    let sent = batch.send().await.unwrap();
    assert_eq!((sent.successful().len(), sent.failed().len()), (2, 0));
    let received = client
        .receive_message()
        .queue_url(&url)
        .max_number_of_messages(10)
        .send();
    let received = received.await.unwrap();
    let entries = received
        .messages()
        .iter()
        .enumerate()
        .map(|(place, message)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .receipt_handle(message.receipt_handle().unwrap())
                .build()
                .unwrap()
        });
    let delete = client.delete_message_batch().queue_url(&url);
    let deleted = delete
        .set_entries(Some(entries.collect()))
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.successful().len(), 2);
    let url = stack.endpoints().queue_url("letters");
    let attributes = client
        .get_queue_attributes()
        .queue_url(url)
        .send()
        .await
        .unwrap();
    let policy =
        &attributes.attributes().unwrap()[&aws_sdk_sqs::types::QueueAttributeName::RedrivePolicy];
    let policy: Value = serde_json::from_str(policy).unwrap();
    let dead = "arn:aws:sqs:eu-west-3:000000000000:letters-dead";
    assert_eq!(
        policy,
        json!({ "deadLetterTargetArn": dead, "maxReceiveCount": 3 })
    );
}

#[tokio::test]
async fn an_unknown_queue_is_the_error_that_the_sdk_knows() {
    let stack = stack(|_| queue_wiring(queue("letters", &silent_dummy()))).await;
    let client = sqs(stack.aws_endpoint());
    let url = stack.endpoints().queue_url("elsewhere");
    let refused = client
        .send_message()
        .queue_url(url)
        .message_body("x")
        .send()
        .await;
    let refused = refused.unwrap_err().into_service_error();
    assert!(refused.is_queue_does_not_exist(), "{refused:?}");
}

#[tokio::test]
async fn a_queue_event_has_the_shape_that_lambda_sends() {
    let function = silent_dummy();
    let stack = stack(|_| queue_wiring(queue("letters", &function))).await;
    let attributes = json!({ "k": { "DataType": "String", "StringValue": "v" } });
    let id = stack
        .queues()
        .send("letters", "hello", &attributes, Duration::ZERO)
        .unwrap();
    stack.settle().await.unwrap();
    let record = function.calls()[0]["Records"][0].clone();
    assert_eq!(record["messageId"], id);
    assert_eq!(record["body"], "hello");
    assert_eq!(record["md5OfBody"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(
        record["eventSourceARN"],
        "arn:aws:sqs:eu-west-3:000000000000:letters"
    );
    assert_eq!(record["awsRegion"], "eu-west-3");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert!(
        record["attributes"]["SentTimestamp"]
            .as_str()
            .unwrap()
            .parse::<i64>()
            .unwrap()
            > 0
    );
    let turned = json!({
        "stringValue": "v", "dataType": "String", "stringListValues": [], "binaryListValues": [],
    });
    assert_eq!(record["messageAttributes"]["k"], turned);
}

#[tokio::test]
async fn only_what_failed_comes_back_and_in_the_end_it_is_dead_until_redriven() {
    let cured = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let healthy = std::sync::Arc::clone(&cured);
    let function = dummy(move |event| {
        if healthy.load(std::sync::atomic::Ordering::SeqCst) {
            return Ok(Value::Null);
        }
        let records = event["Records"].as_array().unwrap();
        let failures: Vec<Value> = records
            .iter()
            .filter(|record| record["body"] == "b")
            .map(|record| json!({ "itemIdentifier": record["messageId"] }))
            .collect();
        Ok(json!({ "batchItemFailures": failures }))
    });
    let stack = stack(|_| queue_wiring(queue("letters", &function))).await;
    for body in ["a", "b", "c"] {
        stack
            .queues()
            .send("letters", body, &json!({}), Duration::ZERO)
            .unwrap();
    }
    stack.settle().await.unwrap();
    assert_eq!(
        function.batches("/body"),
        [vec!["a", "b", "c"], vec!["b"], vec!["b"]]
    );
    assert_eq!(stack.counts().unwrap().dead_letters["letters-dead"], 1);
    assert_eq!(
        stack.queues().peek("letters-dead").unwrap().as_deref(),
        Some("b")
    );
    cured.store(true, std::sync::atomic::Ordering::SeqCst);
    let answer = post(
        stack.gateway_url(),
        "/_stack/queues/letters-dead/redrive",
        &json!({}),
    )
    .await;
    assert_eq!(answer.json(), json!({ "moved": 1 }));
    stack.settle().await.unwrap();
    assert_eq!(function.batches("/body").last().unwrap(), &["b"]);
    assert_eq!(stack.counts().unwrap().dead_letters["letters-dead"], 0);
}

#[tokio::test]
async fn a_function_that_fails_leaves_every_message_in_the_queue() {
    let function = dummy(|_| Err(Failure::new("Bug", "always")));
    let mapping = QueueMapping {
        maximum_receives: 2,
        ..queue("letters", &function)
    };
    let stack = stack(|_| queue_wiring(mapping)).await;
    for body in ["a", "b"] {
        stack
            .queues()
            .send("letters", body, &json!({}), Duration::ZERO)
            .unwrap();
    }
    stack.settle().await.unwrap();
    assert_eq!(function.batches("/body"), [vec!["a", "b"], vec!["a", "b"]]);
    assert_eq!(stack.counts().unwrap().dead_letters["letters-dead"], 2);
}

#[tokio::test]
async fn a_delay_ends_when_the_clock_is_moved_past_it() {
    let function = silent_dummy();
    let stack = stack(|_| queue_wiring(queue("letters", &function))).await;
    let delay = Duration::from_secs(600);
    stack
        .queues()
        .send("letters", "later", &json!({}), delay)
        .unwrap();
    stack.settle().await.unwrap();
    assert!(function.calls().is_empty());
    stack.advance(SignedDuration::from_mins(11)).await.unwrap();
    stack.settle().await.unwrap();
    assert_eq!(function.batches("/body"), [vec!["later"]]);
}

#[tokio::test]
async fn a_long_poll_answers_when_a_message_arrives() {
    let stack = stack(|_| queue_wiring(queue("letters", &silent_dummy()))).await;
    let client = sqs(stack.aws_endpoint());
    let url = stack.endpoints().queue_url("letters-dead");
    let poll = client
        .receive_message()
        .queue_url(&url)
        .wait_time_seconds(20)
        .send();
    let send = client
        .send_message()
        .queue_url(&url)
        .message_body("now")
        .send();
    let begun = std::time::Instant::now();
    let (polled, sent) = tokio::join!(poll, send);
    sent.unwrap();
    assert_eq!(polled.unwrap().messages().len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_failed_message_comes_back_by_itself_after_its_visibility_time_out() {
    let (sender, hears) = std::sync::mpsc::channel();
    let function = dummy(move |event| {
        let count = &event["Records"][0]["attributes"]["ApproximateReceiveCount"];
        if count == "1" {
            return Err(Failure::new("Bug", "at first"));
        }
        let _ = sender.send(());
        Ok(Value::Null)
    });
    let (batching_window, visibility) = (Duration::ZERO, Duration::from_millis(5));
    let mapping = QueueMapping {
        batching_window,
        visibility,
        ..queue("letters", &function)
    };
    let stack = stack(|_| queue_wiring(mapping)).await;
    stack
        .queues()
        .send("letters", "x", &json!({}), Duration::ZERO)
        .unwrap();
    let heard = tokio::task::spawn_blocking(move || hears.recv_timeout(Duration::from_secs(30)));
    heard
        .await
        .unwrap()
        .expect("delivered again without anyone asking");
    assert_eq!(function.calls().len(), 2);
}

#[tokio::test]
async fn the_sdk_redrives_dead_letters_too() {
    let function = dummy(|_| Err(Failure::new("Bug", "always")));
    let mapping = QueueMapping {
        maximum_receives: 1,
        ..queue("letters", &function)
    };
    let stack = stack(|_| queue_wiring(mapping)).await;
    stack
        .queues()
        .send("letters", "x", &json!({}), Duration::ZERO)
        .unwrap();
    stack.settle().await.unwrap();
    let arn = "arn:aws:sqs:eu-west-3:000000000000:letters-dead";
    let client = sqs(stack.aws_endpoint());
    client
        .start_message_move_task()
        .source_arn(arn)
        .send()
        .await
        .unwrap();
    assert_eq!(stack.queues().depth("letters-dead").unwrap().visible, 0);
    stack.settle().await.unwrap();
    assert_eq!(function.calls().len(), 2);
}
