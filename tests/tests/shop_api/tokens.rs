//! Tokens for a customer's browser: of one customer, for minutes, for what it may use.

use crate::support::{ADA, customer, entitlements, open};
use domain::shop_key::KeyScope;
use jiff::SignedDuration;
use serde_json::json;
use tests::harness::shop_requests::ShopRequest;

#[tokio::test]
async fn a_token_opens_what_its_customer_may_use_for_its_minutes_and_nothing_else() {
    let harness = open(&["ada", "bruno"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let tokens = format!("{}/tokens", customer("shop-ada"));
    let made = harness
        .ask(&ShopRequest::post(&key, &tokens, &json!({ "minutes": 5 })))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.headers["cache-control"], "no-store");
    assert_eq!(made.body["customer"], ADA);
    let expires = (harness.now() + SignedDuration::from_mins(5)).to_string();
    assert_eq!(made.body["expires_at"], expires);
    let token = made.body["token"].as_str().unwrap();

    let check = |body| ShopRequest::post(token, "/v1/check", &body);
    let own = [
        ShopRequest::get(token, &entitlements("me")),
        ShopRequest::get(token, &entitlements(ADA)),
        check(json!({ "feature": "export" })),
        check(json!({ "customer": "me", "feature": "export" })),
        check(json!({ "customer": ADA, "feature": "export" })),
    ];
    for request in &own {
        harness.process_table().take_requests();
        let answer = harness.ask(request).await;
        assert_eq!(answer.status, 200, "{request:?}: {answer:?}");
        assert_eq!(
            harness.process_table().take_requests(),
            ["get"],
            "no key's row"
        );
    }
    harness.process_table().take_requests();
    for request in [
        ShopRequest::get(token, &customer(ADA)),
        ShopRequest::get(token, &customer("me")),
        ShopRequest::get(token, &entitlements("stripe/test/cus_bruno")),
        ShopRequest::get(token, &entitlements("shop-ada")),
        check(json!({ "customer": "stripe/test/cus_bruno", "feature": "export" })),
        ShopRequest::post(token, &tokens, &json!({})),
        ShopRequest::post(
            token,
            "/v1/customers/find",
            &json!({ "email": "ada@example.com" }),
        ),
    ] {
        let answer = harness.ask(&request).await;
        assert_eq!(answer.verdict(), (403, "out_of_scope"), "{request:?}");
    }
    assert_eq!(harness.process_table().take_requests(), [""; 0]);
    harness.advance(SignedDuration::from_mins(5));
    for request in &own {
        let answer = harness.ask(request).await;
        assert_eq!(answer.verdict(), (401, "expired_token"));
        assert!(answer.body["error"].as_str().unwrap().contains("0 s ago"));
    }
}

#[tokio::test]
async fn a_token_is_made_for_one_known_customer_and_for_an_hour_at_most() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Write).await;
    let make = |reference: &str, body| {
        let address = format!("{}/tokens", customer(reference));
        ShopRequest::post(&key, &address, &body)
    };
    let quarter = ShopRequest {
        body: String::new(),
        ..make(ADA, json!({}))
    };
    let answer = harness.ask(&quarter).await;
    let expires = (harness.now() + SignedDuration::from_mins(15)).to_string();
    assert_eq!(
        (answer.status, &answer.body["expires_at"]),
        (201, &json!(expires))
    );
    for (request, verdict) in [
        (make(ADA, json!({ "minutes": 0 })), (422, "invalid_field")),
        (make(ADA, json!({ "minutes": 61 })), (422, "invalid_field")),
        (
            make(ADA, json!({ "minutes": 300 })),
            (400, "malformed_body"),
        ),
        (make(ADA, json!({ "hours": 1 })), (400, "malformed_body")),
        (make("nobody", json!({})), (404, "unknown_customer")),
    ] {
        let answer = harness.ask(&request).await;
        assert_eq!(answer.verdict(), verdict, "{request:?}");
    }
}

/// A page of another address can send no credential by itself, so it may read what it is given.
#[tokio::test]
async fn a_browser_may_ask_from_a_page_of_another_address() {
    let harness = open(&["ada"]).await;
    harness.process_table().take_requests();
    for address in [entitlements("me"), "/v1/check".to_owned()] {
        let mut request = ShopRequest::get("", &address);
        request.method = "OPTIONS";
        request.headers.clear();
        let answer = harness.ask(&request).await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        let allowed = &answer.headers["access-control-allow-headers"];
        assert!(allowed.contains("authorization"), "{allowed}");
    }
    assert_eq!(harness.process_table().take_requests(), [""; 0]);
    let token = harness.shop_token(ADA, harness.now() + SignedDuration::from_mins(1));
    let answer = harness
        .ask(&ShopRequest::get(&token, &entitlements("me")))
        .await;
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    let mut other = ShopRequest::get("", &customer(ADA));
    other.method = "OPTIONS";
    assert_eq!(harness.ask(&other).await.verdict(), (405, "wrong_method"));
}

#[tokio::test]
async fn a_customers_browsers_that_ask_too_often_wait_and_nobody_else_does() {
    let harness = open(&["ada", "bruno"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let expires = harness.now() + SignedDuration::from_mins(60);
    let asks = |customer: &str| {
        let token = harness.shop_token(customer, expires);
        ShopRequest::get(&token, &entitlements("me"))
    };
    let (ada, bruno) = (asks(ADA), asks("stripe/test/cus_bruno"));
    let mut admitted = 0;
    for _ in 0..200 {
        let answer = harness.ask(&ada).await;
        if answer.status == 200 {
            admitted += 1;
            continue;
        }
        assert_eq!(answer.verdict(), (429, "too_fast"));
        assert_eq!(answer.headers["retry-after"], "1");
    }
    assert_eq!(admitted, 51);
    harness.process_table().take_requests();
    assert_eq!(harness.ask(&ada).await.status, 429);
    assert_eq!(harness.process_table().take_requests(), [""; 0]);
    assert_eq!(harness.ask(&bruno).await.status, 200);
    let server = ShopRequest::get(&key, &entitlements(ADA));
    assert_eq!(harness.ask(&server).await.status, 200);
    harness.advance(SignedDuration::from_secs(1));
    assert_eq!(harness.ask(&ada).await.status, 200);
}
