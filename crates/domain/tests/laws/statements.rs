//! Statements of one instant: what the provider says of each change tells their order.

use crate::lives::{at, customer, entry, id, reading, seen, stated, terms};
use domain::explain::{Verdict, explain};
use domain::fold::fold;
use domain::ids::PriceId;
use domain::reading::Reading;
use domain::terms::SubscriptionStatus::{Active, Canceled, Incomplete, PastDue, Trialing};
use domain::terms::{Before, SubscriptionStatus};

fn was(status: SubscriptionStatus) -> Option<Before> {
    Some(Before {
        status: Some(status),
        ..Before::default()
    })
}

fn status(readings: &[Reading]) -> SubscriptionStatus {
    fold(readings).subscriptions[&id("sub_1")].terms.status
}

#[test]
fn what_changed_from_incomplete_comes_after_what_is_incomplete() {
    // By rank and id the update to active would come first.
    let active = stated(seen("sub_1", terms(Active, "price_1"), was(Incomplete)));
    let created = stated(seen("sub_1", terms(Incomplete, "price_1"), None));
    let life = [
        reading("evt_1", 5, 30, vec![active]),
        reading("evt_2", 5, 36, vec![created]),
    ];
    assert_eq!(status(&life), Active);
}

#[test]
fn a_chain_of_changes_is_followed_from_the_terms_before_it() {
    let first = stated(seen("sub_1", terms(Active, "price_1"), None));
    let failed = stated(seen("sub_1", terms(PastDue, "price_1"), was(Active)));
    let paid = stated(seen("sub_1", terms(Active, "price_1"), was(PastDue)));
    // Ids in the wrong order: only the chain tells.
    let life = [
        reading("evt_1", 1, 30, vec![first]),
        reading("evt_2", 5, 36, vec![paid]),
        reading("evt_3", 5, 36, vec![failed]),
    ];
    assert_eq!(status(&life), Active);
}

#[test]
fn a_change_of_plan_is_told_by_the_plan_before() {
    let was_on = |price: &str| {
        let items = Some(vec![(PriceId::new(price), Some(1))]);
        Some(Before {
            items,
            ..Before::default()
        })
    };
    let first = stated(seen("sub_1", terms(Active, "price_a"), None));
    let b = stated(seen("sub_1", terms(Active, "price_b"), was_on("price_a")));
    let c = stated(seen("sub_1", terms(Active, "price_c"), was_on("price_b")));
    let life = [
        reading("evt_1", 1, 30, vec![first]),
        reading("evt_2", 5, 36, vec![c]),
        reading("evt_3", 5, 36, vec![b]),
    ];
    let state = fold(&life);
    let price = &state.subscriptions[&id("sub_1")].terms.items[0].price;
    assert_eq!(price.as_str(), "price_c");
}

#[test]
fn what_nothing_tells_apart_is_marked_ambiguous() {
    let first = stated(seen("sub_1", terms(Trialing, "price_1"), None));
    let one = stated(seen("sub_1", terms(Active, "price_1"), was(Trialing)));
    let other = stated(seen("sub_1", terms(PastDue, "price_1"), was(Trialing)));
    let life = [
        reading("evt_1", 1, 30, vec![first]),
        reading("evt_2", 5, 36, vec![one]),
        reading("evt_3", 5, 36, vec![other]),
    ];
    let state = fold(&life);
    assert!(state.subscriptions[&id("sub_1")].ambiguous);
    let journal: Vec<_> = life.into_iter().map(entry).collect();
    let verdicts: Vec<_> = explain(&journal, &state)
        .iter()
        .map(|told| told.verdict)
        .collect();
    assert_eq!(
        verdicts,
        [Verdict::Applied, Verdict::Ambiguous, Verdict::Ambiguous]
    );
}

#[test]
fn an_ended_subscription_stays_ended() {
    let ended = stated(seen("sub_1", terms(Canceled, "price_1"), None));
    let back = stated(seen("sub_1", terms(Active, "price_1"), was(PastDue)));
    let life = [
        reading("evt_1", 5, 90, vec![ended]),
        reading("evt_2", 9, 36, vec![back]),
    ];
    assert_eq!(status(&life), Canceled);
}

#[test]
fn an_end_of_the_same_instant_comes_last() {
    let ended = stated(seen("sub_1", terms(Canceled, "price_1"), None));
    let changed = stated(seen("sub_1", terms(Active, "price_1"), was(PastDue)));
    let life = [
        reading("evt_1", 5, 90, vec![ended]),
        reading("evt_2", 5, 36, vec![changed]),
    ];
    assert_eq!(status(&life), Canceled);
}

#[test]
fn an_end_of_the_same_instant_comes_last_too_where_nothing_came_before() {
    let ended = stated(seen("sub_1", terms(Canceled, "price_1"), None));
    let began = stated(seen("sub_1", terms(Active, "price_1"), was(Incomplete)));
    let life = [
        reading("evt_1", 5, 36, vec![began]),
        reading("evt_2", 5, 90, vec![ended]),
    ];
    let state = domain::fold::fold_whole(&life);
    let ended = state.subscriptions.values().next().unwrap();
    assert_eq!(ended.terms.status, Canceled);
    assert!(ended.activated_at.is_some(), "it ran before");
}

#[test]
fn a_tie_with_the_statement_a_record_rests_on_is_folded_from_the_journal() {
    use domain::record::{Record, Step};
    let active = entry(reading(
        "evt_1",
        5,
        30,
        vec![stated(seen(
            "sub_1",
            terms(Active, "price_1"),
            was(Incomplete),
        ))],
    ));
    let created = entry(reading(
        "evt_2",
        5,
        36,
        vec![stated(seen("sub_1", terms(Incomplete, "price_1"), None))],
    ));
    let Step::Next(record) = Record::new(customer()).advance(&[active], at(6)) else {
        panic!("the first entry of a customer needs no journal");
    };
    assert!(matches!(
        record.advance(&[created], at(6)),
        Step::ReadJournal
    ));
}
