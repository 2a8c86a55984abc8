//! What Stripe's events together say of the money: histories of one customer, folded.

use super::stripe_events::read;
use super::{T, outcome_of};
use crate::ItemOutcome;
use domain::event::{Fact, NormalizedEvent};
use domain::ids::CustomerKey;
use domain::state::CustomerState;
use domain::state::fold::fold;
use serde_json::{Value, json};

const CLOVER: &str = "2025-09-30.clover";
const ACACIA: &str = "2024-06-20";

/// An event of today's version, so many seconds after the first.
pub(super) fn event(second: i64, kind: &str, object: Value) -> Value {
    json!({
        "id": format!("evt_{second}{}", kind.replace(['.', '_'], "")),
        "object": "event", "api_version": CLOVER,
        "created": T.saturating_add(second), "livemode": false,
        "type": kind, "data": { "object": object },
    })
}

pub(super) fn in_version(version: Value, mut event: Value) -> Value {
    event["api_version"] = version;
    event
}

pub(super) fn state(events: &[Value]) -> CustomerState {
    let events: Vec<NormalizedEvent> = events.iter().map(read).collect();
    fold(&events)
}

/// Of each payment: what was paid, its tax, what went back, what is disputed.
pub(super) fn money(events: &[Value]) -> Vec<(i64, Option<i64>, i64, i64)> {
    let state = state(events);
    let all = state.payments.settled().map(|payment| {
        let paid = payment.paid().expect("is settled").minor;
        let tax = payment.tax_minor();
        (
            paid,
            tax,
            payment.refunded_minor(),
            payment.disputed_minor(),
        )
    });
    all.collect()
}

pub(super) fn charge(changes: Value) -> Value {
    merged(
        json!({
            "id": "ch_17", "object": "charge", "customer": "cus_17", "payment_intent": "pi_17",
            "amount": 2400, "amount_captured": 2400, "amount_refunded": 0, "captured": true,
            "currency": "eur", "status": "succeeded", "paid": true, "created": T,
        }),
        changes,
    )
}

fn intent(changes: Value) -> Value {
    merged(
        json!({
            "id": "pi_17", "object": "payment_intent", "customer": "cus_17", "currency": "eur",
            "amount": 2400, "amount_received": 2400, "latest_charge": "ch_17",
            "status": "succeeded",
        }),
        changes,
    )
}

pub(super) fn invoice(changes: Value) -> Value {
    merged(
        json!({
            "id": "in_17", "object": "invoice", "customer": "cus_17", "currency": "eur",
            "amount_due": 2400, "amount_paid": 2400, "amount_remaining": 0, "total": 2400,
            "total_excluding_tax": 2000, "attempt_count": 1, "status": "paid",
            "status_transitions": { "paid_at": T + 3 },
        }),
        changes,
    )
}

pub(super) fn merged(mut object: Value, changes: Value) -> Value {
    let (Value::Object(fields), Value::Object(changes)) = (&mut object, changes) else {
        panic!("they are objects");
    };
    for (name, value) in changes {
        // Written so, a field is left out.
        if value == "(absent)" {
            fields.remove(&name);
        } else {
            fields.insert(name, value);
        }
    }
    object
}

#[test]
fn an_intent_that_names_its_invoice_or_session_is_paid_once() {
    let refund = json!({
        "id": "re_17", "object": "refund", "amount": 2400, "currency": "eur", "charge": "ch_17",
        "payment_intent": "pi_17", "status": "succeeded", "created": T + 500,
    });
    let refunded = event(500, "refund.created", refund);
    let paid = event(3, "invoice.paid", invoice(json!({})));
    let order = |name: &str| json!({ "payment_details": { "order_reference": name } });
    let by_invoice = event(90, "payment_intent.succeeded", intent(order("in_17")));
    let whole = [(2400, Some(400), 2400, 0)];
    assert_eq!(money(&[paid.clone(), by_invoice, refunded.clone()]), whole);
    let session = json!({
        "id": "cs_17", "object": "checkout.session", "mode": "subscription",
        "payment_status": "paid", "customer": "cus_17", "invoice": "in_17",
        "subscription": "sub_17", "amount_total": 2400, "currency": "eur",
    });
    let session = event(4, "checkout.session.completed", session);
    let by_session = event(90, "payment_intent.succeeded", intent(order("cs_17")));
    let all = [paid.clone(), session, by_session, refunded];
    assert_eq!(money(&all), whole);
    let shops_own = event(90, "payment_intent.succeeded", intent(order("order 17")));
    assert_eq!(money(&[paid, shops_own]).len(), 2, "minutes apart, not one");
}

#[test]
fn what_nothing_links_within_a_minute_counts_once() {
    let mut events = vec![
        event(1, "charge.succeeded", charge(json!({}))),
        event(1, "payment_intent.succeeded", intent(json!({}))),
        event(3, "invoice.paid", invoice(json!({}))),
    ];
    assert_eq!(money(&events), [(2400, Some(400), 0, 0)]);
    assert!(
        state(&events)
            .payments
            .settled()
            .all(|payment| payment.unlinked)
    );
    let link = json!({
        "id": "inpay_17", "object": "invoice_payment", "invoice": "in_17",
        "payment": { "type": "payment_intent", "payment_intent": "pi_17" },
    });
    events.push(event(9, "invoice_payment.paid", link));
    assert_eq!(money(&events), [(2400, Some(400), 0, 0)]);
    assert!(
        !state(&events)
            .payments
            .settled()
            .any(|payment| payment.unlinked)
    );
    // Before 2025-03-31 null says that they have nothing to do with each other.
    let old_charge = charge(json!({ "invoice": null }));
    let old_invoice = invoice(json!({ "charge": null, "payment_intent": null }));
    for apart in [
        [charge(json!({})), old_invoice],
        [old_charge, invoice(json!({}))],
    ] {
        let [charge, invoice] = apart;
        let events = [
            event(1, "charge.succeeded", charge),
            event(3, "invoice.paid", invoice),
        ];
        assert_eq!(money(&events).len(), 2);
    }
    let listed = json!({ "payments": { "data": [
        { "payment": { "type": "payment_intent", "payment_intent": "pi_17" } },
    ] } });
    let events = [
        event(900, "payment_intent.succeeded", intent(json!({}))),
        event(3, "invoice.paid", invoice(listed)),
    ];
    assert_eq!(money(&events).len(), 1, "the invoice lists its payments");
}

#[test]
fn what_was_not_captured_is_no_refund() {
    let part = |refunded: i64| {
        charge(json!({
            "amount": 5000, "amount_captured": 3000, "amount_refunded": refunded,
            "invoice": null,
        }))
    };
    let authorized = charge(json!({
        "amount": 5000, "amount_captured": 0, "captured": false, "invoice": null,
    }));
    let old = |second, kind: &str, object| in_version(json!(ACACIA), event(second, kind, object));
    let released = json!({
        "id": "re_0", "object": "refund", "amount": 2000, "currency": "eur", "charge": "ch_17",
        "status": "succeeded", "created": T + 60,
    });
    let captured = [
        old(0, "charge.succeeded", authorized.clone()),
        old(60, "charge.captured", part(2000)),
        old(60, "charge.refunded", part(2000)),
        old(60, "refund.created", released),
    ];
    assert_eq!(money(&captured), [(3000, None, 0, 0)]);
    let refunded = [&captured[..], &[old(900, "charge.refunded", part(2500))]].concat();
    assert_eq!(money(&refunded), [(3000, None, 500, 0)]);
    let today = [
        event(0, "charge.succeeded", authorized),
        event(60, "charge.captured", part(0)),
        event(900, "charge.refunded", part(500)),
    ];
    assert_eq!(money(&today), [(3000, None, 500, 0)]);
    let unknown = in_version(Value::Null, event(60, "charge.refunded", part(2500)));
    let reading = read(&unknown);
    assert!(reading.is_unclear(), "nobody says which of both it is");
    assert!(
        !read(&in_version(
            Value::Null,
            event(60, "charge.captured", part(0))
        ))
        .facts
        .is_empty()
    );
}

#[test]
fn a_charge_that_is_captured_later_is_a_payment_from_then_on() {
    let direct = |changes: Value| merged(charge(json!({ "payment_intent": null })), changes);
    let authorized = direct(json!({ "captured": false, "amount_captured": 0 }));
    let events = [
        event(0, "charge.succeeded", authorized),
        event(86_400, "charge.captured", direct(json!({}))),
    ];
    assert_eq!(money(&events[..1]), []);
    assert_eq!(money(&events), [(2400, None, 0, 0)]);
    let paid_at = state(&events).payments.open[0].paid_at();
    assert_eq!(paid_at.map(|at| at.as_second()), Some(T + 86_400));
}

#[test]
fn a_guests_charge_that_gets_a_customer_is_told_again_as_the_customers() {
    let of_guest = charge(json!({ "customer": null, "payment_intent": null }));
    let attached = charge(json!({ "payment_intent": null }));
    let mut update = event(500, "charge.updated", attached);
    update["data"]["previous_attributes"] = json!({ "customer": null });
    let reading = read(&update);
    let about =
        domain::event::About::Customer(CustomerKey::parse("stripe/test/cus_17").expect("is valid"));
    assert_eq!(reading.about, about);
    let names: Vec<_> = reading
        .references
        .iter()
        .map(|name| name.as_str())
        .collect();
    assert!(names.contains(&"stripe/test/ch_17"), "{names:?}");
    let events = [event(0, "charge.succeeded", of_guest), update.clone()];
    assert_eq!(money(&events), [(2400, None, 0, 0)]);
    assert_eq!(
        money(&events[1..]),
        [(2400, None, 0, 0)],
        "its journal alone"
    );
    update["data"]["previous_attributes"] = json!({ "balance_transaction": null });
    let outcome = outcome_of(update.to_string().as_bytes());
    assert!(matches!(outcome, ItemOutcome::Ignored { .. }), "no news");
}

#[test]
fn an_invoice_of_the_first_years_says_what_was_due_and_that_it_is_paid() {
    let old = json!({
        "id": "in_17", "object": "invoice", "customer": "cus_17", "currency": "usd",
        "amount_due": 3500, "total": 3500, "paid": true, "attempt_count": 1,
        "charge": "ch_17", "date": T,
    });
    let paid = event(5, "invoice.payment_succeeded", old.clone());
    assert_eq!(money(&[paid]), [(3500, None, 0, 0)]);
    for unknown in [json!({ "paid": false }), json!({ "paid": "(absent)" })] {
        let event = event(5, "invoice.payment_succeeded", merged(old.clone(), unknown));
        let reading = read(&event);
        assert!(reading.is_unclear());
        let has_payment = |fact: &Fact| matches!(fact, Fact::Payment(_));
        assert!(!reading.facts.iter().any(has_payment), "never zero");
    }
}

#[test]
fn a_charge_of_the_first_years_has_no_status_and_was_captured_at_once() {
    let old = charge(json!({
        "status": "(absent)", "captured": "(absent)", "amount_captured": "(absent)",
        "payment_intent": "(absent)", "invoice": null,
    }));
    let events = [event(0, "charge.succeeded", old.clone())];
    assert_eq!(money(&events), [(2400, None, 0, 0)]);
    let failed = event(
        0,
        "charge.succeeded",
        merged(old, json!({ "paid": "(absent)" })),
    );
    assert!(read(&failed).is_unclear());
}

#[test]
fn a_refund_of_the_list_that_cannot_be_read_hides_neither_the_sum_nor_the_others() {
    let listed = |refunds: Value| {
        charge(json!({
            "amount_refunded": 900, "refunds": { "data": refunds, "has_more": false },
        }))
    };
    let good = json!({ "id": "re_1", "amount": 400, "status": "succeeded", "created": T });
    let without_status = json!({ "id": "re_2", "amount": 500, "created": T });
    let odd = json!({ "id": "re_3", "amount": 500, "status": "teleported", "created": T });
    let paid = event(0, "charge.succeeded", charge(json!({})));
    let told = |refunds| event(90, "charge.refunded", listed(refunds));
    let silent = told(json!([good, without_status]));
    assert!(!read(&silent).is_unclear(), "the sum covers it");
    assert_eq!(money(&[paid.clone(), silent]), [(2400, None, 900, 0)]);
    for refunds in [json!([good, odd]), json!([good, 7]), json!("none")] {
        let unclear = told(refunds);
        assert!(read(&unclear).is_unclear());
        assert_eq!(money(&[paid.clone(), unclear]), [(2400, None, 900, 0)]);
    }
}

#[test]
fn an_odd_part_hides_no_money() {
    let kept = |kind: &str, object: Value| {
        let event = event(0, kind, object);
        assert!(read(&event).is_unclear(), "{event}");
        money(&[event])
    };
    let odd_parts = json!({ "metadata": "x", "billing_details": [7], "amount_refunded": 0 });
    assert_eq!(
        kept("charge.succeeded", charge(odd_parts)),
        [(2400, None, 0, 0)]
    );
    let odd_intent = intent(json!({ "payment_details": "x", "metadata": 7 }));
    assert_eq!(
        kept("payment_intent.succeeded", odd_intent),
        [(2400, None, 0, 0)]
    );
    let odd_invoice = invoice(json!({ "amount_remaining": null, "amount_due": null }));
    assert_eq!(kept("invoice.paid", odd_invoice), [(2400, Some(400), 0, 0)]);
    // And what is odd about the money hides nobody whose it is.
    let reading = read(&event(
        0,
        "charge.succeeded",
        charge(json!({ "status": "odd" })),
    ));
    assert!(reading.is_unclear());
    assert_eq!(reading.references.len(), 2);
}
