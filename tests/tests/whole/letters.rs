//! Letters: what they say, that each goes out at most once, and what becomes of those that
//! do not go out.

use crate::support::story_test::StoryTest;
use jiff::SignedDuration;
use local_cloud::mail::MailFault;
use local_shop::delivery::Delivery;
use local_shop::shop::Fallbacks;
use local_shop::story::Story;
use orangery::wiring::LETTERS;
use serde_json::{Value, json};
use std::time::Duration;
use tests::harness::entries::entry;
use tests::harness::{TestHarness, shop, start_time};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_welcome_reads_as_its_language_has_it() {
    let harness = TestHarness::open().await;
    for (id, locale, name) in [
        ("fr", r#"["fr-FR"]"#, "Zoé <b>Zeste</b>"),
        ("en", r#"["en-GB", "fr"]"#, "Max & Co"),
    ] {
        harness
            .send_all(&starts(&harness, id, locale, name, "2m"))
            .await;
    }
    harness.settle().await;
    let mails = harness.mails();
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        let language = if mail.to == ["fr@example.com"] {
            "fr"
        } else {
            "en"
        };
        assert_eq!(mail.from, "grove@example.com");
        assert!(
            mail.html.contains(&format!("lang=\"{language}\"")),
            "{}",
            mail.html
        );
        // What carries markup is not called by its name.
        let named = match language {
            "fr" => !mail.html.contains("Zeste"),
            _ => mail.html.contains("Max &amp; Co"),
        };
        assert!(named, "{}", mail.html);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_ordered_many_times_is_sent_once() {
    let harness = TestHarness::open().await;
    harness.send_all(&started(&harness, "2m")).await;
    let order = json!({
        "customer": "stripe/test/cus_pomelo", "letter": "welcome", "cause": "sub_Pomelo01",
    });
    for _ in 0..5 {
        let queues = harness.stack().queues();
        queues
            .send(LETTERS, &order.to_string(), &json!({}), Duration::ZERO)
            .unwrap();
    }
    harness.settle().await;
    assert_eq!(only_letter(&harness).await["state"], "sent");
    assert_eq!(harness.mails().len(), 1);
}

#[tokio::test]
async fn stream_records_and_messages_handed_over_twice_send_one_letter() {
    let harness = TestHarness::in_process().without_attributes().open();
    let signers = local_shop::shop::signers(&shop()).unwrap();
    for delivery in StoryTest::read("checkout").deliveries(&signers) {
        harness.ingest(&entry(&delivery)).await;
        harness.settle().await;
    }
    assert_eq!(harness.mailer().sent_count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cause_older_than_its_window_writes_to_nobody() {
    let harness = TestHarness::open().await;
    harness.send_all(&started(&harness, "7d")).await;
    harness.settle().await;
    assert_eq!(view(&harness).await["letters"], json!([]));
    let harness = TestHarness::open().await;
    // A minute younger than the window.
    harness.send_all(&started(&harness, "167h59m")).await;
    harness.settle().await;
    assert_eq!(only_letter(&harness).await["state"], "sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_whose_window_closes_while_it_waits_is_withdrawn() {
    let harness = slow_harness().await;
    harness.send_all(&started(&harness, "2m")).await;
    assert_eq!(only_letter(&harness).await["state"], "due");
    harness.advance(SignedDuration::from_hours(8 * 24)).await;
    harness.settle().await;
    let letter = only_letter(&harness).await;
    assert_eq!(letter["state"], "withdrawn");
    assert_eq!(
        letter["reason"],
        "its window closed before it could be sent"
    );
    assert!(harness.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_whose_reason_is_gone_while_it_waits_is_withdrawn() {
    let harness = slow_harness().await;
    harness.send_all(&started(&harness, "2m")).await;
    assert_eq!(only_letter(&harness).await["state"], "due");
    let ended = "[[events]]\nsample = \"customer.subscription.deleted\"\n\
         set = { created = \"@-1m\", \"data.object.canceled_at\" = \"@-1m\", \
         \"data.object.ended_at\" = \"@-1m\" }\n";
    harness.send_all(&of_pomelo(&harness, "2m", ended)).await;
    assert_eq!(
        view(&harness).await["subscriptions"][0]["status"],
        "canceled"
    );
    harness.advance(SignedDuration::from_mins(6)).await;
    harness.settle().await;
    let view = view(&harness).await;
    let letters = view["letters"].as_array().unwrap();
    let letter = letters.iter().find(|l| l["kind"] == "welcome").unwrap();
    assert_eq!(letter["state"], "withdrawn");
    assert_eq!(
        letter["reason"],
        "its reason is gone: the record no longer asks for it"
    );
    // What takes its place is that the end is confirmed.
    let mails = harness.mails();
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0]
            .tags
            .iter()
            .any(|tag| tag.value == "cancellation_confirmed")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_letter_is_sent_later_and_once() {
    let harness = TestHarness::open().await;
    harness.stack().mailbox().fail_next(3, MailFault::Throttled);
    harness.send_all(&started(&harness, "2m")).await;
    harness.settle().await;
    assert_eq!(only_letter(&harness).await["state"], "sent");
    assert_eq!(harness.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_letter_fails_with_a_reason_and_is_not_tried_again() {
    let harness = TestHarness::open().await;
    harness.stack().mailbox().fail_next(1, MailFault::Rejected);
    harness.send_all(&started(&harness, "2m")).await;
    harness.settle().await;
    let letter = only_letter(&harness).await;
    assert_eq!(
        (&letter["state"], &letter["reason"]),
        (&json!("failed"), &json!("MessageRejected"))
    );
    after_days(&harness).await;
    assert_eq!(only_letter(&harness).await["state"], "failed");
    assert!(harness.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_whose_answer_was_lost_is_unknown_and_never_sent_again() {
    let harness = TestHarness::open().await;
    harness
        .stack()
        .mailbox()
        .fail_next(1, MailFault::AnswerLost);
    harness.send_all(&started(&harness, "2m")).await;
    harness.settle().await;
    assert_eq!(only_letter(&harness).await["state"], "unknown");
    after_days(&harness).await;
    assert_eq!(only_letter(&harness).await["state"], "unknown");
    assert_eq!(
        harness.mails().len(),
        1,
        "SES took it before its answer was lost"
    );
}

/// Everything told again, and audits over two days: nobody may write once more.
async fn after_days(harness: &TestHarness) {
    harness.send_all(&started(harness, "2m")).await;
    for _ in 0..3 {
        harness.advance(SignedDuration::from_hours(16)).await;
        harness.settle().await;
    }
}

/// A harness in which letters wait until an audit finds them overdue.
async fn slow_harness() -> TestHarness {
    let mut shop = shop();
    shop.fallbacks = Fallbacks {
        stream: false,
        audit: true,
    };
    TestHarness::local_stack().shop(shop).open().await
}

fn started(harness: &TestHarness, begins: &str) -> Vec<Delivery> {
    let event = "[[events]]\nsample = \"customer.created\"\n\
                [[events]]\nsample = \"customer.subscription.updated\"\n";
    of_pomelo(harness, begins, event)
}

fn of_pomelo(harness: &TestHarness, begins: &str, event: &str) -> Vec<Delivery> {
    let text = format!(
        "title = \"t\"\nbegins = \"{begins}\"\nrename = {{ \"Grove0\" = \"Pomelo0\", \
         \"Valencia01\" = \"pomelo\", \"1207\" = \"pomelo\" }}\n{event}"
    );
    let story = Story::parse(&text).unwrap();
    story.deliveries(&harness.signers(), start_time()).unwrap()
}

fn starts(
    harness: &TestHarness,
    id: &str,
    locales: &str,
    name: &str,
    begins: &str,
) -> Vec<Delivery> {
    let text = format!(
        "title = \"t\"\nbegins = \"{begins}\"\nrename = {{ \"Grove0\" = \"{id}0\", \
         \"Valencia01\" = \"{id}\", \"1207\" = \"{id}\" }}\n\
         [[events]]\nsample = \"customer.created\"\nset = {{ \"data.object.email\" = \
         \"{id}@example.com\", \"data.object.name\" = \"{name}\", \
         \"data.object.preferred_locales\" = {locales} }}\n\
         [[events]]\nsample = \"customer.subscription.updated\"\n"
    );
    let story = Story::parse(&text).unwrap();
    story.deliveries(&harness.signers(), start_time()).unwrap()
}

async fn view(harness: &TestHarness) -> Value {
    harness.view("stripe/test/cus_pomelo").await
}

async fn only_letter(harness: &TestHarness) -> Value {
    let view = view(harness).await;
    let letters = view["letters"].as_array().unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    letters[0].clone()
}
