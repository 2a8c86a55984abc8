//! What money that goes back, and a pause, do to what may be used: step by step in the payloads of
//! several providers, their scenarios' events bent to the case.

use super::entitlements::{events_of, in_short, shop};
use crate::Provider;
use domain::entitlement::check;
use domain::event::NormalizedEvent;
use domain::state::fold::fold;
use serde_json::{Value, json};

/// One step: the event of the scenario or the fixture it is made of, what is other in it (place and
/// value), and the answer about `export` after it.
type Step = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// A provider's name, how many events of its scenario come first, and the steps after them.
type Story = (&'static str, usize, &'static [Step]);

const STORIES: &[Story] = &[
    (
        "stripe",
        7,
        &[
            (
                "16-refund.updated",
                &[
                    ("/id", "evt_1"),
                    ("/created", "1771200000"),
                    ("/data/object/id", "re_1"),
                    ("/data/object/created", "1771200000"),
                    ("/data/object/charge", "null"),
                    ("/data/object/payment_intent", "pi_Life02"),
                ],
                "yes in_plan",
            ),
            (
                "17-charge.dispute.created",
                &[
                    ("/id", "evt_2"),
                    ("/created", "1771200060"),
                    ("/data/object/charge", "null"),
                ],
                "no disputed",
            ),
            (
                "19-charge.dispute.closed",
                &[
                    ("/id", "evt_3"),
                    ("/created", "1771200120"),
                    ("/data/object/charge", "null"),
                    ("/data/object/status", "won"),
                ],
                "yes in_plan",
            ),
            (
                "16-refund.updated",
                &[
                    ("/id", "evt_4"),
                    ("/created", "1771200180"),
                    ("/data/object/id", "re_2"),
                    ("/data/object/created", "1771200180"),
                    ("/data/object/charge", "null"),
                    ("/data/object/payment_intent", "pi_Life02"),
                    ("/data/object/amount", "720"),
                ],
                "no refunded",
            ),
        ],
    ),
    (
        "polar",
        6,
        &[
            (
                "18-refund.updated",
                &[
                    ("/timestamp", "2026-01-20T10:00:00Z"),
                    ("/data/order_id", "order-7e00-01"),
                ],
                "yes in_plan",
            ),
            (
                "18-refund.updated",
                &[
                    ("/timestamp", "2026-01-21T10:00:00Z"),
                    ("/data/order_id", "order-7e00-01"),
                    ("/data/id", "refund-7e00-2"),
                    ("/data/amount", "600"),
                    ("/data/tax_amount", "120"),
                ],
                "no refunded",
            ),
            (
                "18-refund.updated",
                &[
                    ("/timestamp", "2026-01-22T10:00:00Z"),
                    ("/data/order_id", "order-7e00-01"),
                    ("/data/id", "refund-7e00-2"),
                    ("/data/amount", "600"),
                    ("/data/tax_amount", "120"),
                    ("/data/status", "failed"),
                ],
                "yes in_plan",
            ),
        ],
    ),
    (
        "paddle",
        8,
        &[
            (
                "19-adjustment.updated-approved",
                &[
                    ("/event_id", "evt_1"),
                    ("/occurred_at", "2026-01-20T10:00:00.000000Z"),
                    ("/data/transaction_id", "txn_01kgrove100000000000000000"),
                ],
                "yes in_plan",
            ),
            (
                "20-adjustment.created-chargeback",
                &[
                    ("/event_id", "evt_2"),
                    ("/occurred_at", "2026-01-21T10:00:00.000000Z"),
                    ("/data/transaction_id", "txn_01kgrove100000000000000000"),
                ],
                "no disputed",
            ),
            (
                "adjustment.created-chargeback-reverse",
                &[
                    ("/event_id", "evt_3"),
                    ("/occurred_at", "2026-01-22T10:00:00.000000Z"),
                ],
                "yes in_plan",
            ),
            (
                "19-adjustment.updated-approved",
                &[
                    ("/event_id", "evt_4"),
                    ("/occurred_at", "2026-01-23T10:00:00.000000Z"),
                    ("/data/transaction_id", "txn_01kgrove100000000000000000"),
                    ("/data/id", "adj_2"),
                    ("/data/totals/total", "\"720\""),
                ],
                "no refunded",
            ),
        ],
    ),
    (
        "standard",
        4,
        &[
            (
                "13-refund.created",
                &[
                    ("/timestamp", "2026-01-20T10:00:00Z"),
                    ("/data/payment", "pay_Grove01"),
                ],
                "yes in_plan",
            ),
            (
                "15-dispute.created",
                &[
                    ("/timestamp", "2026-01-21T10:00:00Z"),
                    ("/data/payment", "pay_Grove01"),
                ],
                "no disputed",
            ),
            (
                "17-dispute.updated",
                &[
                    ("/timestamp", "2026-01-22T10:00:00Z"),
                    ("/data/payment", "pay_Grove01"),
                    ("/data/status", "won"),
                ],
                "yes in_plan",
            ),
            (
                "13-refund.created",
                &[
                    ("/timestamp", "2026-01-23T10:00:00Z"),
                    ("/data/payment", "pay_Grove01"),
                    ("/data/refund", "re_2"),
                    ("/data/amount", "720"),
                ],
                "no refunded",
            ),
        ],
    ),
];

#[test]
fn refunds_and_disputes_change_what_may_be_used_step_by_step() {
    for (name, before, steps) in STORIES {
        let provider = crate::provider(name).expect("is in the list");
        let scenario = provider.scenario();
        let first = scenario.iter().take(*before);
        let mut known: Vec<NormalizedEvent> = first
            .flat_map(|(name, body)| events_of(provider, &format!("scenario/{name}"), body))
            .collect();
        assert_eq!(export(&known), "yes in_plan", "{name}");
        for (event, changes, expected) in *steps {
            let told = bent(provider, event, changes);
            known.extend(events_of(provider, &format!("scenario/{event}"), &told));
            let mut backwards = known.clone();
            backwards.reverse();
            assert_eq!(export(&known), *expected, "{name} {event} {changes:?}");
            assert_eq!(
                export(&backwards),
                *expected,
                "{name} {event} in another order"
            );
        }
    }
}

#[test]
fn a_pause_stops_what_may_be_used_until_it_is_over() {
    let stops = "no paused";
    let fixtures = [
        ("stripe", "customer.subscription.paused", stops),
        ("stripe", "customer.subscription.resumed", "yes in_plan"),
        (
            "stripe",
            "customer.subscription.updated-collection-paused",
            "yes in_plan",
        ),
        ("paddle", "subscription.paused", stops),
        ("paddle", "subscription.resumed", "yes in_plan"),
        ("polar", "subscription.paused", stops),
        ("polar", "subscription.resumed", "yes in_plan"),
        ("gocardless", "subscriptions.paused", stops),
        ("gocardless", "subscriptions.resumed", "yes in_plan"),
        ("standard", "subscription.updated-paused", "yes in_plan"),
    ];
    for (name, fixture, expected) in fixtures {
        let provider = crate::provider(name).expect("is in the list");
        let body = bent(provider, fixture, &[]);
        let events = events_of(provider, fixture, &body);
        assert_eq!(export(&events), expected, "{name} {fixture}");
    }
}

/// Whether there is `export` after these events, in a few words.
fn export(known: &[NormalizedEvent]) -> String {
    let now = known.iter().map(|event| event.occurred_at).max();
    let now = now.expect("there are some");
    in_short(&check(&fold(known), &shop(), "export", None, now))
}

/// The event of a scenario, or the fixture of this name, with changes: a place, and text or JSON.
fn bent(provider: &Provider, name: &str, changes: &[(&str, &str)]) -> String {
    let scenario = provider.scenario().iter();
    let mut told = scenario.filter(|(event, _)| *event == name);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let path = format!("{folder}/{}/{name}.json", provider.name());
    let body = match told.next() {
        Some((_, body)) => (*body).to_owned(),
        None => std::fs::read_to_string(path).expect("is there"),
    };
    let mut body: Value = serde_json::from_str(&body).expect("is JSON");
    for (place, text) in changes {
        let value = serde_json::from_str(text).unwrap_or(json!(text));
        *body.pointer_mut(place).expect("is there") = value;
    }
    body.to_string()
}
