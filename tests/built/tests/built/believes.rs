//! Whom a process believes: pinned roots first, the system's where these do not fit, nobody else.

use crate::house::{House, answered, lines, says};
use crate::told::webhook;
use lambda::Authority;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_is_not_pinned_and_that_the_system_knows_is_believed_and_said_so_once() {
    let house = House::open().await;
    let mut settings = house.settings();
    settings.push(("SSL_CERT_FILE", house.root(&house.authority)));
    let mut door = house.start_as("payment-webhook", settings).await;
    for _ in 0..3 {
        let (status, said) = answered(&mut door, &webhook().event()).await;
        assert_eq!(status, 200, "{said}\n{}", door.log());
    }
    let told = lines(&door);
    let warnings = told.iter().filter(|line| line["level"] == "WARN").count();
    assert_eq!(warnings, 1, "{}", door.log());
    assert!(says(&door, &["no pinned root proves this endpoint"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_nobody_knows_is_not_believed_and_the_log_says_so() {
    let house = House::open().await;
    let mut settings = house.settings();
    settings.push(("SSL_CERT_FILE", house.root(&Authority::new().unwrap())));
    let mut door = house.start_as("payment-webhook", settings).await;
    for _ in 0..2 {
        let (status, said) = answered(&mut door, &webhook().event()).await;
        assert_eq!(status, 503, "{said}");
    }
    assert_eq!(
        house.aws.since(),
        [""; 0],
        "nothing is said to who is not believed"
    );
    let told = lines(&door);
    let answering = told.iter().filter(|line| line["requestId"].is_string());
    let said = answering.map(|line| line["what"].as_str().or(line["verdict"].as_str()));
    let each = [Some("certificate"), Some("unverifiable")];
    assert_eq!(said.collect::<Vec<_>>(), each.repeat(2), "{}", door.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_is_named_is_believed_without_a_word() {
    let house = House::open().await;
    let mut door = house.start("payment-webhook").await;
    let (status, said) = answered(&mut door, &webhook().event()).await;
    assert_eq!(status, 200, "{said}");
    let told = lines(&door);
    assert!(
        told.iter().all(|line| line["level"] == "INFO"),
        "{}",
        door.log()
    );
}
