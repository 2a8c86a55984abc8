//! An id inside an authentic body that can't be one is kept and said to be unclear, wherever it
//! stands: never dropped, never guessed.

use super::api_documents::{answer, at_path, expect_received, one};
use super::{is_unclear, recorded_responses};
use crate::partner::{self, ReportError, UnreadableReport};
use crate::{Headers, Secrets};
use domain::event::{About, NormalizedEvent};
use domain::ids::PartnerId;
use serde_json::{Value, json};

/// The fixture of this provider with one value replaced.
fn fixture_with(provider: &str, sample: &str, pointer: &str, value: Value) -> NormalizedEvent {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let body = std::fs::read_to_string(format!("{fixtures}/{provider}/{sample}.json"));
    let mut event: Value = serde_json::from_str(&body.expect("is there")).expect("is JSON");
    let provider = crate::provider(provider).expect("is in the list");
    *event.pointer_mut(pointer).expect("is there") = value;
    let fetched = recorded_responses(provider, sample);
    one(expect_received(provider, event.to_string().as_bytes(), &fetched).expect("is proven"))
}

/// The sample, where the API shows an object of this path with one value replaced.
fn api_sample_with([provider, sample, path, pointer]: [&str; 4], value: Value) -> NormalizedEvent {
    let provider = crate::provider(provider).expect("is in the list");
    let mut samples = provider.samples().iter();
    let (_, body) = samples.find(|(name, _)| *name == sample).expect("is one");
    let mut fetched = (*recorded_responses(provider, sample)).clone();
    let known = fetched.response(&at_path(path)).expect("is recorded");
    let mut document: Value = serde_json::from_slice(&known.body).expect("is JSON");
    *document.pointer_mut(pointer).expect("is there") = value;
    let shown = answer(200, &document.to_string());
    fetched.insert(at_path(path), Some(shown));
    one(expect_received(provider, body.as_bytes(), &fetched).expect("is proven"))
}

/// Texts that can't be ids.
fn invalid() -> [Value; 3] {
    [json!(""), json!("sub\n1"), json!("a".repeat(401))]
}

#[test]
fn an_object_that_names_itself_by_what_is_no_id_is_kept_as_unclear() {
    for (provider, sample, pointer) in [
        ("stripe", "invoice.paid", "/data/object/id"),
        ("standard", "subscription.created", "/data/subscription"),
        ("polar", "subscription.created", "/data/id"),
        ("paddle", "subscription.created", "/data/id"),
        ("paypal", "BILLING.SUBSCRIPTION.ACTIVATED", "/resource/id"),
    ] {
        for text in invalid() {
            let event = fixture_with(provider, sample, pointer, text.clone());
            assert!(is_unclear(&event), "{provider}: {text}");
            assert_ne!(&*event.kind, "unreadable", "{provider}: {text}");
        }
    }
}

#[test]
fn an_event_whose_own_name_is_no_id_goes_by_the_hash_of_its_bytes() {
    for (provider, sample, pointer) in [
        ("stripe", "invoice.paid", "/id"),
        ("paddle", "subscription.created", "/event_id"),
        ("paypal", "BILLING.SUBSCRIPTION.ACTIVATED", "/id"),
        ("gocardless", "subscriptions.amended", "/events/0/id"),
    ] {
        for text in invalid() {
            let event = fixture_with(provider, sample, pointer, text.clone());
            assert!(is_unclear(&event), "{provider}: {text}");
            let unread = format!("{provider}/test/unread/");
            assert!(event.id.as_str().starts_with(&unread), "{}", event.id);
        }
    }
}

#[test]
fn a_customer_that_is_no_id_leaves_the_event_with_what_else_it_names() {
    for (provider, sample, pointer) in [
        ("stripe", "invoice.paid", "/data/object/customer"),
        ("standard", "payment.succeeded", "/data/customer"),
        ("paddle", "subscription.created", "/data/customer_id"),
    ] {
        for text in invalid() {
            let event = fixture_with(provider, sample, pointer, text.clone());
            assert!(is_unclear(&event), "{provider}: {text}");
            let About::ByReference(references) = &event.about else {
                panic!("{provider}: {:?}", event.about);
            };
            assert!(!references.is_empty(), "{provider}: {text}");
        }
    }
}

#[test]
fn a_price_that_is_no_id_is_kept_as_unclear_under_its_customer() {
    let item = "/data/object/items/data/0";
    let previous = "/data/previous_attributes/items/data/0/price/id";
    for (provider, sample, pointer) in [
        (
            "stripe",
            "customer.subscription.updated",
            &*format!("{item}/price/id"),
        ),
        ("stripe", "customer.subscription.updated-upgrade", previous),
        ("standard", "subscription.created", "/data/items/0/price"),
        ("polar", "subscription.created", "/data/prices/0/id"),
        ("paddle", "subscription.created", "/data/items/0/price/id"),
        (
            "paypal",
            "BILLING.SUBSCRIPTION.ACTIVATED",
            "/resource/plan_id",
        ),
    ] {
        for text in invalid() {
            let event = fixture_with(provider, sample, pointer, text.clone());
            assert!(is_unclear(&event), "{provider}: {text}");
            assert!(matches!(event.about, About::Customer(_)), "{provider}");
        }
    }
}

#[test]
fn what_a_shop_calls_its_price_is_kept_as_unclear_where_it_is_no_id() {
    let gocardless = [
        "gocardless",
        "subscriptions.amended",
        "/subscriptions/SB000Grove01",
        "/subscriptions/metadata/price",
    ];
    let mollie = [
        "mollie",
        "payment.paid",
        "/customers/cst_Grove01/subscriptions/sub_Grove01",
        "/metadata/price",
    ];
    for place in [gocardless, mollie] {
        assert!(!is_unclear(&api_sample_with(place, json!("grove/1 a"))));
        // No price is not an unclear one: the subscription then goes by its own name.
        assert!(!is_unclear(&api_sample_with(place, json!(""))));
        for text in [json!("sub\n1"), json!("a".repeat(401))] {
            let event = api_sample_with(place, text.clone());
            assert!(is_unclear(&event), "{place:?}: {text}");
        }
    }
}

#[test]
fn an_id_that_a_partner_may_not_report_is_said_to_the_partner() {
    let partner = PartnerId::parse("acme").unwrap();
    let secret = crate::partner_secret(&super::master(), &partner, 1).expect("follows");
    let secrets = Secrets::new(vec![secret.clone()]).expect("is one");
    for (field, value) in [("id", json!("a\nb")), ("code", json!("c".repeat(255)))] {
        let report = json!({
            "type": "referral.created",
            "data": { "referral_id": "r-1", "customer": { field: value } },
        });
        let body = report.to_string();
        let signed = partner::sign(body.as_bytes(), &secret, super::at(super::T));
        let headers = Headers::new(signed).expect("are few");
        let request = super::post(&headers, body.as_bytes());
        let now = super::at(super::T);
        let refused = partner::receive(&partner, &request, &secrets, &super::person_key(), now);
        let Err(ReportError::Unreadable(UnreadableReport::Field { field: named, .. })) = refused
        else {
            panic!("{field}: {refused:?}");
        };
        assert_eq!(named, format!("data.customer.{field}"));
    }
}
