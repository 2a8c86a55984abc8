//! Messages: one id, one content; leads and sub-ids; what dies on the way is completed.

use jiff::SignedDuration;
use providers::standard;
use serde_json::json;
use store::audit::walk;
use store::memory::Crash;
use store::reports::ReportIndex;
use store::{Item, Key};
use tests::harness::TestHarness;
use tests::harness::partner_requests::{PartnerRequest, created_report, key, with_type};

#[tokio::test]
async fn one_id_with_another_content_is_a_conflict_and_both_are_kept() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    let (first, second) = (
        created_report("r-1", "nell@example.com"),
        created_report("r-1", "ada@example.com"),
    );
    assert_eq!(
        endpoint.report("acme", "msg_1", &first).await.verdict(),
        (202, "accepted")
    );
    let before = endpoint.items();
    for _ in 0..2 {
        let answer = endpoint.report("acme", "msg_1", &second).await;
        assert_eq!(answer.status, 409, "{answer:?}");
        let text = answer.body.to_string();
        assert!(!text.contains("example.com"), "{text}");
    }
    let after = endpoint.items();
    let new: Vec<&Item> = after.iter().filter(|item| !before.contains(item)).collect();
    assert!(
        before.iter().all(|item| after.contains(item)),
        "nothing is overwritten"
    );
    let [Item::Report(ReportIndex::Conflict, kept)] = &new[..] else {
        panic!("{new:?}");
    };
    assert_eq!(kept.content.as_deref(), Some(&*second.to_string()));
    assert_eq!(
        endpoint.report("acme", "msg_1", &first).await.verdict(),
        (202, "repeated")
    );
    // Another partner's ids are its own.
    assert_eq!(
        endpoint.report("zest", "msg_1", &second).await.verdict(),
        (202, "accepted")
    );
}

#[tokio::test]
async fn a_report_of_a_known_referral_under_a_new_id_is_a_further_report() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    for (id, email) in [("msg_1", "nell@example.com"), ("msg_2", "ada@example.com")] {
        let answer = endpoint
            .report("acme", id, &created_report("r-1", email))
            .await;
        assert_eq!(answer.verdict(), (202, "accepted"));
        assert_eq!(answer.body["referral_id"], "r-1");
    }
    endpoint
        .add_paying_customer("cus_nell", "nell@example.com")
        .await;
    endpoint
        .add_paying_customer("cus_ada", "ada@example.com")
        .await;
    let customers = endpoint.ask_status("acme", "r-1").await.body["customers"].take();
    let states: Vec<_> = customers
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["state"])
        .collect();
    assert_eq!(states, ["attributed", "attributed"]);
}

#[tokio::test]
async fn whatever_dies_the_partners_retry_completes_it_and_says_what_was_said_first() {
    let report = created_report("r-1", "nell@example.com");
    let mut tried = 0;
    for after in 0..20 {
        for lost in [false, true] {
            let endpoint = TestHarness::with_partner_endpoint().await;
            endpoint
                .add_paying_customer("cus_nell", "nell@example.com")
                .await;
            endpoint.advance(SignedDuration::from_secs(60));
            // So that the partner is in memory, and every request is one of the report's.
            endpoint.ask_status("acme", "r-1").await;
            endpoint.process_table().set_faults(
                Crash {
                    after,
                    answer_lost: lost,
                }
                .faults(),
            );
            let first = endpoint.report("acme", "msg_1", &report).await;
            endpoint.process_table().clear_faults();
            endpoint.advance(SignedDuration::from_secs(7));
            let again = endpoint.report("acme", "msg_1", &report).await;
            assert_eq!(again.status, 202, "{again:?}");
            // What is journaled and not folded yet is the stream's and the audit's to finish.
            walk(&endpoint.table, 1_000, endpoint.now()).await.unwrap();
            assert_eq!(
                endpoint.ask_status("acme", "r-1").await.status_text(),
                "attributed"
            );
            let journal = endpoint.journal("cus_nell").await;
            assert_eq!(journal.len(), 2, "{journal:?}");
            let reported_at = endpoint.ask_status("acme", "r-1").await.body["reported_at"].clone();
            // It asks whether there is room before it notes the report.
            let noted = after > 1 || (after == 1 && lost);
            let lost_before_all = first.status == 503 && !noted;
            let seconds = if lost_before_all {
                "00:01:07Z"
            } else {
                "00:01:00Z"
            };
            assert_eq!(reported_at, format!("2026-03-01T{seconds}"));
            tried += u32::from(first.status == 503);
        }
    }
    assert!(tried >= 8, "it died only {tried} times");
}

#[tokio::test]
async fn a_lead_is_kept_with_its_customer_and_claims_nothing() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    let lead = with_type("lead.created", &created_report("r-1", "nell@example.com"));
    assert_eq!(
        endpoint.report("acme", "msg_1", &lead).await.verdict(),
        (202, "accepted")
    );
    assert_eq!(
        endpoint.ask_status("acme", "r-1").await.status_text(),
        "lead"
    );
    endpoint.advance(SignedDuration::from_secs(60));
    endpoint
        .add_paying_customer("cus_nell", "nell@example.com")
        .await;
    let kinds: Vec<String> = endpoint
        .journal("cus_nell")
        .await
        .into_iter()
        .map(|e| e.0)
        .collect();
    assert!(kinds.contains(&"lead.created".to_owned()), "{kinds:?}");
    assert_eq!(
        endpoint.ask_status("acme", "r-1").await.status_text(),
        "lead"
    );
    let record = endpoint
        .items()
        .into_iter()
        .find(|item| matches!(item, Item::Record(_)));
    let Some(Item::Record(record)) = record else {
        panic!("there is a record");
    };
    assert!(record.folded.state.partners.referrals.is_empty());
    endpoint
        .report("acme", "msg_2", &created_report("r-1", "nell@example.com"))
        .await;
    assert_eq!(
        endpoint.ask_status("acme", "r-1").await.status_text(),
        "attributed"
    );
}

#[tokio::test]
async fn sub_ids_come_back_to_the_partner_that_sent_them() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    let mut report = created_report("r-1", "nell@example.com");
    report["data"]["sub_ids"] = json!({ "campaign": "spring", "page": "juicers" });
    endpoint.report("acme", "msg_1", &report).await;
    let asked = endpoint.ask_status("acme", "r-1").await;
    assert_eq!(
        asked.body["sub_ids"],
        json!({ "campaign": "spring", "page": "juicers" })
    );
    for (count, status) in [(10, 202), (11, 422), (200, 422), (2_000, 413)] {
        let names = (0..count).map(|n| (format!("s{n}"), json!("x")));
        let mut report = created_report(&format!("r-{count}"), "nell@example.com");
        report["data"]["sub_ids"] = names.collect();
        let before = endpoint.items().len();
        let answer = endpoint
            .report("acme", &format!("msg_{count}"), &report)
            .await;
        assert_eq!(answer.status, status, "{count}: {answer:?}");
        assert_eq!(endpoint.items().len() > before, status == 202, "{count}");
    }
}

#[tokio::test]
async fn a_report_signed_again_under_a_newer_key_is_a_repetition() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    let report = created_report("r-1", "nell@example.com").to_string();
    let knock = PartnerRequest::report("acme", "msg_1", &report, endpoint.now());
    assert_eq!(endpoint.send(&knock).await.verdict(), (202, "accepted"));
    endpoint.advance(SignedDuration::from_secs(200));
    let headers = standard::sign("msg_1", report.as_bytes(), &key("acme"), endpoint.now());
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    let again = PartnerRequest {
        headers: headers.collect(),
        ..knock
    };
    assert_eq!(endpoint.send(&again).await.verdict(), (202, "repeated"));
    let there = endpoint
        .items()
        .iter()
        .any(|item| item.key() == Key::new("reports#acme", "report#msg_1"));
    assert!(there);
}
