//! Bad input: clear answers, no 500, nothing of what was sent repeated.

use crate::support::{ADA, customer, entitlements, open};
use domain::shop_key::KeyScope;
use serde_json::{Value, json};
use store::memory::Crash;
use tests::harness::shop_requests::ShopRequest;

/// A request and how it is refused: status and code.
type RefusalCase = (ShopRequest, (u16, &'static str));

#[tokio::test]
async fn what_can_not_be_asked_is_refused_by_name_without_a_request_for_it() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    harness.ask(&ShopRequest::get(&key, &customer(ADA))).await;
    harness.process_table().take_requests();
    let cases = addresses(&key).into_iter().chain(unreadable_bodies(&key));
    for (request, verdict) in cases.chain(wrong_fields(&key)) {
        let answer = harness.ask(&request).await;
        assert_eq!(answer.verdict(), verdict, "{:?}", request.address);
        let words = answer.body["error"].as_str().unwrap();
        assert!(!words.contains("canary") && words.len() > 20, "{words}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(harness.process_table().take_requests(), [""; 0], "{words}");
    }
    let wrong = harness.ask(&ShopRequest::get(&key, "/v1/check")).await;
    assert_eq!(wrong.headers["allow"], "POST");
}

fn addresses(key: &str) -> Vec<RefusalCase> {
    let get = |address: &str| ShopRequest::get(key, address);
    let long = "x".repeat(64 * 1024);
    let asking = |query: &str| get(&format!("{}?{query}", customer(ADA)));
    let post = ShopRequest::post(key, &customer(ADA), &json!({}));
    let unknown = (404, "unknown_address");
    let (method, malformed) = ((405, "wrong_method"), (400, "malformed_query"));
    let too_long = (414, "reference_too_long");
    vec![
        (get("/v1/nothing"), unknown),
        (get("/v2/check"), unknown),
        (get("/v1/customers/"), unknown),
        (get("/v1/check"), method),
        (post, method),
        (get(&format!("{}/tokens", customer(ADA))), method),
        (get(&customer(&long)), too_long),
        (get(&entitlements(&long)), too_long),
        (asking("payments=0"), malformed),
        (asking("payments=-1"), malformed),
        (asking("payments=1&x=1"), malformed),
        (asking("page=1"), malformed),
        (get(&format!("{}?payments=1", entitlements(ADA))), malformed),
    ]
}

fn unreadable_bodies(key: &str) -> Vec<RefusalCase> {
    let deep = "[".repeat(4_000);
    let bodies = [
        ("/v1/check", ""),
        ("/v1/check", "{canary"),
        ("/v1/check", "[]"),
        ("/v1/check", &deep),
        (
            "/v1/check",
            r#"{"feature":"a","feature":"b","customer":"canary"}"#,
        ),
        ("/v1/check", r#"{"customer":"canary","feature":7}"#),
        (
            "/v1/check",
            r#"{"customer":"canary","feature":"f","want":-1}"#,
        ),
        (
            "/v1/check",
            r#"{"customer":"canary","feature":"f","want":1.5}"#,
        ),
        (
            "/v1/check",
            r#"{"customer":"canary","feature":"f","wants":1}"#,
        ),
        ("/v1/customers/find", r#"{"mail":"canary@example.com"}"#),
    ];
    let requests = bodies.map(|(address, body)| ShopRequest {
        body: body.to_owned(),
        ..ShopRequest::post(key, address, &json!({}))
    });
    let refused = requests.map(|request| (request, (400, "malformed_body")));
    refused.into()
}

fn wrong_fields(key: &str) -> Vec<RefusalCase> {
    let long = "x".repeat(64 * 1024);
    let check = |body: &Value| ShopRequest::post(key, "/v1/check", body);
    let find = |body: &Value| ShopRequest::post(key, "/v1/customers/find", body);
    let of = |customer: &str| check(&json!({ "customer": customer, "feature": "export" }));
    let invalid = (422, "invalid_field");
    vec![
        (check(&json!({ "feature": "export" })), invalid),
        (of(""), invalid),
        (of(&"x".repeat(1_001)), invalid),
        (of(&long), (413, "body_too_large")),
        (find(&json!({ "email": "canary" })), invalid),
    ]
}

#[tokio::test]
async fn references_of_every_shape_are_answered() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let shapes = [
        "/",
        "//",
        "a//b",
        "stripe/test/",
        "stripe/live/cus_ada",
        "shop/",
        "code/",
        "person/x",
        "\u{0}",
        "\n",
        "é",
        "#%",
        "%2F",
        "customer#stripe/test/cus_ada",
        "..",
        "me",
    ];
    for reference in shapes {
        let body = json!({ "customer": reference, "feature": "export" });
        let answer = harness
            .ask(&ShopRequest::post(&key, "/v1/check", &body))
            .await;
        assert_eq!(
            answer.body["why"], "unknown_customer",
            "{reference:?}: {answer:?}"
        );
        let answer = harness
            .ask(&ShopRequest::get(&key, &customer(reference)))
            .await;
        assert_eq!(answer.verdict(), (404, "unknown_customer"), "{reference:?}");
    }
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_a_503_and_no_denial() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let crash = Crash {
        after: 0,
        answer_lost: false,
    };
    harness.process_table().set_faults(crash.faults());
    for request in [
        ShopRequest::get(&key, &customer(ADA)),
        ShopRequest::get(&key, &entitlements(ADA)),
        ShopRequest::post(
            &key,
            "/v1/check",
            &json!({ "customer": ADA, "feature": "export" }),
        ),
        ShopRequest::post(
            &key,
            "/v1/customers/find",
            &json!({ "email": "ada@example.com" }),
        ),
    ] {
        let answer = harness.ask(&request).await;
        assert_eq!(answer.verdict(), (503, "unavailable"), "{request:?}");
        assert!(answer.body.get("allowed").is_none());
    }
}
