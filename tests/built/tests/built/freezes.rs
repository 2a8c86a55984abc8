//! A process that wakes: between two events Lambda freezes it, and what it held may be dead.

use crate::aws::{AwsFault, FOR_EVER};
use crate::requests::{SignedRequest, webhook};
use crate::test_harness::{BuiltHarness, invoke, invoke_http};
use lambda::FunctionProcess;
use serde_json::json;

/// What becomes of its connections while it sleeps, and whether it then needs others.
type FreezeCase = (&'static str, bool, fn(&BuiltHarness));

const FREEZE_CASES: [FreezeCase; 3] = [
    ("nothing", false, |_| {}),
    ("they are closed", true, |harness| {
        harness.services.close_connections()
    }),
    (
        "they stand, and nobody is at their other end",
        true,
        |harness| {
            harness.services.mark_stale();
            for operation in ["GetParameter", "GetItem", "PutItem"] {
                harness
                    .aws
                    .inject(operation, AwsFault::StaleSilence, FOR_EVER);
            }
        },
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_after_a_freeze_is_kept_once_whatever_became_of_the_connections() {
    for (name, others, falls) in FREEZE_CASES {
        let harness = BuiltHarness::open().await;
        let mut endpoint = harness.start("payment-webhook").await;
        assert_journaled(&harness, &mut endpoint, &webhook(), 1, name).await;
        for nth in 2..4 {
            endpoint.freeze().await.unwrap();
            falls(&harness);
            endpoint.thaw().await.unwrap();
            let before = harness.services.connections();
            assert_journaled(&harness, &mut endpoint, &webhook(), nth, name).await;
            assert_eq!(harness.services.connections() > before, others, "{name}");
        }
        assert!(
            !endpoint.log().contains("not_durable"),
            "{name}: {}",
            endpoint.log()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_answer_was_lost_is_one_entry_and_no_repetition() {
    let harness = BuiltHarness::open().await;
    let mut endpoint = harness.start("payment-webhook").await;
    for (nth, lost) in (1..4).enumerate() {
        // The first of a webhook's writes is the journal's, the others are the record's.
        harness
            .aws
            .inject("PutItem", AwsFault::LosesResponse, lost.min(2));
        assert_journaled(
            &harness,
            &mut endpoint,
            &webhook(),
            nth + 1,
            "a lost answer",
        )
        .await;
        harness.aws.clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_stays_silent_is_a_503_and_the_next_webhook_is_kept() {
    let harness = BuiltHarness::open().await;
    let mut endpoint = harness.start("payment-webhook").await;
    let request = webhook();
    harness.aws.inject("PutItem", AwsFault::Silence, FOR_EVER);
    let (status, answer) = invoke_http(&mut endpoint, &request.event()).await;
    assert_eq!(status, 503, "{answer}");
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("send it again later")
    );
    assert_eq!(harness.count(""), 0);
    harness.aws.clear_faults();
    assert_journaled(&harness, &mut endpoint, &request, 1, "once it answers").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_is_journaled_is_a_200_though_the_table_then_fails() {
    let harness = BuiltHarness::open().await;
    let mut endpoint = harness.start("payment-webhook").await;
    harness.aws.inject(
        "GetItem",
        AwsFault::Responds(500, "InternalServerError"),
        FOR_EVER,
    );
    let (status, answer) = invoke_http(&mut endpoint, &webhook().event()).await;
    assert_eq!((status, &answer["applied"]), (200, &1.into()), "{answer}");
    assert_eq!((harness.count("journal#"), harness.count("record")), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_run_by_a_schedule_wakes_as_well() {
    let harness = BuiltHarness::open().await;
    let sweep = json!({ "job": "due_scan" });
    let mut calendar = harness.start("calendar").await;
    for _ in 0..3 {
        assert_eq!(invoke(&mut calendar, &sweep).await["complete"], true);
        calendar.freeze().await.unwrap();
        harness.services.close_connections();
        calendar.thaw().await.unwrap();
    }
}

/// The endpoint keeps it, for the first time, and nothing else is in any journal but what was.
async fn assert_journaled(
    harness: &BuiltHarness,
    endpoint: &mut FunctionProcess,
    request: &SignedRequest,
    nth: usize,
    name: &str,
) {
    let (status, answer) = invoke_http(endpoint, &request.event()).await;
    assert_eq!(
        status,
        200,
        "{name}, webhook {nth}: {answer}\n{}",
        endpoint.log()
    );
    assert_eq!(answer["applied"], 1, "{name}, webhook {nth}: {answer}");
    assert_eq!(harness.count("journal#"), nth, "{name}");
    assert_eq!(harness.count("record"), nth, "{name}");
}
