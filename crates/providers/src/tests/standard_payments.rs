//! What a billing of the shop's own tells of money, in our vocabulary.

use super::{T, at, post, secret_of, secrets_of};
use crate::{Headers, ItemOutcome};
use domain::event::NormalizedEvent;
use domain::ids::Mode;
use domain::state::fold::fold;
use serde_json::{Value, json};

fn read(event: &Value) -> NormalizedEvent {
    let standard = crate::provider("standard").expect("is in the list");
    let body = event.to_string().into_bytes();
    let signed = standard.sign(&body, &secret_of(standard), at(T));
    let headers = Headers::new(signed.expect("can sign")).expect("are few");
    let request = post(&headers, &body);
    let secrets = secrets_of(standard);
    let received = super::arrive(standard, Mode::Test, &request, &secrets, T);
    let outcome = received.expect("is rightly signed").remove(0).outcome;
    let ItemOutcome::Event(event) = outcome else {
        panic!("not acted upon: {outcome:?}");
    };
    event
}

#[test]
fn an_invoice_that_is_paid_in_two_parts_is_paid_in_full() {
    let path = format!(
        "{}/fixtures/standard/payment.succeeded.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).expect("is there");
    let whole: Value = serde_json::from_str(&text).expect("is JSON");
    let part = |n: i64, amount: i64, tax: i64| {
        let mut event = whole.clone();
        event["data"]["payment"] = json!(format!("pay_{n}"));
        event["data"]["amount"] = json!(amount);
        event["data"]["tax"] = json!(tax);
        let mut read = read(&event);
        // Each delivery has an id of its own.
        read.id = domain::ids::EventId::parse(format!("standard/test/msg_{n}")).expect("is valid");
        read
    };
    let state = fold(&[part(1, 6_000, 1_000), part(2, 4_000, 600)]);
    let paid: Vec<_> = state.payments.settled().collect();
    assert_eq!(paid.len(), 1, "{paid:#?}");
    assert_eq!(paid[0].paid().expect("is settled").minor, 10_000);
    assert_eq!(paid[0].tax_minor(), Some(1_600));
}
