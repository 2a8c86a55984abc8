//! Snapshots of one instant: what the provider says of each change gives their order.

use crate::scenarios::{
    at, customer, entry, id, new_event, subscription_fact, subscription_snapshot, terms,
};
use domain::event::NormalizedEvent;
use domain::ids::PriceId;
use domain::record::explain::{EventVerdict, explain};
use domain::state::fold::fold;
use domain::subscription::terms::SubscriptionStatus::{
    Active, Canceled, Incomplete, PastDue, Trialing,
};
use domain::subscription::terms::{PreviousAttributes, SubscriptionStatus};

fn changed_from(status: SubscriptionStatus) -> Option<PreviousAttributes> {
    Some(PreviousAttributes {
        status: Some(status),
        ..PreviousAttributes::default()
    })
}

fn status(events: &[NormalizedEvent]) -> SubscriptionStatus {
    fold(events).subscriptions[&id("sub_1")].terms.status
}

#[test]
fn what_changed_from_incomplete_comes_after_what_is_incomplete() {
    // By rank and id, the update to active comes first.
    let active = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_1"),
        changed_from(Incomplete),
    ));
    let created = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Incomplete, "price_1"),
        None,
    ));
    let events = [
        new_event("evt_1", 5, 30, vec![active]),
        new_event("evt_2", 5, 36, vec![created]),
    ];
    assert_eq!(status(&events), Active);
}

#[test]
fn a_chain_of_changes_is_followed_from_the_terms_before_it() {
    let first = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_1"),
        None,
    ));
    let failed = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(PastDue, "price_1"),
        changed_from(Active),
    ));
    let paid = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_1"),
        changed_from(PastDue),
    ));
    // The ids are in the wrong order. Only the chain of changes gives the right one.
    let events = [
        new_event("evt_1", 1, 30, vec![first]),
        new_event("evt_2", 5, 36, vec![paid]),
        new_event("evt_3", 5, 36, vec![failed]),
    ];
    assert_eq!(status(&events), Active);
}

#[test]
fn a_change_of_plan_is_ordered_by_the_plan_before() {
    let was_on = |price: &str| {
        let items = Some(vec![(PriceId::parse(price).unwrap(), Some(1))]);
        Some(PreviousAttributes {
            items,
            ..PreviousAttributes::default()
        })
    };
    let first = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_a"),
        None,
    ));
    let b = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_b"),
        was_on("price_a"),
    ));
    let c = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_c"),
        was_on("price_b"),
    ));
    let events = [
        new_event("evt_1", 1, 30, vec![first]),
        new_event("evt_2", 5, 36, vec![c]),
        new_event("evt_3", 5, 36, vec![b]),
    ];
    let state = fold(&events);
    let price = &state.subscriptions[&id("sub_1")].terms.items[0].price;
    assert_eq!(price.as_str(), "price_c");
}

#[test]
fn what_nothing_tells_apart_is_marked_ambiguous() {
    let first = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Trialing, "price_1"),
        None,
    ));
    let one = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_1"),
        changed_from(Trialing),
    ));
    let other = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(PastDue, "price_1"),
        changed_from(Trialing),
    ));
    let events = [
        new_event("evt_1", 1, 30, vec![first]),
        new_event("evt_2", 5, 36, vec![one]),
        new_event("evt_3", 5, 36, vec![other]),
    ];
    let state = fold(&events);
    assert!(state.subscriptions[&id("sub_1")].ambiguous);
    let journal: Vec<_> = events.into_iter().map(entry).collect();
    let verdicts: Vec<_> = explain(&journal, &state)
        .iter()
        .map(|event| event.verdict)
        .collect();
    assert_eq!(
        verdicts,
        [
            EventVerdict::Applied,
            EventVerdict::Ambiguous,
            EventVerdict::Ambiguous
        ]
    );
}

#[test]
fn an_ended_subscription_stays_ended() {
    let ended = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Canceled, "price_1"),
        None,
    ));
    let back = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_1"),
        changed_from(PastDue),
    ));
    let events = [
        new_event("evt_1", 5, 90, vec![ended]),
        new_event("evt_2", 9, 36, vec![back]),
    ];
    assert_eq!(status(&events), Canceled);
}

#[test]
fn an_end_of_the_same_instant_comes_last() {
    let ended = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Canceled, "price_1"),
        None,
    ));
    let changed = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_1"),
        changed_from(PastDue),
    ));
    let events = [
        new_event("evt_1", 5, 90, vec![ended]),
        new_event("evt_2", 5, 36, vec![changed]),
    ];
    assert_eq!(status(&events), Canceled);
}

#[test]
fn an_end_of_the_same_instant_comes_last_too_where_nothing_came_before() {
    let ended = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Canceled, "price_1"),
        None,
    ));
    let began = subscription_fact(subscription_snapshot(
        "sub_1",
        terms(Active, "price_1"),
        changed_from(Incomplete),
    ));
    let events = [
        new_event("evt_1", 5, 36, vec![began]),
        new_event("evt_2", 5, 90, vec![ended]),
    ];
    let state = domain::state::fold::fold_with_all_payments(&events);
    let ended = state.subscriptions.values().next().unwrap();
    assert_eq!(ended.terms.status, Canceled);
    assert!(ended.activated_at.is_some(), "it ran before");
}

#[test]
fn a_tie_with_the_snapshot_a_record_rests_on_is_folded_from_the_journal() {
    use domain::record::{AdvanceOutcome, Record};
    let active = entry(new_event(
        "evt_1",
        5,
        30,
        vec![subscription_fact(subscription_snapshot(
            "sub_1",
            terms(Active, "price_1"),
            changed_from(Incomplete),
        ))],
    ));
    let created = entry(new_event(
        "evt_2",
        5,
        36,
        vec![subscription_fact(subscription_snapshot(
            "sub_1",
            terms(Incomplete, "price_1"),
            None,
        ))],
    ));
    let AdvanceOutcome::Next(record) = Record::new(customer()).advance(&[active], at(6)) else {
        panic!("the first entry of a customer needs no journal");
    };
    assert!(matches!(
        record.advance(&[created], at(6)),
        AdvanceOutcome::ReadJournal
    ));
}

#[test]
fn a_chain_of_any_length_is_followed_whatever_its_events_are_called() {
    let step = |quantity: u64| {
        let mut now = terms(Active, "price_1");
        now.items[0].quantity = Some(quantity);
        let before = PreviousAttributes {
            items: Some(vec![(now.items[0].price.clone(), Some(quantity - 1))]),
            ..PreviousAttributes::default()
        };
        subscription_fact(subscription_snapshot("sub_1", now, Some(before)))
    };
    let first = subscription_snapshot("sub_1", terms(Active, "price_1"), None);
    assert_eq!(first.terms.items[0].quantity, Some(1));
    for length in [8, 40] {
        // The ids go up and down: 36 and 1 are apart in the list, and so on.
        let name = |n: u64| format!("evt_{:03}", n * 17 % 101);
        let mut events = vec![new_event(
            "evt_",
            1,
            30,
            vec![subscription_fact(first.clone())],
        )];
        events.extend((2..=length).map(|n| new_event(&name(n), 5, 36, vec![step(n)])));
        let state = fold(&events);
        let subscription = &state.subscriptions[&id("sub_1")];
        assert_eq!(subscription.terms.items[0].quantity, Some(length));
        assert!(!subscription.ambiguous);
    }
}

#[test]
fn eight_changes_of_which_two_are_alike_still_have_one_end() {
    let change = |to: SubscriptionStatus, from: SubscriptionStatus| {
        let now = terms(to, "price_1");
        subscription_fact(subscription_snapshot("sub_1", now, changed_from(from)))
    };
    let mut events = vec![new_event(
        "evt_0",
        1,
        30,
        vec![change(Trialing, Incomplete)],
    )];
    // There and back three times, then to the end of it.
    let turns = [(Active, Trialing), (PastDue, Active), (Active, PastDue)];
    let more = [(PastDue, Active), (Active, PastDue), (PastDue, Active)];
    let all = turns.into_iter().chain(more).chain([(Active, PastDue)]);
    for (n, (to, from)) in all.enumerate() {
        let name = format!("evt_{}", 9 - n);
        events.push(new_event(&name, 5, 36, vec![change(to, from)]));
    }
    let state = fold(&events);
    let subscription = &state.subscriptions[&id("sub_1")];
    assert_eq!(subscription.terms.status, Active);
    assert!(!subscription.ambiguous);
}
