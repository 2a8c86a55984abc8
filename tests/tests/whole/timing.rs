//! When letters are written: stories whose days pass, told as they happen.

use jiff::SignedDuration;
use local_shop::delivery::Delivery;
use local_shop::story::Story;
use tests::harness::TestHarness;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trials_end_is_announced_three_days_before_and_no_more_is_said_when_it_converts() {
    let harness = TestHarness::open().await;
    begin_trial(&harness).await;
    assert_eq!(letters(&harness).await, ["welcome sent"]);
    advance_hours(&harness, 11 * 24 - 1).await;
    assert_eq!(harness.mails().len(), 1, "an hour too early");
    advance_hours(&harness, 1).await;
    assert_eq!(
        letters(&harness).await,
        ["trial_ending sent", "welcome sent"]
    );
    advance_hours(&harness, 3 * 24).await;
    let converts = "[[events]]\nsample = \"customer.subscription.updated\"\n\
                    set = { created = \"@-1m\", \"data.object.trial_start\" = \"@-14d\", \
                    \"data.object.trial_end\" = \"@-1m\", \
                    \"data.previous_attributes\" = { status = \"trialing\" } }\n";
    deliver_story(&harness, "14d", converts).await;
    advance_hours(&harness, 10 * 24).await;
    assert_eq!(
        letters(&harness).await,
        ["trial_ending sent", "welcome sent"]
    );
    assert_eq!(harness.mails().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_set_to_end_is_confirmed_and_its_end_announces_nothing() {
    let harness = TestHarness::open().await;
    begin_trial(&harness).await;
    advance_hours(&harness, 5 * 24).await;
    let canceled = "[[events]]\nsample = \"customer.subscription.updated\"\n\
                    set = { created = \"@-1m\", \"data.object.status\" = \"trialing\", \
                    \"data.object.cancel_at_period_end\" = true, \
                    \"data.previous_attributes\" = { cancel_at_period_end = false }, \
                    \"data.object.canceled_at\" = \"@-1m\", \"data.object.cancel_at\" = \"@+9d\", \
                    \"data.object.trial_start\" = \"@-5d\", \
                    \"data.object.trial_end\" = \"@+9d\" }\n";
    deliver_story(&harness, "5d", canceled).await;
    let expected = ["cancellation_confirmed sent", "welcome sent"];
    assert_eq!(letters(&harness).await, expected);
    for _ in 0..9 {
        advance_hours(&harness, 24).await;
    }
    assert_eq!(letters(&harness).await, expected);
    let mail = harness.mails().pop().unwrap();
    assert!(
        mail.subject.contains("15\u{a0}mars 2026"),
        "{}",
        mail.subject
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_renewal_is_told_of_at_the_first_failure_and_its_payment_once() {
    let harness = TestHarness::open().await;
    let fails = "[[events]]\nsample = \"customer.created\"\n\
                 [[events]]\nsample = \"customer.subscription.updated\"\n\
                 [[events]]\nsample = \"invoice.payment_failed\"\ntimes = 2\n";
    deliver_story(&harness, "31d", fails).await;
    assert_eq!(letters(&harness).await, ["payment_failed sent"]);
    let first = harness.mails();
    assert!(
        first[0].subject.contains("28,80\u{a0}€"),
        "{}",
        first[0].subject
    );
    advance_hours(&harness, 24).await;
    let again = "[[events]]\nsample = \"invoice.payment_failed\"\n\
                 set = { id = \"evt_again\", created = \"@-1m\", \
                 \"data.object.attempt_count\" = 2 }\n";
    deliver_story(&harness, "32d", again).await;
    advance_hours(&harness, 3 * 24).await;
    assert_eq!(
        harness.mails().len(),
        1,
        "the second failure is not told of"
    );
    let paid = "[[events]]\nsample = \"invoice.paid\"\ntimes = 2\n\
                rename = { \"in_Grove01\" = \"in_Grove02\" }\nset = { created = \"@-1m\" }\n";
    deliver_story(&harness, "35d", paid).await;
    let expected = ["payment_failed sent", "payment_recovered sent"];
    assert_eq!(letters(&harness).await, expected);
    for _ in 0..10 {
        advance_hours(&harness, 24).await;
    }
    assert_eq!(letters(&harness).await, expected);
    assert_eq!(harness.mails().len(), 2);
}

async fn begin_trial(harness: &TestHarness) {
    let begins = "[[events]]\nsample = \"customer.created\"\n\
                  [[events]]\nsample = \"customer.subscription.created-trial\"\ntimes = 2\n";
    deliver_story(harness, "1m", begins).await;
}

/// Tells of the customer as of now, whose life began so long ago, and lets everything happen.
async fn deliver_story(harness: &TestHarness, begins: &str, lines: &str) {
    let text = format!(
        "title = \"t\"\nbegins = \"{begins}\"\nrename = {{ \"Grove0\" = \"Yuzu0\", \
         \"Valencia01\" = \"yuzu\", \"1207\" = \"yuzu\" }}\n{lines}"
    );
    let story = Story::parse(&text).unwrap();
    let deliveries: Vec<Delivery> = story.deliveries(&harness.signers(), harness.now()).unwrap();
    harness.send_all(&deliveries).await;
    harness.settle().await;
}

async fn advance_hours(harness: &TestHarness, hours: i64) {
    harness.advance(SignedDuration::from_hours(hours)).await;
    harness.settle().await;
}

async fn letters(harness: &TestHarness) -> Vec<String> {
    let view = harness.view("stripe/test/cus_yuzu").await;
    let letters = view["letters"].as_array().unwrap();
    let mut lines: Vec<_> = letters
        .iter()
        .map(|letter| {
            let text = |name: &str| letter[name].as_str().unwrap().to_owned();
            format!("{} {}", text("kind"), text("state"))
        })
        .collect();
    lines.sort();
    lines
}
