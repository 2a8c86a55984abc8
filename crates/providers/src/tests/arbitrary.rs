//! Whatever is sent, the normalizer says something and never panics.

use super::{T, at, outcome_of};
use crate::ItemOutcome;
use domain::event::{Fact, NormalizedEvent};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// What can't be read is noted once beside the rest, and no amount is less than nothing.
pub(super) fn assert_sound(reading: &NormalizedEvent) {
    let notes = reading.facts.iter();
    let notes = notes.filter(|fact| matches!(fact, Fact::Unclear { .. }));
    assert!(notes.count() <= 1, "{:?}", reading.facts);
    let mut paid = reading.facts.iter().filter_map(super::money::paid_of);
    assert!(paid.all(|paid| paid.minor >= 0), "{:?}", reading.facts);
}

/// Any JSON, numbers of every size among it.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        select(words()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(select(words()), inner, 0..6)
                .prop_map(|entries| entries.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// Words of Stripe's, as keys and as values.
fn words() -> Vec<String> {
    let plain = "id object type created livemode data customer status currency amount items \
        price plan quantity metadata discounts subscription invoice payment_intent charge \
        active paid succeeded eur jpy cus_1 pi_1 recurring usage_type metered parent payment \
        subscription_details referral_code ref mode payment_status amount_paid refunds";
    plain.split_whitespace().map(str::to_owned).collect()
}

fn event(kind: &str, object: &Value, previous: &Value) -> Vec<u8> {
    let event = json!({
        "id": "evt_1", "object": "event", "created": T, "livemode": false, "type": kind,
        "data": { "object": object, "previous_attributes": previous },
    });
    event.to_string().into_bytes()
}

fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let samples = super::stripe().samples();
    with_any_value_replaced(samples).prop_map(|event| event.to_string().into_bytes())
}

/// A sample with one of the values in its `data`, anywhere, replaced.
pub(super) fn with_any_value_replaced(
    samples: &'static [(&'static str, &'static str)],
) -> impl Strategy<Value = Value> {
    (select(samples), any::<prop::sample::Index>(), any_json()).prop_map(
        |((_, body), place, value)| {
            let mut event: Value = serde_json::from_str(body).expect("is JSON");
            let mut pointers = Vec::new();
            pointers_of(&event["data"], "/data", &mut pointers);
            let pointer = place.get(&pointers);
            *event.pointer_mut(pointer).expect("is there") = value;
            event
        },
    )
}

pub(super) fn pointers_of(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    if let Value::Object(entries) = value {
        for (key, inner) in entries {
            pointers_of(inner, &format!("{at}/{key}"), found);
        }
    }
    if let Value::Array(items) = value {
        for (place, inner) in items.iter().enumerate() {
            pointers_of(inner, &format!("{at}/{place}"), found);
        }
    }
}

fn check(outcome: &ItemOutcome) {
    if let ItemOutcome::Event(reading) = outcome {
        assert_sound(reading);
    }
}

/// Of all types acted upon, one concerns us only where it gives a guest's charge a customer.
fn is_journaled(outcome: &ItemOutcome) -> bool {
    match outcome {
        ItemOutcome::Event(_) => true,
        ItemOutcome::Ignored { kind, .. } => &**kind == "charge.updated",
        ItemOutcome::WrongMode { .. } | ItemOutcome::OtherAccount { .. } => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_become_a_quarantined_reading_or_are_known(
        body in prop::collection::vec(any::<u8>(), 1..300),
    ) {
        let ItemOutcome::Event(reading) = outcome_of(&body) else {
            return Err(TestCaseError::fail("no random bytes are an event"));
        };
        prop_assert_eq!(&*reading.kind, "unreadable");
        prop_assert_eq!(reading.occurred_at, at(T));
    }

    #[test]
    fn any_json_has_an_outcome(body in any_json()) {
        check(&outcome_of(body.to_string().as_bytes()));
    }

    #[test]
    fn any_object_of_any_type_has_an_outcome(
        kind in select(super::stripe().handled_types()),
        object in any_json(),
        previous in any_json(),
    ) {
        let outcome = outcome_of(&event(kind, &object, &previous));
        check(&outcome);
        prop_assert!(is_journaled(&outcome), "under its own id");
    }

    #[test]
    fn a_sample_with_any_value_replaced_keeps_its_id(body in mangled()) {
        let outcome = outcome_of(&body);
        check(&outcome);
        prop_assert!(is_journaled(&outcome));
        if let ItemOutcome::Event(reading) = outcome {
            prop_assert!(reading.id.as_str().starts_with("stripe/test/evt_"));
        }
    }

    #[test]
    fn the_same_bytes_give_the_same_outcome(body in mangled()) {
        prop_assert_eq!(outcome_of(&body), outcome_of(&body));
    }
}
