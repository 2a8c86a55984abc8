//! Customers' lives as tables: what was told, and what somebody who looks then sees.

use crate::support::expect::{assert_expected, stories_folder};
use crate::support::story_test::StoryTest;
use serde_json::Value;
use std::collections::BTreeSet;
use tests::harness::TestHarness;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_story_ends_as_its_file_says() {
    let harness = TestHarness::open().await;
    for name in ["checkout", "upgrade", "renewal"] {
        let tale = StoryTest::read(name);
        let seen = tale.play(&harness).await;
        assert_expected(&tale.name, &seen);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_is_one_payment_at_every_step_in_the_old_shape_as_in_todays() {
    let (today, old) = (TestHarness::open().await, TestHarness::open().await);
    let mut today = StoryTest::read("renewal").play(&today).await;
    assert_one_payment(&today);
    let mut old = StoryTest::read("renewal-old-shape").play(&old).await;
    // The old shape knew no `invoice_payment.paid`, and its events have ids of their own.
    for seen in [&mut today, &mut old] {
        let events = seen["at the end"]["events"].take();
        assert!(events.as_array().unwrap().len() >= 12);
    }
    assert!(today.as_object().unwrap().len() > 12, "looked too seldom");
    assert_eq!(today, old);
}

#[test]
fn no_story_and_no_expectation_is_orphaned() {
    let mut stories = BTreeSet::new();
    let mut expected = BTreeSet::new();
    for entry in std::fs::read_dir(stories_folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".snap") {
            expected.insert(name.to_owned());
        } else if !name.ends_with(".snap.new") {
            stories.insert(name.strip_suffix(".toml").unwrap().to_owned());
        }
    }
    let told_without_a_file = BTreeSet::from(["renewal-old-shape".to_owned()]);
    assert_eq!(&stories - &expected, told_without_a_file);
    assert!(expected.is_subset(&stories));
}

/// A payment's sums at every step of a renewal.
fn assert_one_payment(seen: &Value) {
    let figures = |look: &str| {
        let payments = seen[look]["payments"].as_array().unwrap();
        assert!(payments.len() <= 1, "{look}: {payments:?}");
        let sum = |name: &str| payments.iter().map(|p| p[name].as_i64().unwrap()).sum();
        let sums: [i64; 3] = [
            sum("amount_minor"),
            sum("refunded_minor"),
            sum("disputed_minor"),
        ];
        sums
    };
    for (look, expected) in [
        ("renewed, nothing told of the money yet", [0, 0, 0]),
        ("the intent tells", [2880, 0, 0]),
        ("the charge tells too", [2880, 0, 0]),
        ("the invoice is paid", [2880, 0, 0]),
        ("all have told of one payment", [2880, 0, 0]),
        ("a refund begins", [2880, 960, 0]),
        ("the charge tells of the same refund", [2880, 960, 0]),
        ("the refund is through", [2880, 960, 0]),
        ("disputed", [2880, 960, 2880]),
        ("the funds are withdrawn", [2880, 960, 2880]),
        ("the funds come back", [2880, 960, 0]),
        ("won", [2880, 960, 0]),
    ] {
        assert_eq!(figures(look), expected, "{look}");
    }
}

/// The look of a view that has one payment and one welcome.
pub(crate) fn assert_one_of_each(view: &Value) {
    let count = |name: &str| view[name].as_array().unwrap().len();
    assert_eq!(count("subscriptions"), 1);
    assert_eq!(view["subscriptions"][0]["status"], "active");
    assert_eq!(count("payments"), 1, "{:#}", view["payments"]);
    assert_eq!(count("letters"), 1, "{:#}", view["letters"]);
    assert_eq!(view["letters"][0]["kind"], "welcome");
    assert_eq!(view["letters"][0]["state"], "sent");
}
