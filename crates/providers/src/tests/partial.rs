//! One part that can't be read hides no other, and what is not said is not denied.

use super::{deliver_sample, is_unclear};
use crate::{ItemOutcome, Provider};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::ObjectId;
use domain::payment::snapshot::{DisputeState, NextAttempt, RefundState};
use domain::state::CustomerState;
use domain::state::fold::fold;
use domain::subscription::terms::SubscriptionStatus::{self, Active, Canceled, PastDue};
use serde_json::{Value, json};

#[test]
fn a_status_an_end_and_a_price_stand_beside_what_is_unclear() {
    for (name, sample, pointer, odd, status, items) in UNCLEAR_SUBSCRIPTIONS {
        let odd = serde_json::from_str(odd).expect("is JSON");
        let reading = bent(name, sample, pointer, odd);
        assert!(is_unclear(&reading), "{name} {sample} {pointer}");
        let told = subscription(&reading);
        assert_eq!(told, (*status, *items), "{name} {sample} {pointer}");
    }
}

#[test]
fn money_stands_beside_what_is_unclear() {
    for (name, sample, pointer, odd) in UNCLEAR_PAYMENTS {
        let odd = serde_json::from_str(odd).expect("is JSON");
        let reading = bent(name, sample, pointer, odd);
        assert!(is_unclear(&reading), "{name} {sample} {pointer}");
        let paid = reading.facts.iter().find_map(super::money::paid_of);
        let arrived = paid.is_some_and(|paid| paid.minor > 0);
        assert!(arrived, "{name} {sample} {pointer}");
    }
}

#[test]
fn a_refund_says_the_tax_that_goes_back() {
    let reading = bent(
        "paddle",
        "adjustment.updated",
        "/data/totals",
        json!({ "total": "480", "tax": "480" }),
    );
    assert_eq!(refund(&reading), (480, Some(480), RefundState::Succeeded));
    let reading = bent("polar", "refund.updated", "/data/tax_amount", json!(100));
    assert_eq!(refund(&reading).1, Some(100));
    let reading = bent("standard", "refund.created", "/data/tax", json!(50));
    assert_eq!(refund(&reading).1, Some(50));
    let reading = read("paypal", "PAYMENT.SALE.REFUNDED");
    assert_eq!(refund(&reading).1, None, "it says none");
}

#[test]
fn whether_a_payment_is_tried_again_is_known_only_where_it_is_said() {
    let gocardless = |details: Value| {
        attempt(&bent(
            "gocardless",
            "payments.failed",
            "/events/0/details",
            details,
        ))
    };
    assert_eq!(
        gocardless(json!({ "will_attempt_retry": true })),
        NextAttempt::Unknown
    );
    assert_eq!(
        gocardless(json!({ "will_attempt_retry": false })),
        NextAttempt::NotPlanned
    );
    assert_eq!(gocardless(json!({})), NextAttempt::Unknown);
    let standard = |at: Value| {
        attempt(&bent(
            "standard",
            "payment.failed",
            "/data/next_attempt_at",
            at,
        ))
    };
    assert_eq!(standard(json!(null)), NextAttempt::NotPlanned);
    assert!(matches!(
        standard(json!("2026-02-01T10:00:00Z")),
        NextAttempt::At(_)
    ));
    for (name, sample) in [
        ("paddle", "transaction.past_due"),
        ("mollie", "payment.failed"),
        ("mollie", "payment.failed-signed"),
    ] {
        assert_eq!(attempt(&read(name, sample)), NextAttempt::Unknown, "{name}");
    }
    let suspended = read("paypal", "BILLING.SUBSCRIPTION.SUSPENDED-after-failures");
    assert_eq!(attempt(&suspended), NextAttempt::NotPlanned);
}

#[test]
fn a_dispute_takes_what_went_back_and_nothing_where_nobody_says() {
    let after = |sample: &str| {
        let mut paid = read("paypal", "PAYMENT.SALE.COMPLETED-guest");
        let mut told = read("paypal", sample);
        paid.occurred_at = super::at(super::T);
        told.occurred_at = super::at(super::T + 1);
        for fact in &mut paid.facts {
            if let Fact::Payment(payment) = fact {
                payment.ids = vec![ObjectId::parse("5SA00000000000001").unwrap()];
            }
        }
        let state = fold([&paid, &told]);
        let payment = state.payments.settled().next().expect("is one").clone();
        let state = payment.disputes.values().next().expect("is one").state;
        (payment.disputed_minor(), state)
    };
    assert_eq!(
        after("CUSTOMER.DISPUTE.RESOLVED-lost"),
        (1200, DisputeState::Lost)
    );
    assert_eq!(
        after("CUSTOMER.DISPUTE.RESOLVED-in-part"),
        (500, DisputeState::Lost)
    );
    assert_eq!(
        after("CUSTOMER.DISPUTE.RESOLVED-none"),
        (0, DisputeState::Closed)
    );
    assert_eq!(
        after("CUSTOMER.DISPUTE.RESOLVED-without-outcome"),
        (0, DisputeState::Closed)
    );
    assert_eq!(
        after("PAYMENT.SALE.REVERSED-by-its-refund"),
        (1200, DisputeState::Lost)
    );
}

#[test]
fn an_address_that_was_removed_is_none_whatever_else_shows_it() {
    for (name, sample, email) in [
        ("paddle", "customer.updated", "/data/email"),
        ("polar", "customer.updated", "/data/email"),
        ("standard", "customer.updated", "/data/email"),
    ] {
        let older = Fact::Profile(domain::person::Profile {
            email: Some("nell@example.com".into()),
            ..domain::person::Profile::default()
        });
        let email_after = |value: Value| {
            let mut reading = bent(name, sample, email, value);
            reading.facts.insert(0, older.clone());
            let state: CustomerState = fold([&reading]);
            state.person.email().map(str::to_owned)
        };
        assert_eq!(email_after(json!(null)), None, "{name}");
        assert_eq!(email_after(json!(" ")), None, "{name}");
        let unclear = email_after(json!({ "at": "example" }));
        assert_eq!(unclear.as_deref(), Some("nell@example.com"), "{name}");
    }
}

#[test]
fn a_form_a_signed_event_a_link_and_an_invoice_of_one_payment_are_one() {
    let names = ["sales-invoice.paid-by-link", "payment-link.paid"];
    let state = fold(&names.map(|name| read("mollie", name)));
    let payments: Vec<_> = state.payments.settled().collect();
    assert_eq!(payments.len(), 1, "{payments:#?}");
    let facts = |name: &str| read("mollie", name).facts;
    assert_eq!(facts("payment.paid"), facts("payment.paid-signed"));
    assert_eq!(facts("payment.failed"), facts("payment.failed-signed"));
    assert_eq!(facts("refund.refunded"), facts("refund.refunded-simple"));
    let captured = facts("payment.paid-captured-in-part");
    let paid = captured
        .iter()
        .find_map(super::money::paid_of)
        .expect("is paid");
    assert_eq!(paid.minor, 3000, "of 50.00 that were authorized");
}

fn provider(name: &str) -> &'static Provider {
    crate::provider(name).expect("is in the list")
}

fn read(name: &str, sample: &str) -> NormalizedEvent {
    let mut samples = provider(name).samples().iter();
    let (_, body) = samples.find(|(known, _)| *known == sample).expect("is one");
    event(name, sample, body)
}

/// A sample in which the value at this place is another, or there for the first time.
fn bent(name: &str, sample: &str, pointer: &str, value: Value) -> NormalizedEvent {
    let mut samples = provider(name).samples().iter();
    let (_, body) = samples.find(|(known, _)| *known == sample).expect("is one");
    let mut body: Value = serde_json::from_str(body).expect("is JSON");
    let (parent, key) = pointer.rsplit_once('/').expect("is a pointer");
    let parent = body.pointer_mut(parent).expect("is there");
    match key.parse::<usize>() {
        Ok(place) => parent[place] = value,
        Err(_) => parent[key] = value,
    }
    event(name, sample, &body.to_string())
}

fn event(name: &str, sample: &str, body: &str) -> NormalizedEvent {
    let received = deliver_sample(provider(name), sample, body.as_bytes());
    let outcome = received.expect("is proven").remove(0).outcome;
    let ItemOutcome::Event(reading) = outcome else {
        panic!("{name} {sample}: {outcome:?}");
    };
    reading
}

fn subscription(reading: &NormalizedEvent) -> (SubscriptionStatus, usize) {
    for fact in &reading.facts {
        if let Fact::Subscription(snapshot) = fact {
            return (snapshot.terms.status, snapshot.terms.items.len());
        }
    }
    panic!("{:?}", reading.facts)
}

fn refund(reading: &NormalizedEvent) -> (i64, Option<i64>, RefundState) {
    for fact in &reading.facts {
        if let Fact::Refund(refund) = fact {
            return (refund.amount.minor, refund.tax_minor, refund.state);
        }
    }
    panic!("{:?}", reading.facts)
}

fn attempt(reading: &NormalizedEvent) -> NextAttempt {
    for fact in &reading.facts {
        if let Fact::Invoice(invoice) = fact {
            return invoice.next_attempt;
        }
    }
    panic!("{:?}", reading.facts)
}

/// Provider, sample, the place of a value and another one for it; the status that is told and the
/// number of items.
type UnclearSubscription = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    SubscriptionStatus,
    usize,
);

#[rustfmt::skip] // one row a line
const UNCLEAR_SUBSCRIPTIONS: &[UnclearSubscription] = &[
    ("paypal", "BILLING.SUBSCRIPTION.CANCELLED", "/resource/quantity", r#""many""#, Canceled, 0),
    ("paypal", "BILLING.SUBSCRIPTION.CANCELLED", "/resource/billing_info", "7", Canceled, 1),
    ("paypal", "BILLING.SUBSCRIPTION.PAYMENT.FAILED", "/resource/start_time", "true", PastDue, 1),
    ("paddle", "subscription.canceled", "/data/items/0", r#""none""#, Canceled, 1),
    ("paddle", "subscription.updated", "/data/scheduled_change", r#""sold""#, Active, 2),
    ("paddle", "subscription.updated", "/data/items/0/price/unit_price", "null", Active, 2),
    ("polar", "subscription.revoked", "/data/prices/0/amount_type", r#""weight""#, Canceled, 1),
    ("polar", "subscription.revoked", "/data/trial_end", r#""soon""#, Canceled, 1),
    ("standard", "subscription.ended", "/data/items", r#""none""#, Canceled, 0),
    ("standard", "subscription.ended", "/data/status", r#""over""#, Canceled, 2),
    ("standard", "subscription.updated", "/data/pause", "true", Active, 2),
];

#[rustfmt::skip] // one row a line
const UNCLEAR_PAYMENTS: &[(&str, &str, &str, &str)] = &[
    ("paypal", "PAYMENT.SALE.COMPLETED-guest", "/resource/amount/details", "[7]"),
    ("paypal", "PAYMENT.CAPTURE.COMPLETED", "/resource/create_time", r#""yesterday""#),
    ("paddle", "transaction.completed", "/data/details/totals/grand_total_tax", "480"),
    ("paddle", "transaction.completed", "/data/payments", r#""captured""#),
    ("polar", "order.paid", "/data/tax_amount", r#""a fifth""#),
    ("polar", "order.refunded", "/data/refunded_tax_amount", "null"),
    ("standard", "payment.succeeded", "/data/tax", "2.5"),
    ("standard", "payment.succeeded", "/data/paid_at", "true"),
];
