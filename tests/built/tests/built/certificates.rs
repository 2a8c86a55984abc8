//! Whom a process believes: pinned roots first, the system's where these do not fit, nobody else.

use crate::requests::webhook;
use crate::test_harness::{BuiltHarness, has_log_line, invoke_http, log_lines};
use lambda::TestAuthority;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_is_not_pinned_and_that_the_system_knows_is_believed_and_said_so_once() {
    let harness = BuiltHarness::open().await;
    let mut settings = harness.settings();
    settings.push(("SSL_CERT_FILE", harness.root(&harness.authority)));
    let mut endpoint = harness.start_as("payment-webhook", settings).await;
    for _ in 0..3 {
        let (status, answer) = invoke_http(&mut endpoint, &webhook().event()).await;
        assert_eq!(status, 200, "{answer}\n{}", endpoint.log());
    }
    let logged = log_lines(&endpoint);
    let warnings = logged.iter().filter(|line| line["level"] == "WARN").count();
    assert_eq!(warnings, 1, "{}", endpoint.log());
    assert!(has_log_line(
        &endpoint,
        &["no pinned root proves this endpoint"]
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_nobody_knows_is_not_believed_and_the_log_says_so() {
    let harness = BuiltHarness::open().await;
    let mut settings = harness.settings();
    settings.push((
        "SSL_CERT_FILE",
        harness.root(&TestAuthority::new().unwrap()),
    ));
    let mut endpoint = harness.start_as("payment-webhook", settings).await;
    for _ in 0..2 {
        let (status, answer) = invoke_http(&mut endpoint, &webhook().event()).await;
        assert_eq!(status, 503, "{answer}");
    }
    assert_eq!(
        harness.aws.take_operations(),
        [""; 0],
        "nothing is said to who is not believed"
    );
    let lines = log_lines(&endpoint);
    let has = |name: &str, word: &str| lines.iter().any(|line| line[name] == word);
    assert!(has("what", "certificate"), "{}", endpoint.log());
    // That the secrets can't be read is remembered for a while: nobody is asked again.
    let answering = lines.iter().filter(|line| line["requestId"].is_string());
    let verdicts: Vec<_> = answering.map(|line| line["verdict"].as_str()).collect();
    assert_eq!(verdicts, [Some("unverifiable"); 2], "{}", endpoint.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_is_named_is_believed_without_a_word() {
    let harness = BuiltHarness::open().await;
    let mut endpoint = harness.start("payment-webhook").await;
    let (status, answer) = invoke_http(&mut endpoint, &webhook().event()).await;
    assert_eq!(status, 200, "{answer}");
    let logged = log_lines(&endpoint);
    assert!(
        logged.iter().all(|line| line["level"] == "INFO"),
        "{}",
        endpoint.log()
    );
}
