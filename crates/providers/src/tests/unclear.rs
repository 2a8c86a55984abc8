//! What cannot be understood is kept, says so, and is never half believed.

use super::stripe_events::{fixture, read, with};
use super::{event_of, is_unclear, sample};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::CustomerKey;
use serde_json::json;

#[test]
fn what_is_no_amount_is_unclear_and_never_rounded() {
    for amount in [
        json!("2880"),
        json!(28.80),
        json!(2880.0),
        json!(null),
        json!(-1),
        json!([2880]),
        json!(9_223_372_036_854_775_808_u64),
    ] {
        let reading = with(
            "payment_intent.succeeded",
            "/amount_received",
            amount.clone(),
        );
        assert!(is_unclear(&reading), "{amount}");
        assert_eq!(
            reading.id.as_str(),
            read(&fixture("payment_intent.succeeded")).id.as_str()
        );
        let customer = About::Customer(CustomerKey::parse("stripe/test/cus_Valencia01").unwrap());
        assert_eq!(reading.about, customer);
    }
    let largest = with(
        "payment_intent.succeeded",
        "/amount_received",
        i64::MAX.into(),
    );
    assert!(!is_unclear(&largest));
}

#[test]
fn json_that_parsers_read_differently_is_kept_and_not_read() {
    let body = sample("invoice.paid");
    let deep = format!(r#""deep":{}1{},"#, "[".repeat(70), "]".repeat(70));
    for (what, changed) in [
        ("a byte order mark", format!("\u{feff}{body}")),
        (
            "a key twice",
            body.replacen("\"amount_paid\"", "\"amount_paid\":1,\"amount_paid\"", 1),
        ),
        (
            "a key twice, once escaped",
            body.replacen(
                "\"amount_paid\"",
                "\"amount\\u005fpaid\":1,\"amount_paid\"",
                1,
            ),
        ),
        (
            "a lone surrogate",
            body.replacen("Nell Orange", "\\ud800", 1),
        ),
        (
            "a number beyond every float",
            body.replacen("2880", "1e400", 1),
        ),
        ("two documents", format!("{body}{body}")),
        (
            "an abyss",
            body.replacen("\"livemode\"", &format!("{deep}\"livemode\""), 1),
        ),
        (
            "half of it",
            body.get(..body.len() / 2).expect("is ASCII").to_owned(),
        ),
    ] {
        assert_ne!(changed, body, "{what}");
        let reading = event_of(changed.as_bytes());
        assert_eq!(&*reading.kind, "unreadable", "{what}");
        assert!(
            reading.id.as_str().starts_with("stripe/test/unread/"),
            "{what}"
        );
        assert!(is_unclear(&reading), "{what}");
    }
    let abyss = vec![b'['; 500_000];
    assert_eq!(&*event_of(&abyss).kind, "unreadable");
}

#[test]
fn a_list_is_no_object() {
    let mut event = fixture("invoice.paid");
    event["data"]["object"] = json!(["in_1", "cus_1"]);
    assert!(is_unclear(&read(&event)));
    event["data"] = json!([{}, {}]);
    assert!(is_unclear(&read(&event)));
    assert_eq!(
        &*event_of(br#"["evt_1","event","invoice.paid",1,false]"#).kind,
        "unreadable"
    );
}

#[test]
fn the_same_unreadable_bytes_are_one_event() {
    assert_eq!(event_of(b"{").id, event_of(b"{").id);
    assert_ne!(event_of(b"{").id, event_of(b"[").id);
}

#[test]
fn what_is_unclear_tells_no_personal_data() {
    for pointer in [
        "/customer_email",
        "/customer_name",
        "/customer",
        "/currency",
    ] {
        let odd = json!(["nell@example.com", "Nell Orange"]);
        let reading = with("invoice.paid", pointer, odd);
        assert!(is_unclear(&reading), "{pointer}");
        let shown = what_is_unclear(&reading).to_lowercase();
        assert!(!shown.contains("nell"), "{shown}");
    }
    let odd = with("invoice.paid", "/currency", "nell@example.com".into());
    assert!(!what_is_unclear(&odd).contains("nell"));
}

fn what_is_unclear(reading: &NormalizedEvent) -> String {
    let what = |fact: &Fact| {
        let Fact::Unclear { what } = fact else {
            return None;
        };
        Some(what.to_string())
    };
    let all: Vec<_> = reading.facts.iter().filter_map(what).collect();
    all.join("; ")
}
