//! Usage: told by the shop's code, taken event by event, exact whatever is told again.

use crate::support::{ADA, open};
use domain::ids::{CustomerKey, MeterName};
use domain::shop_key::KeyScope;
use domain::usage::quantity::Quantity;
use jiff::{SignedDuration, Timestamp};
use local_shop::samples::sample_story;
use serde_json::{Value, json};
use store::memory::{Crash, MemoryTable};
use store::usage_reads::read_usage;
use tests::harness::shop_requests::ShopRequest;
use tests::harness::{InProcess, TestHarness};

const USAGE: &str = "/v1/usage";

async fn writer() -> (TestHarness<InProcess>, String) {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("meter", KeyScope::Write).await;
    (harness, key)
}

fn event(id: &str, quantity: &str, at: Timestamp) -> Value {
    json!({
        "id": id, "customer": ADA, "meter": "requests", "quantity": quantity,
        "occurred_at": at.to_string(),
    })
}

fn tell(key: &str, events: &[Value]) -> ShopRequest {
    ShopRequest::post(key, USAGE, &json!({ "events": events }))
}

/// Status, code and warnings of each item.
fn outcomes(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap().iter();
    let outcome = |item: &Value| {
        let warnings = item["warnings"].as_array().unwrap().iter();
        let words = [&item["status"], &item["code"]].into_iter().chain(warnings);
        words
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    items.map(outcome).collect()
}

async fn used(table: &MemoryTable) -> Option<Quantity> {
    let customer = CustomerKey::parse(ADA).unwrap();
    let period = (
        Timestamp::UNIX_EPOCH,
        "2030-01-01T00:00:00Z".parse().unwrap(),
    );
    let period = ("2025-01-01T00:00:00Z".parse().unwrap_or(period.0), period.1);
    let meter = MeterName::parse("requests").unwrap();
    let page = read_usage(table, &customer, &meter, period).await.unwrap();
    Quantity::sum(page.counted().filter_map(|(_, entry)| entry.value))
}

/// U1: a thousand events, a hundred told again, ten out of order, five three days late, and one
/// told again with another content.
#[tokio::test]
async fn a_thousand_events_of_which_many_come_twice_late_or_otherwise_are_exact() {
    let (harness, key) = writer().await;
    let now = harness.now();
    let told: Vec<Value> = (0..1000_i64)
        .map(|n| {
            let late = if n % 200 == 0 { 72 * 60 } else { 0 };
            let minutes = if n % 100 == 1 { n + 30 } else { n };
            let at = now - SignedDuration::from_mins(minutes + late);
            event(&format!("evt-{n}"), "1.5", at)
        })
        .collect();
    let first = harness.ask(&tell(&key, &told)).await;
    assert_eq!(first.status, 200);
    assert!(
        outcomes(&first.body)
            .iter()
            .all(|outcome| outcome == "accepted")
    );
    let again = harness.ask(&tell(&key, &told[300..400])).await;
    assert!(
        outcomes(&again.body)
            .iter()
            .all(|outcome| outcome == "duplicate")
    );
    assert_eq!(used(&harness.table).await, Some(Quantity::whole(1500)));
    let mut other = told[7].clone();
    other["quantity"] = "2.5".into();
    let conflict = harness
        .ask(&tell(&key, &[other.clone(), told[8].clone()]))
        .await;
    assert_eq!(outcomes(&conflict.body), ["conflict", "duplicate"]);
    assert_eq!(conflict.body["items"][0]["id"], "evt-7");
    let conflict = harness.ask(&tell(&key, &[other])).await;
    assert_eq!(
        outcomes(&conflict.body),
        ["duplicate"],
        "it is kept, and known"
    );
    assert_eq!(used(&harness.table).await, Some(Quantity::whole(1500)));
    // Over a year later each is still known, and nothing is written.
    harness.advance(SignedDuration::from_hours(24 * 400));
    let changes = harness.table.changes(0).len();
    let again = harness.ask(&tell(&key, &told)).await;
    let known = |outcome: &String| outcome.starts_with("duplicate");
    assert!(outcomes(&again.body).iter().all(known));
    assert_eq!(harness.table.changes(0).len(), changes);
}

#[tokio::test]
async fn hostile_values_are_answered_one_by_one_and_hold_no_other_up() {
    let (harness, key) = writer().await;
    let now = harness.now();
    let cases = [hostile_quantities(now), hostile_fields(now)].concat();
    let events: Vec<Value> = cases.iter().map(|(event, _)| event.clone()).collect();
    let answer = harness.ask(&tell(&key, &events)).await;
    assert_eq!(answer.status, 200);
    let expected: Vec<&str> = cases.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(outcomes(&answer.body), expected);
    assert!(
        !answer.body.to_string().contains("canary"),
        "{}",
        answer.body
    );
    assert_eq!(used(&harness.table).await, Some(Quantity::whole(2)));
}

/// An event with one field of another value.
fn with(name: &str, value: Value, now: Timestamp) -> Value {
    let mut hostile = event("evt-1", "1", now);
    hostile[name] = value;
    hostile
}

/// Events, and what is answered of each.
type UsageCases = Vec<(Value, &'static str)>;

fn hostile_quantities(now: Timestamp) -> UsageCases {
    let with = |name, value| with(name, value, now);
    vec![
        (with("quantity", json!("NaN")), "refused invalid_quantity"),
        (with("quantity", json!("1e400")), "refused invalid_quantity"),
        (
            with("quantity", json!("Infinity")),
            "refused invalid_quantity",
        ),
        (with("quantity", json!(1.5)), "refused unreadable"),
        (with("quantity", json!(1)), "refused unreadable"),
        (
            with("quantity", json!(format!("1{}", "0".repeat(30)))),
            "refused invalid_quantity",
        ),
        (
            with("quantity", json!(format!("1{}", "0".repeat(20)))),
            "refused too_large",
        ),
        (
            with("quantity", json!("0.0000000000001")),
            "refused invalid_quantity",
        ),
        (with("quantity", json!("-1")), "refused negative"),
    ]
}

fn hostile_fields(now: Timestamp) -> UsageCases {
    let with = |name, value| with(name, value, now);
    let many: Value = (0..1000).map(|n| (format!("p{n}"), json!("x"))).collect();
    vec![
        (
            with("occurred_at", json!("2099-01-01T00:00:00Z")),
            "refused in_the_future",
        ),
        (
            with("occurred_at", json!("1999-12-31T23:59:59Z")),
            "refused too_old",
        ),
        (
            with("occurred_at", json!("yesterday")),
            "refused unreadable",
        ),
        (
            with("occurred_at", json!(1_772_323_200)),
            "refused unreadable",
        ),
        (with("properties", many), "refused too_many_properties"),
        (
            with("properties", json!({ "region": "x".repeat(501) })),
            "refused too_many_properties",
        ),
        (
            with("properties", json!({ "region": 1 })),
            "refused unreadable",
        ),
        (with("id", json!("")), "refused invalid_id"),
        (with("id", json!("a\u{0}b")), "refused invalid_id"),
        (with("id", json!("x".repeat(401))), "refused invalid_id"),
        (with("customer", json!("")), "refused invalid_customer"),
        (
            with("customer", json!("code/spring")),
            "refused invalid_customer",
        ),
        (
            with("customer", json!("x".repeat(1001))),
            "refused invalid_customer",
        ),
        (with("meter", json!("nothing")), "refused no_matching_meter"),
        (with("meter", json!("a b#c")), "refused no_matching_meter"),
        (with("canary", json!(1)), "refused unreadable"),
        (json!([]), "refused unreadable"),
        (json!(null), "refused unreadable"),
        (event("evt-good", "2", now), "accepted"),
    ]
}

#[tokio::test]
async fn what_may_be_a_mistake_is_kept_with_a_warning() {
    let (harness, key) = writer().await;
    let now = harness.now();
    let of = |id: &str, meter: &str, at: Timestamp| {
        let mut event = event(id, "1", at);
        event["meter"] = meter.into();
        event
    };
    let answer = harness
        .ask(&tell(
            &key,
            &[
                of("a", "filtered", now),
                of("b", "future", now),
                of("c", "daily", now),
                of("d", "daily", now - SignedDuration::from_hours(24 * 7)),
            ],
        ))
        .await;
    assert_eq!(
        outcomes(&answer.body),
        [
            "accepted no_matching_meter",
            "accepted meter_not_started",
            "accepted",
            "accepted outside_late_window",
        ]
    );
}

#[tokio::test]
async fn usage_of_somebody_unknown_waits_for_them() {
    let harness = open(&[]).await;
    let key = harness.shop_key("meter", KeyScope::Write).await;
    let by_shop_id = |id: &str| {
        let mut event = event(id, "4", harness.now());
        event["customer"] = "shop-ada".into();
        event
    };
    for _ in 0..2 {
        let answer = harness
            .ask(&tell(&key, &[by_shop_id("a"), by_shop_id("b")]))
            .await;
        assert_eq!(outcomes(&answer.body), ["accepted unknown_customer"; 2]);
    }
    assert_eq!(used(&harness.table).await, Some(Quantity::ZERO));
    harness.ingest_story(sample_story("ada").unwrap()).await;
    harness.settle().await;
    assert_eq!(used(&harness.table).await, Some(Quantity::whole(8)));
    let answer = harness
        .ask(&tell(&key, &[by_shop_id("a"), by_shop_id("c")]))
        .await;
    assert_eq!(outcomes(&answer.body), ["duplicate", "accepted"]);
    assert_eq!(used(&harness.table).await, Some(Quantity::whole(12)));
}

#[tokio::test]
async fn only_a_key_that_may_write_tells_usage_and_nothing_else_is_read() {
    let (harness, writes) = writer().await;
    let reads = harness.shop_key("backend", KeyScope::Read).await;
    let token = harness.shop_token(ADA, harness.now() + SignedDuration::from_mins(1));
    let events = [event("a", "1", harness.now())];
    for (credential, verdict) in [
        (&reads, (403, "out_of_scope")),
        (&token, (403, "out_of_scope")),
    ] {
        let answer = harness.ask(&tell(credential, &events)).await;
        assert_eq!(answer.verdict(), verdict);
    }
    assert_eq!(used(&harness.table).await, Some(Quantity::ZERO));
    let too_many = vec![events[0].clone(); 1001];
    for (request, verdict) in [
        (tell(&writes, &[]), (422, "invalid_field")),
        (tell(&writes, &too_many), (422, "invalid_field")),
        (
            ShopRequest::post(&writes, USAGE, &json!({ "events": {} })),
            (400, "malformed_body"),
        ),
        (
            ShopRequest::post(&writes, USAGE, &json!([])),
            (400, "malformed_body"),
        ),
        (
            ShopRequest::post(&writes, USAGE, &json!({ "events": ["x".repeat(1 << 20)] })),
            (413, "body_too_large"),
        ),
    ] {
        assert_eq!(harness.ask(&request).await.verdict(), verdict);
    }
}

#[tokio::test]
async fn whoever_dies_at_any_request_is_made_good_by_telling_again() {
    for (after, answer_lost) in (0..6).flat_map(|after| [(after, false), (after, true)]) {
        let (harness, key) = writer().await;
        let events = [
            event("a", "1", harness.now()),
            event("b", "2", harness.now()),
        ];
        let crash = Crash { after, answer_lost };
        harness.process_table().set_faults(crash.faults());
        let first = harness.ask(&tell(&key, &events)).await;
        harness.process_table().clear_faults();
        let again = harness.ask(&tell(&key, &events)).await;
        assert!(first.status == 503 || first.status == 200, "{after}");
        assert_eq!(again.status, 200);
        assert_eq!(
            used(&harness.table).await,
            Some(Quantity::whole(3)),
            "{after}"
        );
    }
}
