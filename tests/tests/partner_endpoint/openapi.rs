//! The partners' document says what the endpoint does: every route, every status, every field.

use crate::cases::{events, postbacks, questions};
use crate::schema::{assert_is_file, deployed_routes, faults, listed_routes};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::memory::Crash;
use tests::harness::TestHarness;
use tests::harness::partner_endpoint::EndpointAnswer;
use tests::harness::partner_requests::created_report;

const EVENTS: &str = "/partners/{partner}/events";
const REFERRAL: &str = "/partners/{partner}/referrals/{referral}";
const POSTBACK: &str = "/partners/{partner}/postback";

fn document() -> Value {
    serde_json::from_str(&partner_referral::openapi::document().unwrap()).unwrap()
}

#[test]
fn the_file_that_partners_read_is_what_the_types_make() {
    assert_is_file(
        "partner-referral",
        &partner_referral::openapi::document().unwrap(),
    );
}

#[test]
fn its_routes_are_those_that_are_deployed() {
    assert_eq!(listed_routes(&document()), deployed_routes("/partners/"));
}

#[tokio::test]
async fn every_example_is_as_its_schema_has_it_and_taken_in() {
    let (endpoint, document) = (TestHarness::with_partner_endpoint().await, document());
    let content = &document["paths"][EVENTS]["post"]["requestBody"]["content"]["application/json"];
    let examples = content["examples"].as_object().unwrap();
    for (name, example) in examples {
        let report = &example["value"];
        assert_eq!(
            faults(&document, &content["schema"], report),
            [""; 0],
            "{name}"
        );
        let answer = endpoint.report("acme", name, report).await;
        assert_eq!(answer.verdict(), (202, "accepted"), "{name}: {answer:?}");
        answered(&document, EVENTS, "post", &answer);
    }
    let kinds = &document
        .pointer("/components/schemas/Report/properties/type/enum")
        .unwrap();
    for kind in kinds.as_array().unwrap() {
        assert!(
            examples
                .values()
                .any(|example| example["value"]["type"] == *kind),
            "{kind}"
        );
    }
    // The parameters, each by its example or a plain text.
    let parameters = document["paths"][POSTBACK]["get"]["parameters"]
        .as_array()
        .unwrap();
    let parameters = parameters.iter().map(|parameter| {
        let value = match parameter["name"].as_str().unwrap() {
            "amount" => "12.50",
            "code" => "%20Spring-20",
            "email" => "nell@example.com",
            _ => "a%20text",
        };
        format!("{}={value}", parameter["name"].as_str().unwrap())
    });
    let query = parameters.collect::<Vec<_>>().join("&");
    let answer = endpoint.postback("acme", &query).await;
    assert_eq!(answer.verdict(), (202, "accepted"), "{query}: {answer:?}");
}

#[tokio::test]
async fn what_its_schema_refuses_the_door_refuses_by_the_fields_name() {
    let (endpoint, document) = (TestHarness::with_partner_endpoint().await, document());
    let schema = json!({ "$ref": "#/components/schemas/Report" });
    let (long, tab) = (json!("x".repeat(255)), json!("a\tb"));
    let many: Value = (0..11).map(|n| (format!("s{n}"), json!("x"))).collect();
    let mut places = BTreeSet::new();
    for (place, value, named) in [
        ("/data", json!([]), "data"),
        ("/data/referral_id", Value::Null, "referral_id"),
        ("/data/referral_id", json!(7), "referral_id"),
        ("/data/referral_id", json!(""), "referral_id"),
        ("/data/referral_id", long.clone(), "referral_id"),
        ("/data/referral_id", tab.clone(), "referral_id"),
        ("/data/customer", Value::Null, "customer"),
        ("/data/customer", json!("nell@example.com"), "customer"),
        ("/data/customer", json!({}), "customer"),
        ("/data/customer/email", json!("nell at example"), "email"),
        ("/data/customer/email", json!("@example.com"), "email"),
        ("/data/customer/email", long.clone(), "email"),
        ("/data/customer/id", json!(7), "id"),
        ("/data/customer/id", long.clone(), "id"),
        ("/data/customer/code", tab.clone(), "code"),
        ("/data/customer/code", json!(["c"]), "code"),
        ("/data/email", json!("nell"), "email"),
        ("/data/customer_id", tab.clone(), "id"),
        ("/data/code", long.clone(), "code"),
        ("/data/occurred_at", json!("yesterday"), "occurred_at"),
        ("/data/occurred_at", json!(1_772_323_200), "occurred_at"),
        ("/data/sub_ids", json!(["a"]), "sub_ids"),
        ("/data/sub_ids", many, "sub_ids"),
        ("/data/sub_ids", json!({ "a b": "x" }), "sub_ids"),
        ("/data/sub_ids", json!({ "a": 7 }), "sub_ids"),
        ("/data/sub_ids", json!({ "a": long }), "sub_ids"),
        ("/data/sub_ids", json!({ "a": tab }), "sub_ids"),
    ] {
        let mut report = json!({ "type": "referral.created", "data": { "referral_id": "r-1" } });
        if place.matches('/').count() == 3 {
            report["data"]["customer"] = json!({});
        } else if !place.contains("customer") && !["/data/email", "/data/code"].contains(&place) {
            report["data"]["customer"] = json!({ "email": "nell@example.com" });
        }
        let (parent, field) = place.rsplit_once('/').unwrap();
        let parent = report.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => drop(parent.remove(field)),
            value => drop(parent.insert(field.to_owned(), value)),
        }
        assert!(!faults(&document, &schema, &report).is_empty(), "{report}");
        let answer = endpoint.report("acme", "msg_1", &report).await;
        assert_eq!(answer.status, 422, "{report}: {answer:?}");
        let words = answer.body["error"].as_str().unwrap();
        assert!(words.contains(named), "{report}: {words}");
        assert!(!words.contains("nell"), "{words}");
        answered(&document, EVENTS, "post", &answer);
        places.insert(place.rsplit('/').next().unwrap());
    }
    assert_all_refused(&document, &places);
}

#[tokio::test]
async fn every_status_it_names_is_given_and_no_other() {
    let document = document();
    for (path, method, cases) in [
        (EVENTS, "post", events()),
        (REFERRAL, "get", questions()),
        (POSTBACK, "get", postbacks()),
    ] {
        let mut seen = BTreeSet::new();
        for (status, words, table_answers, knock) in cases {
            let endpoint = TestHarness::with_partner_endpoint().await;
            endpoint
                .report("acme", "known", &created_report("r-1", "nell@example.com"))
                .await;
            endpoint
                .postback("acme", "transaction_id=known&code=c")
                .await;
            // A table that is dead turns every request to it into 503.
            if !table_answers {
                endpoint.process_table().set_faults(
                    Crash {
                        after: 0,
                        answer_lost: false,
                    }
                    .faults(),
                );
            }
            let answer = endpoint.send(&knock).await;
            assert_eq!(answer.status, status, "{words}: {answer:?}");
            let text = answer.body.to_string();
            assert!(text.contains(words), "{words}: {text}");
            assert!(!text.contains("nell"), "an address is echoed: {text}");
            answered(&document, path, method, &answer);
            seen.insert(status.to_string());
        }
        seen.insert(answer_to_a_flood(&document, path, method).await);
        let told = document["paths"][path][method]["responses"]
            .as_object()
            .unwrap();
        assert_eq!(seen, told.keys().cloned().collect(), "{method} {path}");
    }
}

#[test]
fn every_notice_is_told_of_and_is_as_its_schema_has_it() {
    let document = document();
    let acme = domain::ids::PartnerId::parse("acme").unwrap();
    let notices = domain::notice::samples::samples(&acme, jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(notices.len(), 10);
    for notice in &notices {
        let webhook = &document["webhooks"][notice.kind]["post"]["requestBody"];
        let content = &webhook["content"]["application/json"];
        let body = serde_json::to_value(notice.body(&acme, "row")).unwrap();
        for sent in [&body, &content["example"]] {
            assert_eq!(
                faults(&document, &content["schema"], sent),
                [""; 0],
                "{sent}"
            );
            assert_eq!(sent["type"], notice.kind);
        }
        if notice.kind != "payout.created" {
            assert_eq!(body["data"]["referral_id"], "sample-referral");
            assert_eq!(body["data"]["sub_ids"]["campaign"], "sample");
        }
    }
}

/// The status of a request that follows on more than a partner may send at once.
async fn answer_to_a_flood(document: &Value, path: &str, method: &str) -> String {
    let endpoint = TestHarness::with_partner_endpoint().await;
    for _ in 0..201 {
        endpoint.ask_status("acme", "r-1").await;
    }
    let cases = match path {
        EVENTS => events(),
        REFERRAL => questions(),
        _ => postbacks(),
    };
    let answer = endpoint.send(&cases[0].3).await;
    answered(document, path, method, &answer);
    answer.status.to_string()
}

/// Each field of a report is among these.
fn assert_all_refused(document: &Value, places: &BTreeSet<&str>) {
    for place in ["", "/properties/customer"] {
        let place = format!("/components/schemas/Report/properties/data{place}/properties");
        for name in document
            .pointer(&place)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
        {
            assert!(
                places.contains(name.as_str()),
                "no report is refused for `{name}`"
            );
        }
    }
}

/// The answer is as the document has it for its status.
fn answered(document: &Value, path: &str, method: &str, answer: &EndpointAnswer) {
    let responses = &document["paths"][path][method]["responses"];
    let mut response = &responses[answer.status.to_string()];
    if let Some(named) = response["$ref"].as_str() {
        response = document.pointer(named.strip_prefix('#').unwrap()).unwrap();
    }
    let schema = &response["content"]["application/json"]["schema"];
    assert!(
        schema.is_object(),
        "{method} {path} says nothing of {}",
        answer.status
    );
    assert_eq!(
        faults(document, schema, &answer.body),
        [""; 0],
        "{answer:?}"
    );
}
