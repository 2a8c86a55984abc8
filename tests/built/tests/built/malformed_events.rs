//! Events of another kind: a refusal or an error report that repeats nothing of what came, and a
//! process that goes on.

use crate::requests::webhook;
use crate::test_harness::{
    BuiltHarness, batch_failures, invoke, invoke_error, invoke_http, log_lines,
};
use lambda::{RecordBatch, schedule};
use serde_json::{Value, json};

/// What may stand in no log line and no error: an address somebody wrote to us.
const CANARY: &str = "canary@example.com";

/// What is no event of the function that gets it.
fn malformed_events() -> Vec<(&'static str, Value)> {
    let queue = RecordBatch::of_queue()
        .unwrap()
        .with([("/body", CANARY.into())]);
    let mut stream = RecordBatch::of_stream().unwrap();
    stream = stream.with([("/dynamodb/Keys", CANARY.into())]);
    vec![
        ("a webhook", webhook().event()),
        ("a queue's batch", queue.event()),
        ("a stream's batch whose record is none", stream.event()),
        ("records that are none", json!({ "Records": CANARY })),
        ("a record that is none", json!({ "Records": [CANARY] })),
        (
            "a request that is none",
            json!({ "requestContext": CANARY, "body": CANARY }),
        ),
        (
            "headers that are none",
            json!({ "requestContext": {}, "headers": [CANARY] }),
        ),
        ("a schedule without an input", schedule().unwrap()),
        ("a job that is none", json!({ "job": CANARY })),
        ("text", json!(CANARY)),
        ("nothing", Value::Null),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_refuses_what_is_no_request_and_serves_again() {
    let harness = BuiltHarness::open().await;
    for function in ["payment-webhook", "partner-referral"] {
        let mut endpoint = harness.start(function).await;
        harness.aws.take_operations();
        for (name, event) in malformed_events() {
            if name == "a webhook" {
                continue;
            }
            let (status, answer) = invoke_http(&mut endpoint, &event).await;
            assert_eq!(status, 400, "{function}, {name}: {answer}");
            assert!(
                !answer.to_string().contains(CANARY),
                "{function}, {name}: {answer}"
            );
        }
        assert_eq!(harness.aws.take_operations(), [""; 0], "{function}");
        assert!(!endpoint.log().contains(CANARY), "{}", endpoint.log());
        let (status, answer) = invoke_http(&mut endpoint, &webhook().event()).await;
        let expected = if function == "payment-webhook" {
            200
        } else {
            404
        };
        assert_eq!(status, expected, "{function}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_batches_reports_what_is_no_batch_and_reads_the_next() {
    let harness = BuiltHarness::open().await;
    let none = json!({ "Records": [] });
    let sweep = json!({ "job": "due_scan" });
    for (function, kind, own, good) in [
        ("journal-fold", "NotAStream", "none of these", &none),
        ("dispatch", "NotAStream", "none of these", &none),
        ("engagement-email", "NotAQueue", "a queue's batch", &none),
        ("partner-notice", "NotAQueue", "a queue's batch", &none),
        ("calendar", "NoJob", "none of these", &sweep),
    ] {
        let mut process = harness.start(function).await;
        harness.aws.take_operations();
        for (name, event) in malformed_events()
            .into_iter()
            .filter(|(name, _)| *name != own)
        {
            let (answer, words) = invoke_error(&mut process, &event).await;
            assert_eq!(answer, kind, "{function}, {name}: {words}");
            assert!(!words.contains(CANARY), "{function}, {name}: {words}");
        }
        assert_eq!(harness.aws.take_operations(), [""; 0], "{function}");
        let logged = log_lines(&process);
        assert!(
            logged.len() >= malformed_events().len() - 1,
            "{function} tells of each"
        );
        assert!(!process.log().contains(CANARY), "{}", process.log());
        let answer = invoke(&mut process, good).await;
        if good == &none {
            assert_eq!(answer, batch_failures(&[]), "{function}");
        } else {
            assert_eq!(answer["complete"], true, "{function}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedules_jobs_run_and_say_that_they_came_to_an_end() {
    let harness = BuiltHarness::open().await;
    let mut endpoint = harness.start("payment-webhook").await;
    for _ in 0..3 {
        assert_eq!(invoke_http(&mut endpoint, &webhook().event()).await.0, 200);
    }
    let mut calendar = harness.start("calendar").await;
    for (job, customers) in [("due_scan", 0), ("audit", 3), ("audit", 3)] {
        let answer = invoke(&mut calendar, &json!({ "job": job })).await;
        assert_eq!(answer["complete"], true, "{job}: {answer}");
        assert_eq!(answer["customers"], customers, "{job}: {answer}");
    }
}
