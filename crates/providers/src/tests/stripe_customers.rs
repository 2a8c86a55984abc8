//! What Stripe's events together say of disputes, invoices, the person, and whose they are.

use super::stripe_events::read;
use super::stripe_histories::{charge, event, invoice, merged, money, state};
use super::{T, outcome_at_endpoint, outcome_of};
use crate::ItemOutcome;
use crate::endpoint::EndpointConfig;
use domain::event::Fact;
use domain::ids::Mode;
use domain::payment::snapshot::{DisputeState, InvoiceState};
use domain::subscription::terms::SubscriptionStatus;
use serde_json::{Value, json};

#[test]
fn a_dispute_counts_in_the_currency_of_its_payment_alone() {
    let dispute = |currency: &str| {
        let object = json!({
            "id": "dp_17", "object": "dispute", "amount": 900, "currency": currency,
            "charge": "ch_17", "payment_intent": "pi_17", "status": "needs_response",
        });
        event(700, "charge.dispute.created", object)
    };
    let paid = event(0, "charge.succeeded", charge(json!({})));
    assert_eq!(
        money(&[paid.clone(), dispute("eur")]),
        [(2400, None, 0, 900)]
    );
    let events = [paid, dispute("jpy")];
    assert_eq!(money(&events), [(2400, None, 0, 0)]);
    let state = state(&events);
    let payment = &state.payments.open[0];
    let others = payment.amounts_in_other_currencies();
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].money.to_string(), "900 JPY");
}

#[test]
fn a_prevented_dispute_costs_what_was_withdrawn() {
    let state = |kind: &str, moved: Value| {
        let object = json!({
            "id": "dp_17", "object": "dispute", "amount": 2400, "currency": "eur",
            "charge": "ch_17", "status": "prevented", "balance_transactions": moved,
        });
        let reading = read(&event(700, kind, object));
        let state = |fact: &Fact| {
            let Fact::Dispute(snapshot) = fact else {
                return None;
            };
            Some(snapshot.state)
        };
        reading.facts.iter().find_map(state)
    };
    let taken = json!({ "amount": -2400, "net": -3900 });
    let given_back = json!({ "amount": 2400, "net": 2400 });
    let closed = "charge.dispute.closed";
    assert_eq!(state(closed, json!([taken])), Some(DisputeState::Lost));
    assert_eq!(
        state(closed, json!([taken, given_back])),
        Some(DisputeState::Won)
    );
    assert_eq!(state(closed, json!([])), Some(DisputeState::Won));
    let withdrawn = "charge.dispute.funds_withdrawn";
    assert_eq!(state(withdrawn, Value::Null), Some(DisputeState::Lost));
    assert_eq!(state(closed, json!(7)), None, "that is unclear");
}

#[test]
fn an_invoice_that_was_given_up_and_then_paid_is_paid_when_it_is_paid() {
    let unpaid = || invoice(json!({ "amount_paid": 0, "amount_remaining": 2400 }));
    let events = [
        event(0, "invoice.payment_failed", unpaid()),
        event(90, "invoice.marked_uncollectible", unpaid()),
        event(900, "invoice.paid", invoice(json!({}))),
    ];
    let state = state(&events);
    let invoice = state.invoices.values().next().expect("is kept");
    assert_eq!(invoice.state, InvoiceState::Paid);
    let settled_at = invoice.settled_at.map(|at| at.as_second());
    assert_eq!(settled_at, Some(T + 900));
}

#[test]
fn what_the_customer_object_no_longer_has_is_gone() {
    let customer = |changes: Value| {
        let whole = json!({
            "id": "cus_17", "object": "customer", "email": "ada@example.org", "name": "Ada",
            "address": { "country": "FR" }, "preferred_locales": ["fr"],
        });
        merged(whole, changes)
    };
    let later = invoice(json!({ "customer_email": "ada@example.org", "customer_name": "Ada" }));
    let person = |changes: Value| {
        let events = [
            event(0, "customer.created", customer(json!({}))),
            event(60, "customer.updated", customer(changes)),
            event(90, "invoice.paid", later.clone()),
        ];
        let person = state(&events).person;
        [
            person.email(),
            person.name(),
            person.locale(),
            person.country(),
        ]
        .map(|text| text.map(str::to_owned))
    };
    let none = json!({
        "email": null, "name": "", "preferred_locales": [], "address": { "country": null },
    });
    assert_eq!(person(none), [None, None, None, None]);
    let [_, _, _, country] = person(json!({ "address": null }));
    assert_eq!(country, None);
    let [email, name, ..] = person(json!({ "email": "(absent)", "name": "(absent)" }));
    assert_eq!(email.as_deref(), Some("ada@example.org"), "it is not said");
    assert_eq!(name.as_deref(), Some("Ada"));
}

#[test]
fn what_happens_in_a_connected_account_is_not_ours_unless_the_endpoint_says_so() {
    let mut event = event(0, "invoice.paid", invoice(json!({})));
    event["account"] = json!("acct_17");
    let body = event.to_string();
    let kind = "invoice.paid".into();
    assert_eq!(
        outcome_of(body.as_bytes()),
        ItemOutcome::OtherAccount { kind }
    );
    let platform = EndpointConfig::new(Mode::Test).with_connected_accounts();
    let outcome = outcome_at_endpoint(platform, body.as_bytes());
    assert!(matches!(outcome, ItemOutcome::Event(_)));
    event["account"] = Value::Null;
    let outcome = outcome_of(event.to_string().as_bytes());
    assert!(matches!(outcome, ItemOutcome::Event(_)), "null is our own");
}

fn subscription(changes: Value) -> Value {
    let item = json!({
        "id": "si_1", "quantity": 1, "current_period_start": T, "current_period_end": T + 2_592_000,
        "price": { "id": "price_1", "currency": "eur", "unit_amount": 900, "recurring": {} },
    });
    merged(
        json!({
            "id": "sub_17", "object": "subscription", "customer": "cus_17", "status": "active",
            "items": { "data": [item], "has_more": false }, "start_date": T, "currency": "eur",
        }),
        changes,
    )
}

#[test]
fn a_part_of_the_items_hides_neither_status_nor_end() {
    let began = event(0, "customer.subscription.created", subscription(json!({})));
    let odd_item = json!({ "id": "si_9", "price": {
        "id": "price_9", "recurring": { "usage_type": "by_mood" },
    } });
    let page = json!({ "data": [], "has_more": true });
    for (items, unclear) in [
        (page, false),
        (json!({ "data": [odd_item] }), true),
        (json!({ "data": [7] }), true),
        (json!("many"), true),
        (json!("(absent)"), true),
    ] {
        let ended = subscription(json!({
            "status": "canceled", "ended_at": T + 900, "items": items,
        }));
        let ended = event(900, "customer.subscription.deleted", ended);
        assert_eq!(read(&ended).is_unclear(), unclear, "{ended}");
        let state = state(&[began.clone(), ended]);
        let seen = state.subscriptions.values().next().expect("is there");
        assert_eq!(seen.terms.status, SubscriptionStatus::Canceled);
        assert_eq!(seen.ended_at.map(|at| at.as_second()), Some(T + 900));
        assert!(seen.terms.items_partial);
        assert_eq!(seen.terms.items.len(), 1, "what was known stays");
    }
}

#[test]
fn an_unknown_word_hides_no_end_and_no_customer() {
    let of = |changes: Value| {
        let event = event(900, "customer.subscription.updated", subscription(changes));
        assert!(read(&event).is_unclear(), "{event}");
        let state = state(&[event]);
        let seen = state.subscriptions.into_values().next();
        seen.map(|seen| (seen.terms.status, seen.ended_at.map(|at| at.as_second())))
    };
    assert_eq!(of(json!({ "status": "hibernating" })), None);
    let ended = of(json!({ "status": "hibernating", "ended_at": T + 60 }));
    assert_eq!(ended, Some((SubscriptionStatus::Canceled, Some(T + 60))));
    for odd in [
        json!({ "pause_collection": { "behavior": 7 } }),
        json!({ "currency": "moons" }),
        json!({ "metadata": "x", "discounts": 7 }),
    ] {
        assert_eq!(of(odd), Some((SubscriptionStatus::Active, None)));
    }
    let mut changed = event(
        900,
        "customer.subscription.updated",
        subscription(json!({})),
    );
    changed["data"]["previous_attributes"] = json!({ "status": "hibernating" });
    assert!(read(&changed).is_unclear());
    assert_eq!(state(&[changed]).subscriptions.len(), 1);
}

#[test]
fn an_odd_name_hides_no_address() {
    let customer = json!({
        "id": "cus_17", "object": "customer", "email": "ada@example.org", "name": 7,
        "address": "Paris", "preferred_locales": null, "metadata": "x",
    });
    let event = event(0, "customer.created", customer);
    assert!(read(&event).is_unclear());
    let person = state(&[event]).person;
    assert_eq!(
        (person.email(), person.name()),
        (Some("ada@example.org"), None)
    );
}
