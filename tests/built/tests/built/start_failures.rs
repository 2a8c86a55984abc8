//! A start into trouble: no INIT fails by it, the answer meanwhile is a 503 whose log line names
//! the cause, and when the trouble is over the same process answers.

use crate::aws::{AwsFault, FOR_EVER};
use crate::requests::webhook;
use crate::test_harness::{BuiltHarness, has_log_line, invoke_http, log_lines};
use lambda::{FunctionProcess, ReservedPort};

/// What the parameter store does, and what the log says of it.
const START_FAULTS: [(AwsFault, &str); 6] = [
    (
        AwsFault::Responds(500, "InternalServerError"),
        "InternalServerError",
    ),
    (
        AwsFault::Responds(400, "ThrottlingException"),
        "ThrottlingException",
    ),
    (AwsFault::Responds(400, "ParameterNotFound"), "is not there"),
    (
        AwsFault::Responds(400, "AccessDeniedException"),
        "AccessDeniedException",
    ),
    (
        AwsFault::Responds(400, "ExpiredTokenException"),
        "ExpiredTokenException",
    ),
    (AwsFault::Silence, "no answer"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_store_in_trouble_at_the_start_is_a_503_until_it_answers() {
    let mut all = tokio::task::JoinSet::new();
    for (fault, word) in START_FAULTS {
        all.spawn(async move {
            let harness = BuiltHarness::open().await;
            harness.aws.inject("GetParameter", fault, FOR_EVER);
            let mut endpoint = harness.start("payment-webhook").await;
            assert_unverifiable(&mut endpoint, word).await;
            assert_eq!(harness.count(""), 0, "{fault:?}");
            harness.aws.clear_faults();
            assert_applied(&mut endpoint).await;
        });
    }
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_store_that_is_not_there_at_the_start_is_a_503_until_it_is() {
    let harness = BuiltHarness::open().await;
    let reserved = ReservedPort::new().unwrap();
    let own = [("AWS_ENDPOINT_URL_SSM", reserved.url())];
    let mut endpoint = harness.start_with("payment-webhook", &own).await;
    assert_unverifiable(&mut endpoint, "no answer").await;
    let server = harness.authority.server().unwrap();
    let _there = reserved.open(server, harness.aws.clone()).unwrap();
    assert_applied(&mut endpoint).await;
}

/// In Lambda a process's credentials never change: its environment ends before they do. So this
/// is a table that takes them for expired for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_takes_the_credentials_for_expired_is_a_503_and_then_answers() {
    for (status, kind) in [
        (400, "ExpiredTokenException"),
        (403, "ExpiredTokenException"),
        (403, "UnrecognizedClientException"),
        (400, "ProvisionedThroughputExceededException"),
    ] {
        let harness = BuiltHarness::open().await;
        let mut endpoint = harness.start("payment-webhook").await;
        let request = webhook();
        harness
            .aws
            .inject("PutItem", AwsFault::Responds(status, kind), FOR_EVER);
        let (answer, response) = invoke_http(&mut endpoint, &request.event()).await;
        assert_eq!(answer, 503, "{status} {kind}: {response}");
        let word = if kind.starts_with("Prov") {
            "throttling"
        } else {
            kind
        };
        assert!(
            has_log_line(&endpoint, &["not_durable", "ERROR", word]),
            "{}",
            endpoint.log()
        );
        assert_eq!(harness.count(""), 0);
        harness.aws.clear_faults();
        let (answer, response) = invoke_http(&mut endpoint, &request.event()).await;
        assert_eq!(
            (answer, &response["applied"]),
            (200, &1.into()),
            "{response}"
        );
        assert_eq!(harness.count("journal#"), 1);
    }
}

/// A webhook is refused for now, and one line of the log says why.
async fn assert_unverifiable(endpoint: &mut FunctionProcess, word: &str) {
    let (status, response) = invoke_http(endpoint, &webhook().event()).await;
    assert_eq!(status, 503, "{word}: {response}");
    assert!(
        response["error"]
            .as_str()
            .unwrap()
            .contains("send it again later"),
        "{response}"
    );
    assert!(
        has_log_line(endpoint, &["unverifiable", "ERROR", word]),
        "{word}: {}",
        endpoint.log()
    );
}

/// The same process takes a webhook, once it no longer remembers that the secrets could not be
/// read: its sender sends again and again, as senders do.
async fn assert_applied(endpoint: &mut FunctionProcess) {
    let (mut status, mut response) = invoke_http(endpoint, &webhook().event()).await;
    for _ in 0..MAX_TRIES {
        if status != 503 {
            break;
        }
        (status, response) = invoke_http(endpoint, &webhook().event()).await;
    }
    assert_eq!(
        (status, &response["applied"]),
        (200, &1.into()),
        "{response}\n{}",
        endpoint.log()
    );
    assert!(
        log_lines(endpoint)
            .iter()
            .any(|line| line["verdict"] == "applied")
    );
}

/// What is remembered for some seconds is over long before so many requests are answered.
const MAX_TRIES: u32 = 200_000;
