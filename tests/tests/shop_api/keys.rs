//! Who may ask: keys in force, and what it costs to find out.

use crate::support::{ADA, customer, entitlements, open};
use domain::shop_key::{KeyName, KeyScope};
use jiff::SignedDuration;
use providers::{Secret, StageName, shop_key};
use serde_json::json;
use store::shop_keys::{create, revoke};
use tests::harness::shop_requests::ShopRequest;

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_question_costs_one_read_by_our_key_and_two_more_by_another_reference() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let check = |reference: &str| {
        let body = json!({ "customer": reference, "feature": "export" });
        ShopRequest::post(&key, "/v1/check", &body)
    };
    harness.ask(&check(ADA)).await;
    for (request, requests) in [
        (check(ADA), &["get"][..]),
        (ShopRequest::get(&key, &entitlements(ADA)), &["get"]),
        (ShopRequest::get(&key, &customer(ADA)), &["get"]),
        (check("shop/shop-ada"), &["query", "get"]),
        (check("shop-ada"), &["query", "get"]),
        (check("stripe/test/sub_Ada01"), &["get", "query", "get"]),
    ] {
        harness.process_table().take_requests();
        let answer = harness.ask(&request).await;
        assert_eq!(answer.status, 200, "{request:?}: {answer:?}");
        assert_ne!(answer.body["why"], "unknown_customer", "{request:?}");
        let asked = harness.process_table().take_requests();
        assert_eq!(asked, requests, "{request:?}");
    }
}

/// Every one of these is refused by a table that would answer nothing.
#[tokio::test]
async fn what_is_not_proven_costs_no_request_to_the_table() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let root = |text: &str| Secret::new(text).unwrap();
    let made = |root: &Secret, stage: &str, scope| {
        let stage = StageName::parse(stage).unwrap();
        shop_key(root, &stage, &name("backend"), scope, 1).unwrap()
    };
    let own = root(&harness.shop.master);
    let foreign = root("a-root-that-is-no-root-of-this-stage");
    let now = harness.now();
    let mut mistyped = key.clone();
    mistyped.pop();
    harness.process_table().take_requests();
    for (shown, code) in [
        (mistyped, "mistyped_credential"),
        (key.to_uppercase(), "malformed_credential"),
        ("sk_live_51H".to_owned(), "malformed_credential"),
        (made(&own, "live", KeyScope::Read), "other_stage"),
        (
            made(&foreign, "local", KeyScope::Read),
            "unknown_credential",
        ),
        (harness.shop_token(ADA, now), "expired_token"),
    ] {
        for request in [
            ShopRequest::get(&shown, &customer(ADA)),
            ShopRequest::get(&shown, &entitlements(ADA)),
            ShopRequest::post(&shown, "/v1/check", &json!({ "feature": "export" })),
            ShopRequest::post(&shown, "/v1/customers/find", &json!({ "email": "a@x.org" })),
            ShopRequest::post(&shown, &format!("{}/tokens", customer(ADA)), &json!({})),
        ] {
            let answer = harness.ask(&request).await;
            assert_eq!(answer.verdict(), (401, code), "{request:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
    }
    let mut bare = ShopRequest::get(&key, &customer(ADA));
    bare.headers.clear();
    assert_eq!(
        harness.ask(&bare).await.verdict(),
        (401, "missing_credential")
    );
    assert_eq!(harness.process_table().take_requests(), [""; 0]);
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_a_minute_and_its_next_version_taken_at_once() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let ask = ShopRequest::get(&key, &customer(ADA));
    assert_eq!(harness.ask(&ask).await.status, 200);
    revoke(&harness.table, &name("backend"), harness.now())
        .await
        .unwrap();
    harness.advance(SignedDuration::from_secs(60));
    assert_eq!(harness.ask(&ask).await.verdict(), (401, "revoked_key"));
    create(
        &harness.table,
        &name("backend"),
        KeyScope::Write,
        harness.now(),
    )
    .await
    .unwrap();
    let next = harness.shop_key_text(&name("backend"), KeyScope::Write, 2);
    let again = ShopRequest::get(&next, &customer(ADA));
    assert_eq!(harness.ask(&again).await.status, 200);
    assert_eq!(harness.ask(&ask).await.verdict(), (401, "revoked_key"));
    // Derived from the right root, and never given out.
    for (key_name, scope) in [("nobody", KeyScope::Read), ("backend", KeyScope::Read)] {
        let other = harness.shop_key_text(&name(key_name), scope, 2);
        let ask = ShopRequest::get(&other, &customer(ADA));
        assert_eq!(harness.ask(&ask).await.verdict(), (401, "revoked_key"));
    }
}

#[tokio::test]
async fn a_key_of_another_stage_says_of_which() {
    let harness = open(&[]).await;
    let root = Secret::new(&harness.shop.master).unwrap();
    let live = StageName::parse("live").unwrap();
    let key = shop_key(&root, &live, &name("backend"), KeyScope::Read, 1).unwrap();
    let answer = harness.ask(&ShopRequest::get(&key, &customer(ADA))).await;
    let words = answer.body["error"].as_str().unwrap();
    assert!(
        words.contains("`live`") && words.contains("`local`"),
        "{words}"
    );
}
