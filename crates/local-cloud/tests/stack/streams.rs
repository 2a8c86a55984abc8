//! The table's stream as Lambda reads it.

use std::time::Duration;

use local_cloud::Wiring;
use local_cloud::error::StackError;
use local_cloud::filter::Filter;
use local_cloud::streams::StreamMapping;
use runtime::function::Failure;
use serde_json::{Value, json};

use crate::support::{dummy, put, queue, silent_dummy, stack, stream};

const SORT_KEY: &str = "/dynamodb/Keys/sk/S";

fn reader_wiring(mapping: StreamMapping) -> Wiring {
    Wiring {
        streams: vec![mapping],
        ..Wiring::default()
    }
}

/// Reports the records with this sort key as failed, as a careful function does.
fn failing(event: &Value, poison: &str) -> Value {
    let records = event["Records"].as_array().unwrap();
    let poisoned = records
        .iter()
        .filter(|record| record.pointer(SORT_KEY).unwrap() == poison);
    let failures: Vec<Value> = poisoned
        .map(|record| json!({ "itemIdentifier": record["dynamodb"]["SequenceNumber"] }))
        .collect();
    json!({ "batchItemFailures": failures })
}

#[tokio::test]
async fn a_stream_event_has_the_shape_that_lambda_sends() {
    let function = silent_dummy();
    let stack = stack(|_| reader_wiring(stream("reader", &function))).await;
    put(stack.engine(), "a");
    let update = json!({
        "TableName": "orangery", "Key": { "pk": { "S": "p" }, "sk": { "S": "a" } },
        "UpdateExpression": "SET n = :n, b = :b",
        "ExpressionAttributeValues": { ":n": { "N": "1" }, ":b": { "B": "/wA=" } },
    });
    let database = stack.engine().database();
    database
        .update_item(serde_json::from_value(update).unwrap())
        .unwrap();
    let delete = json!({
        "TableName": "orangery", "Key": { "pk": { "S": "p" }, "sk": { "S": "a" } },
    });
    database
        .delete_item(serde_json::from_value(delete).unwrap())
        .unwrap();
    stack.settle().await.unwrap();
    let calls = function.calls();
    assert_eq!(calls.len(), 1);
    let records = calls[0]["Records"].as_array().unwrap();
    let names: Vec<_> = records
        .iter()
        .map(|record| record["eventName"].clone())
        .collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    let change = &records[1];
    assert_eq!(change["eventVersion"], "1.1");
    assert_eq!(change["eventSource"], "aws:dynamodb");
    assert_eq!(change["awsRegion"], "eu-west-3");
    let arn = "arn:aws:dynamodb:eu-west-3:000000000000:table/orangery/stream/";
    assert!(change["eventSourceARN"].as_str().unwrap().starts_with(arn));
    assert!(change["eventID"].is_string());
    let inner = &change["dynamodb"];
    assert_eq!(
        inner["Keys"],
        json!({ "pk": { "S": "p" }, "sk": { "S": "a" } })
    );
    assert_eq!(
        inner["OldImage"],
        json!({ "pk": { "S": "p" }, "sk": { "S": "a" } })
    );
    assert_eq!(inner["NewImage"]["b"], json!({ "B": "/wA=" }));
    assert_eq!(inner["NewImage"]["n"], json!({ "N": "1" }));
    assert_eq!(inner["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert!(inner["SizeBytes"].is_u64() && inner["ApproximateCreationDateTime"].is_u64());
    assert!(records[0]["dynamodb"].get("OldImage").is_none());
    assert!(records[2]["dynamodb"].get("NewImage").is_none());
    let at = |record: &Value| {
        record["dynamodb"]["SequenceNumber"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(at(&records[0]) < at(&records[1]) && at(&records[1]) < at(&records[2]));
}

#[tokio::test]
async fn batches_are_as_large_as_the_mapping_allows() {
    let function = silent_dummy();
    let stack = stack(|_| {
        reader_wiring(StreamMapping {
            batch_size: 2,
            ..stream("reader", &function)
        })
    });
    let stack = stack.await;
    for key in ["a", "b", "c"] {
        put(stack.engine(), key);
    }
    stack.settle().await.unwrap();
    assert_eq!(function.batches(SORT_KEY), [vec!["a", "b"], vec!["c"]]);
}

#[tokio::test]
async fn a_partial_failure_is_tried_again_from_the_failed_record_on() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let function = dummy(move |event| {
        let fails = first.swap(false, std::sync::atomic::Ordering::SeqCst);
        Ok(failing(event, if fails { "b" } else { "none" }))
    });
    let stack = stack(|_| reader_wiring(stream("reader", &function))).await;
    for key in ["a", "b", "c"] {
        put(stack.engine(), key);
    }
    stack.settle().await.unwrap();
    assert_eq!(
        function.batches(SORT_KEY),
        [vec!["a", "b", "c"], vec!["b", "c"]]
    );
    assert_eq!(stack.counts().unwrap().stream_lag["reader"], 0);
    assert_eq!(stack.counts().unwrap().failed_batches, 0);
}

#[tokio::test]
async fn an_answer_that_names_nothing_known_fails_the_whole_batch() {
    for answer in [
        json!({ "batchItemFailures": [{ "itemIdentifier": "7" }] }),
        json!({ "batchItemFailures": [{ "itemIdentifier": null }] }),
        json!({ "batchItemFailures": [{ "itemidentifier": "7" }] }),
        json!({ "batchItemFailures": "all" }),
        json!("fine"),
    ] {
        let function = dummy(move |_| Ok(answer.clone()));
        let stack = stack(|_| reader_wiring(stream("reader", &function))).await;
        put(stack.engine(), "a");
        stack.settle().await.unwrap();
        assert_eq!(function.calls().len(), 3, "one try and two retries");
        assert_eq!(stack.state().failed_batches().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_empty_answer_of_any_shape_is_success() {
    for answer in [
        json!(null),
        json!({}),
        json!({ "batchItemFailures": [] }),
        json!({ "batchItemFailures": null }),
    ] {
        let function = dummy(move |_| Ok(answer.clone()));
        let stack = stack(|_| reader_wiring(stream("reader", &function))).await;
        put(stack.engine(), "a");
        stack.settle().await.unwrap();
        assert_eq!(function.calls().len(), 1);
    }
}

#[tokio::test]
async fn bisecting_gives_up_the_poisoned_record_alone() {
    let function = dummy(|event| {
        let report = failing(event, "c");
        let poisoned = !report["batchItemFailures"].as_array().unwrap().is_empty();
        if poisoned {
            Err(Failure::new("Bug", "poison"))
        } else {
            Ok(Value::Null)
        }
    });
    let mapping = StreamMapping {
        bisect_on_error: true,
        ..stream("reader", &function)
    };
    let stack = stack(|_| reader_wiring(mapping)).await;
    for key in ["a", "b", "c", "d", "e"] {
        put(stack.engine(), key);
    }
    stack.settle().await.unwrap();
    let expected = [
        vec!["a", "b", "c", "d", "e"],
        vec!["a", "b"],
        vec!["c", "d", "e"],
        vec!["c"],
        vec!["c"],
        vec!["c"],
        vec!["d", "e"],
    ];
    assert_eq!(function.batches(SORT_KEY), expected);
    let failed = stack.state().failed_batches().unwrap();
    assert_eq!((failed.len(), failed[0].size), (1, 1));
    assert_eq!(failed[0].message, "Bug: poison");
}

#[tokio::test]
async fn what_is_given_up_goes_to_its_destination_and_does_not_hold_up_the_rest() {
    let function = dummy(|event| {
        let report = failing(event, "a");
        let poisoned = !report["batchItemFailures"].as_array().unwrap().is_empty();
        if poisoned {
            panic!("poison")
        } else {
            Ok(Value::Null)
        }
    });
    let listener = silent_dummy();
    let stack = stack(|_| Wiring {
        streams: vec![StreamMapping {
            batch_size: 1,
            on_failure: Some("failed".to_owned()),
            ..stream("reader", &function)
        }],
        queues: vec![queue("failed", &listener)],
        ..Wiring::default()
    })
    .await;
    put(stack.engine(), "a");
    put(stack.engine(), "b");
    stack.settle().await.unwrap();
    assert_eq!(
        function.batches(SORT_KEY),
        [vec!["a"], vec!["a"], vec!["a"], vec!["b"]]
    );
    let batch = stack.state().failed_batches().unwrap().remove(0);
    assert_eq!(
        (batch.condition.as_str(), batch.source.as_str()),
        ("RetryAttemptsExhausted", "reader")
    );
    assert_eq!(batch.record["requestContext"]["approximateInvokeCount"], 3);
    let body = &listener.batches("/body")[0][0];
    let heard: Value = serde_json::from_str(body).unwrap();
    assert_eq!(heard["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(heard, batch.record);
}

#[tokio::test]
async fn filtered_records_are_passed_over_and_never_delivered() {
    let function = silent_dummy();
    let filters = vec![
        Filter::sort_key("journal#"),
        Filter {
            event_names: Some(vec!["MODIFY".to_owned()]),
            ..Filter::default()
        },
    ];
    let stack = stack(|_| {
        reader_wiring(StreamMapping {
            filters,
            ..stream("reader", &function)
        })
    })
    .await;
    for key in ["record", "journal#1", "letter#1", "journal#2", "record"] {
        put(stack.engine(), key);
    }
    put(stack.engine(), "letter#2");
    stack.settle().await.unwrap();
    assert_eq!(
        function.batches(SORT_KEY),
        [vec!["journal#1", "journal#2", "record"]]
    );
    assert_eq!(stack.counts().unwrap().stream_lag["reader"], 0);
}

#[tokio::test]
async fn records_older_than_the_mapping_allows_are_given_up_untried() {
    let function = silent_dummy();
    let mapping = StreamMapping {
        maximum_record_age: Some(Duration::ZERO),
        ..stream("reader", &function)
    };
    let stack = stack(|_| reader_wiring(mapping)).await;
    put(stack.engine(), "a");
    stack.settle().await.unwrap();
    assert!(function.calls().is_empty());
    let batch = stack.state().failed_batches().unwrap().remove(0);
    assert_eq!(
        (batch.condition.as_str(), batch.size),
        ("RecordAgeExceeded", 1)
    );
}

#[tokio::test]
async fn a_mapping_that_retries_for_ever_is_reported_busy() {
    let function = dummy(|_| Err(Failure::new("Bug", "always")));
    let mapping = StreamMapping {
        maximum_retry_attempts: None,
        ..stream("stuck", &function)
    };
    let stack = stack(|_| reader_wiring(mapping)).await;
    put(stack.engine(), "a");
    let Err(StackError::Busy(words)) = stack.settle().await else {
        panic!("must be busy")
    };
    assert!(words.contains("stuck"));
    assert_eq!(stack.counts().unwrap().stream_lag["stuck"], 1);
}

#[tokio::test]
async fn without_a_window_records_are_delivered_by_themselves() {
    let (sender, hears) = std::sync::mpsc::channel();
    let function = dummy(move |_| {
        let _ = sender.send(());
        Ok(Value::Null)
    });
    let window = Duration::ZERO;
    let mapping = StreamMapping {
        batching_window: window,
        ..stream("reader", &function)
    };
    let stack = stack(|_| reader_wiring(mapping)).await;
    put(stack.engine(), "a");
    let heard = tokio::task::spawn_blocking(move || hears.recv_timeout(Duration::from_secs(30)));
    heard
        .await
        .unwrap()
        .expect("delivered without anyone asking");
}

#[tokio::test]
async fn a_third_reader_of_the_stream_is_refused() {
    let function = silent_dummy();
    let streams = ["a", "b", "c"].map(|name| stream(name, &function)).to_vec();
    let settings = local_cloud::StackSettings::default();
    let wiring = Wiring {
        streams,
        ..Wiring::default()
    };
    let started = local_cloud::Stack::start(settings, |_| wiring).await;
    assert!(matches!(started, Err(StackError::Wiring(_))));
}
