//! The shop's document says what the endpoint does: every route, every status, every answer.

use crate::schema::{assert_is_file, deployed_routes, faults, listed_routes};
use crate::support::{ADA, customer, entitlements, open};
use domain::shop_key::KeyScope;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::memory::Crash;
use tests::harness::shop_requests::{ShopAnswer, ShopRequest};
use tests::harness::{InProcess, TestHarness};

fn document() -> Value {
    serde_json::from_str(&shop_api::openapi::document().unwrap()).unwrap()
}

#[test]
fn the_file_that_developers_read_is_what_the_types_make() {
    assert_is_file("shop-api", &shop_api::openapi::document().unwrap());
}

#[test]
fn its_routes_are_those_that_are_deployed() {
    assert_eq!(listed_routes(&document()), deployed_routes("/v1/"));
}

#[tokio::test]
async fn every_status_is_given_by_some_request_and_every_answer_is_as_its_schema_has_it() {
    let (harness, document) = (open(&["ada", "bruno"]).await, document());
    let shared = "rename = { Grove0 = \"Twin\", Valencia01 = \"twin\", \"1207\" = \"ada\" }";
    harness
        .ingest_story(&format!(
            "title = \"t\"\nbegins = \"1m\"\n{shared}\n[[events]]\nsample = \
             \"checkout.session.completed-subscription\"\n"
        ))
        .await;
    let mut given = BTreeSet::new();
    let token = harness.shop_token(ADA, harness.now() + SignedDuration::from_mins(1));
    for (path, request) in good_requests(&token).into_iter().skip(1).take(2) {
        let method = request.method.to_lowercase();
        for _ in 0..60 {
            let answer = harness.ask(&request).await;
            assert_as_documented(&document, path, &method, &answer);
            given.insert((path.to_owned(), method.clone(), answer.status.to_string()));
        }
    }
    harness.advance(SignedDuration::from_secs(30));
    for (path, request) in requests(&harness).await {
        let answer = harness.ask(&request).await;
        let method = request.method.to_lowercase();
        assert_as_documented(&document, path, &method, &answer);
        given.insert((path.to_owned(), method, answer.status.to_string()));
    }
    let key = harness.shop_key_text(&"backend".parse().unwrap(), KeyScope::Read, 1);
    let crash = Crash {
        after: 0,
        answer_lost: false,
    };
    harness.process_table().set_faults(crash.faults());
    let writes = harness.shop_key_text(&"meter".parse().unwrap(), KeyScope::Write, 1);
    let tells = (USAGE, ShopRequest::post(&writes, USAGE, &usage()));
    for (path, request) in good_requests(&key).into_iter().chain([tells]) {
        let answer = harness.ask(&request).await;
        let method = request.method.to_lowercase();
        assert_as_documented(&document, path, &method, &answer);
        given.insert((path.to_owned(), method, answer.status.to_string()));
    }
    let paths = document["paths"].as_object().unwrap().iter();
    let mut listed = BTreeSet::new();
    for (path, methods) in paths {
        let methods = methods.as_object().unwrap().iter();
        for (method, operation) in methods.filter(|(name, _)| *name != "parameters") {
            let statuses = operation["responses"].as_object().unwrap().keys();
            listed.extend(statuses.map(|one| (path.clone(), method.clone(), one.clone())));
        }
    }
    assert_eq!(given, listed);
}

const CHECK: &str = "/v1/check";
const CUSTOMERS: &str = "/v1/customers/{reference}";
const ENTITLEMENTS: &str = "/v1/customers/{reference}/entitlements";
const TOKENS: &str = "/v1/customers/{reference}/tokens";
const FIND: &str = "/v1/customers/find";
const USAGE: &str = "/v1/usage";

/// An event of each kind of outcome.
fn usage() -> Value {
    let event = |id: &str, quantity: &str| {
        json!({
            "id": id, "customer": ADA, "meter": "requests", "quantity": quantity,
            "occurred_at": "2025-12-01T00:00:00Z",
        })
    };
    let events = [("a", "1"), ("a", "1"), ("a", "2"), ("b", "-1")];
    json!({ "events": events.map(|(id, quantity)| event(id, quantity)) })
}

fn good_requests(key: &str) -> [(&'static str, ShopRequest); 6] {
    let tokens = format!("{}/tokens", customer(ADA));
    [
        (CUSTOMERS, ShopRequest::get(key, &customer(ADA))),
        (ENTITLEMENTS, ShopRequest::get(key, &entitlements(ADA))),
        (
            CHECK,
            ShopRequest::post(key, CHECK, &json!({ "customer": ADA, "feature": "export" })),
        ),
        (
            FIND,
            ShopRequest::post(key, FIND, &json!({ "email": "ada@example.com" })),
        ),
        (
            TOKENS,
            ShopRequest::post(key, &tokens, &json!({ "minutes": 60 })),
        ),
        (USAGE, ShopRequest::post(key, USAGE, &usage())),
    ]
}

async fn requests(harness: &TestHarness<InProcess>) -> Vec<(&'static str, ShopRequest)> {
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let token = harness.shop_token(ADA, harness.now() + SignedDuration::from_mins(1));
    let get = |address: &str| ShopRequest::get(&key, address);
    let mut all: Vec<_> = good_requests(&key).into();
    // A token opens half of them, and nothing opens them without a credential.
    for (path, request) in good_requests(&token) {
        all.push((path, request.clone()));
        let mut bare = request;
        bare.headers.clear();
        all.push((path, bare));
    }
    for path in [CHECK, ENTITLEMENTS] {
        let mut asks = get(&path.replace("{reference}", "me"));
        asks.method = "OPTIONS";
        all.push((path, asks));
    }
    for (path, address) in [
        (CUSTOMERS, customer(ADA)),
        (ENTITLEMENTS, entitlements(ADA)),
    ] {
        all.push((path, get(&address).with_header("if-none-match", "*")));
        all.push((path, get(&format!("{address}?x=1"))));
    }
    all.extend(bad_requests(&key, &token));
    let writes = harness.shop_key("meter", KeyScope::Write).await;
    let tell = |body: &Value| (USAGE, ShopRequest::post(&writes, USAGE, body));
    all.push(tell(&usage()));
    all.push(tell(&json!({ "events": [] })));
    all.push(tell(&json!({ "x": 1 })));
    all.push(tell(&json!({ "x": "x".repeat(1 << 20) })));
    all
}

/// What is refused for what it says.
fn bad_requests(key: &str, token: &str) -> Vec<(&'static str, ShopRequest)> {
    let long = "x".repeat(1_001);
    let get = |address: &str| ShopRequest::get(key, address);
    let post = |address: &str, body: &Value| ShopRequest::post(key, address, body);
    let tokens = |reference: &str| format!("{}/tokens", customer(reference));
    let check = |body: &Value| (CHECK, ShopRequest::post(key, CHECK, body));
    let find = |body: &Value| (FIND, ShopRequest::post(key, FIND, body));
    let other = json!({ "customer": "stripe/test/cus_bruno", "feature": "export" });
    vec![
        (CHECK, ShopRequest::post(token, CHECK, &other)),
        (
            ENTITLEMENTS,
            ShopRequest::get(token, &entitlements("shop-ada")),
        ),
        (CUSTOMERS, get(&customer("nobody"))),
        (CUSTOMERS, get(&customer("shop-ada"))),
        (CUSTOMERS, get(&customer(&long))),
        (ENTITLEMENTS, get(&entitlements("nobody"))),
        (ENTITLEMENTS, get(&entitlements(&long))),
        (TOKENS, post(&tokens("nobody"), &json!({}))),
        (TOKENS, post(&tokens("shop-ada"), &json!({}))),
        (TOKENS, post(&tokens(&long), &json!({}))),
        (TOKENS, post(&tokens(ADA), &json!({ "minutes": 0 }))),
        (TOKENS, post(&tokens(ADA), &json!({ "hours": 0 }))),
        (
            TOKENS,
            post(&tokens(ADA), &json!({ "x": "x".repeat(5_000) })),
        ),
        check(&json!({ "customer": "nobody", "feature": "export" })),
        check(&json!({ "customer": ADA, "feature": "nothing" })),
        check(&json!({ "customer": ADA, "feature": "seats", "want": 9 })),
        check(&json!({ "customer": ADA, "feature": "export", "want": 9 })),
        check(&json!({ "feature": 1 })),
        check(&json!({ "feature": "x".repeat(5_000) })),
        find(&json!({ "email": "nobody@example.com" })),
        find(&json!({ "email": "nobody" })),
        find(&json!({ "mail": "nobody" })),
        find(&json!({ "email": "x".repeat(5_000) })),
    ]
}

fn assert_as_documented(document: &Value, path: &str, method: &str, answer: &ShopAnswer) {
    let status = answer.status.to_string();
    let response = &document["paths"][path][method]["responses"][&status]["$ref"];
    let name = response
        .as_str()
        .unwrap_or_else(|| panic!("{method} {path}: {answer:?}"));
    let name = name.trim_start_matches("#/components/responses/");
    let response = &document["components"]["responses"][name];
    match &response["content"]["application/json"]["schema"] {
        Value::Null => assert_eq!(answer.body, Value::Null, "{method} {path} {status}"),
        schema => {
            let faults = faults(document, schema, &answer.body);
            assert_eq!(faults, [""; 0], "{method} {path} {status}: {answer:?}");
        }
    }
}

/// Every example of a request is as its schema has it.
#[test]
fn every_example_is_as_its_schema_has_it() {
    let document = document();
    let mut examples = 0;
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let content = &operation["requestBody"]["content"]["application/json"];
            let Some(named) = content["examples"].as_object() else {
                continue;
            };
            for (name, example) in named {
                examples += 1;
                let faults = faults(&document, &content["schema"], &example["value"]);
                assert_eq!(faults, [""; 0], "{name}");
            }
        }
    }
    assert!(examples >= 7, "{examples}");
}
