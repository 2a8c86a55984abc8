//! One customer's life in PayPal's words, in every order.

use crate::ItemOutcome;
use crate::paypal::PAYPAL;
use crate::tests::deliver_sample;
use domain::event::{About, NormalizedEvent};
use domain::ids::ObjectId;
use domain::payment::snapshot::InvoiceState;
use domain::state::fold::fold;
use domain::subscription::terms::SubscriptionStatus;
use proptest::prelude::*;

fn scenario() -> Vec<NormalizedEvent> {
    let reading = |(name, body): &(&str, &str)| {
        let told = deliver_sample(&PAYPAL, &format!("scenario/{name}"), body.as_bytes());
        let outcome = told.expect("is proven").remove(0).outcome;
        let ItemOutcome::Event(reading) = outcome else {
            panic!("{name} is journaled: {outcome:?}");
        };
        reading
    };
    PAYPAL.scenario().iter().map(reading).collect()
}

#[test]
fn a_life_is_told_in_full() {
    let events = scenario();
    assert_eq!(events.len(), 13);
    let state = fold(&events);
    assert_eq!(state.unclear, 0);
    let subscription = &state.subscriptions[&ObjectId::parse("I-GR0VE0000001").unwrap()];
    assert_eq!(subscription.terms.status, SubscriptionStatus::Canceled);
    assert_eq!(
        subscription.terms.items[0].price.as_str(),
        "price_grove_tall"
    );
    assert_eq!(
        subscription.ended_at.map(|at| at.to_string()),
        Some("2026-04-05T16:00:00Z".into())
    );
    let paid: Vec<_> = state
        .payments
        .settled()
        .map(|payment| {
            let paid = payment.paid().expect("is paid").minor;
            let tax = payment.tax_minor();
            (
                paid,
                tax,
                payment.refunded_minor(),
                payment.disputed_minor(),
            )
        })
        .collect();
    let plain = (1200, Some(200), 0, 0);
    let disputed = (1200, Some(200), 0, 1200);
    assert_eq!(paid, [plain, disputed, plain, (1440, Some(240), 480, 0)]);
    let failed: Vec<_> = state.invoices.iter().collect();
    let [(id, failed)] = failed.as_slice() else {
        panic!("one payment failed: {failed:?}");
    };
    assert_eq!(id.as_str(), "I-GR0VE0000001@2026-02-15T10:00:00Z");
    assert_eq!((failed.state, failed.due.minor), (InvoiceState::Paid, 1200));
    let settled_at = failed.settled_at.map(|at| at.to_string());
    assert_eq!(settled_at, Some("2026-03-18T09:30:00Z".into()));
    assert_eq!(state.person.email(), Some("nell@example.com"));
    assert_eq!(state.person.country(), Some("FR"));
}

#[test]
fn after_each_event_the_record_says_what_is_so() {
    let events = scenario();
    let told: Vec<_> = (1..=events.len())
        .map(|count| {
            let state = fold(&events[..count]);
            let subscription = state.subscriptions.values().next().expect("is one");
            let disputed: i64 = state
                .payments
                .settled()
                .map(|payment| payment.disputed_minor())
                .sum();
            let open = state
                .invoices
                .values()
                .filter(|one| one.settled_at.is_none());
            (subscription.terms.status.as_str(), open.count(), disputed)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("incomplete", 0, 0),
            ("trialing", 0, 0),
            ("active", 0, 0),
            ("active", 0, 0),
            ("past_due", 1, 0),
            ("active", 0, 0),
            ("active", 0, 0),
            ("active", 0, 0),
            ("active", 0, 0),
            ("active", 0, 1200),
            ("canceled", 0, 1200),
            ("canceled", 0, 1200),
            ("canceled", 0, 1200),
        ]
    );
}

#[test]
fn whoever_pays_is_one_customer_and_everything_leads_there() {
    let events = scenario();
    let mut led: Vec<&str> = Vec::new();
    let mut waits = 0;
    for reading in &events {
        match &reading.about {
            About::Customer(customer) => {
                assert_eq!(customer.as_str(), "paypal/test/NELLPAYER0001");
                led.extend(reading.references.iter().map(|known| known.as_str()));
            }
            About::ByReference(_) => waits += 1,
        }
    }
    assert_eq!(waits, 5, "first word, refund, dispute, reversal and end");
    for reading in &events {
        if let About::ByReference(references) = &reading.about {
            let known = references.iter().any(|one| led.contains(&one.as_str()));
            assert!(known, "{references:?}");
        }
    }
}

#[test]
fn every_order_of_seven_events_ends_in_the_same_record() {
    let events = scenario();
    let seven: Vec<NormalizedEvent> = (0..7).map(|place| events[place * 12 / 6].clone()).collect();
    let expected = fold(&seven);
    let mut orders = 0;
    permute(&mut seven.clone(), 0, &mut |order| {
        assert_eq!(fold(order), expected);
        orders += 1;
    });
    assert_eq!(orders, 5040);
}

fn permute(all: &mut [NormalizedEvent], from: usize, each: &mut impl FnMut(&[NormalizedEvent])) {
    if from == all.len() {
        return each(all);
    }
    for other in from..all.len() {
        all.swap(from, other);
        permute(all, from.saturating_add(1), each);
        all.swap(from, other);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_and_repetition_ends_in_the_same_record(
        order in Just(scenario()).prop_shuffle(),
        again in proptest::sample::subsequence(scenario(), 0..=13),
    ) {
        let expected = fold(&scenario());
        let told: Vec<_> = order.iter().chain(&again).collect();
        prop_assert_eq!(fold(told), expected);
    }
}
