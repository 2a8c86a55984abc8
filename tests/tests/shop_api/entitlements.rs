//! What a customer may use, from Stripe's own payloads.

use crate::support::{ADA, entitlements, open};
use domain::catalog::Catalog;
use domain::shop_key::KeyScope;
use jiff::SignedDuration;
use local_shop::samples::sample_story;
use local_shop::shop::Shop;
use serde_json::{Value, json};
use tests::harness::shop_requests::{ShopAnswer, ShopRequest};
use tests::harness::{InProcess, TestHarness};

async fn check(harness: &TestHarness<InProcess>, key: &str, body: Value) -> ShopAnswer {
    let answer = harness
        .ask(&ShopRequest::post(key, "/v1/check", &body))
        .await;
    assert_eq!(answer.status, 200, "{body}: {answer:?}");
    answer
}

#[tokio::test]
async fn a_plan_gives_what_the_catalog_says_and_a_change_changes_the_answer() {
    let harness = open(&["ada", "bruno"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    for (customer, feature, want, allowed) in [
        ("shop-ada", "export", Value::Null, true),
        ("shop-ada", "seats", json!(5), true),
        ("shop-ada", "seats", json!("6"), false),
        ("shop-ada", "support", json!("standard"), true),
        ("shop-ada", "support", json!("premium"), false),
        ("shop-ada", "audit", Value::Null, false),
        ("stripe/test/cus_bruno", "seats", json!(25), true),
        ("stripe/test/cus_bruno", "support", json!("premium"), true),
    ] {
        let asked = json!({ "customer": customer, "feature": feature, "want": want });
        let answer = check(&harness, &key, asked.clone()).await;
        assert_eq!(answer.body["allowed"], allowed, "{asked}: {answer:?}");
        assert_eq!(answer.body["feature"], feature);
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let seats = json!({ "customer": ADA, "feature": "seats" });
    let answer = check(&harness, &key, seats).await;
    assert_eq!(answer.body["customer"], ADA);
    assert_eq!(
        (&answer.body["why"], &answer.body["limit"]),
        (&json!("in_plan"), &json!(5))
    );
    assert_eq!(answer.body["sources"][0]["subscription"], "sub_Ada01");
    harness
        .ingest_story(
            "title = \"t\"\nbegins = \"1m\"\n\
             rename = { Grove0 = \"Ada0\", Valencia01 = \"ada\" }\n\
             [[events]]\nsample = \"customer.subscription.deleted\"\n",
        )
        .await;
    let answer = check(
        &harness,
        &key,
        json!({ "customer": ADA, "feature": "export" }),
    )
    .await;
    assert_eq!(
        (&answer.body["allowed"], &answer.body["why"]),
        (&json!(false), &json!("ended"))
    );
}

#[tokio::test]
async fn who_or_what_is_not_known_is_an_answer_and_no_error() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let answer = check(
        &harness,
        &key,
        json!({ "customer": "nobody", "feature": "export" }),
    )
    .await;
    assert_eq!(answer.body["why"], "unknown_customer");
    assert_eq!(
        (&answer.body["allowed"], &answer.body["customer"]),
        (&json!(false), &Value::Null)
    );
    let answer = check(
        &harness,
        &key,
        json!({ "customer": ADA, "feature": "exprot" }),
    )
    .await;
    assert_eq!(answer.body["why"], "unknown_feature");
    assert_eq!(
        (&answer.body["allowed"], &answer.body["kind"]),
        (&json!(false), &Value::Null)
    );
    let all = ShopRequest::get(&key, &entitlements("nobody"));
    assert_eq!(harness.ask(&all).await.verdict(), (404, "unknown_customer"));
}

#[tokio::test]
async fn what_a_feature_can_not_be_asked_for_says_what_it_can() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    for (feature, want, words) in [
        ("export", json!(1), "leave it out"),
        ("seats", json!("many"), "whole number"),
        ("support", json!("gold"), "none, standard, premium"),
    ] {
        let body = json!({ "customer": ADA, "feature": feature, "want": want });
        let answer = harness
            .ask(&ShopRequest::post(&key, "/v1/check", &body))
            .await;
        assert_eq!(answer.verdict(), (422, "invalid_field"), "{body}");
        assert!(
            answer.body["error"].as_str().unwrap().contains(words),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn all_features_of_the_catalog_are_answered_as_each_is_checked() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let ask = ShopRequest::get(&key, &entitlements("shop-ada"));
    let answer = harness.ask(&ask).await;
    let customer = &answer.body["customers"][0];
    assert_eq!(customer["customer"], ADA);
    let features = customer["features"].as_array().unwrap();
    let names: Vec<&str> = features
        .iter()
        .map(|one| one["feature"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["audit", "export", "seats", "support"]);
    for feature in features {
        let asked = json!({ "customer": ADA, "feature": feature["feature"] });
        let mut one = check(&harness, &key, asked).await.body;
        one.as_object_mut().unwrap().remove("customer");
        assert_eq!(one, *feature);
    }
    // The same answer a day later is one that is known; a change is not.
    let etag = answer.headers["etag"].clone();
    let again = ask.clone().with_header("if-none-match", &etag);
    harness.advance(SignedDuration::from_hours(24));
    assert_eq!(harness.ask(&again).await.status, 304);
    harness
        .ingest_story(
            "title = \"t\"\nbegins = \"1m\"\n\
             rename = { Grove0 = \"Ada0\", Valencia01 = \"ada\" }\n\
             [[events]]\nsample = \"customer.subscription.deleted\"\n",
        )
        .await;
    let changed = harness.ask(&again).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.headers["etag"], etag);
}

#[tokio::test]
async fn ten_thousand_features_are_answered_within_what_lambda_may_answer() {
    let features = (0..10_000).map(|n| format!("[features.f{n}]\n"));
    let gives = (0..10_000).map(|n| format!("f{n} = true"));
    let catalog = format!(
        "{}[plans.grove]\nname = \"Grove\"\nprices = [\"price_grove_monthly\"]\n\
         features = {{ {} }}\n",
        features.collect::<String>(),
        gives.collect::<Vec<_>>().join(", ")
    );
    let shop = Shop {
        catalog: Catalog::parse(&catalog).unwrap(),
        ..Shop::default()
    };
    let harness = TestHarness::in_process().shop(shop).open();
    harness.ingest_story(sample_story("ada").unwrap()).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let answer = harness
        .ask(&ShopRequest::get(&key, &entitlements(ADA)))
        .await;
    assert_eq!(answer.status, 200);
    let features = answer.body["customers"][0]["features"].as_array().unwrap();
    let allowed = features.iter().filter(|one| one["allowed"] == true);
    assert_eq!(allowed.count(), 10_000);
    let bytes = answer.body.to_string().len();
    println!("{bytes} bytes");
    assert!(bytes < 6 * 1024 * 1024, "{bytes}");
    let one = json!({ "customer": ADA, "feature": "f9999" });
    assert_eq!(check(&harness, &key, one).await.body["why"], "in_plan");
}
