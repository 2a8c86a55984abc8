//! The welcome is due when a subscription runs and an address is known, within its window.

use crate::scenarios::{
    at, customer, email, entry, new_event, subscription_fact, subscription_snapshot, terms,
};
use domain::letter::Letter;
use domain::letter::plan::plan;
use domain::record::{AdvanceOutcome, Effect, Record};
use domain::state::fold::fold;
use domain::subscription::terms::SubscriptionStatus::{Active, Canceled, Incomplete};

const DAY: i64 = 86_400;

#[test]
fn it_is_due_once_the_subscription_runs_and_an_address_is_known() {
    let profile = new_event("evt_1", 0, 10, vec![email("ada@example.com")]);
    let waiting = new_event(
        "evt_2",
        1,
        30,
        vec![subscription_fact(subscription_snapshot(
            "sub_1",
            terms(Incomplete, "p"),
            None,
        ))],
    );
    let running = new_event(
        "evt_3",
        2,
        36,
        vec![subscription_fact(subscription_snapshot(
            "sub_1",
            terms(Active, "p"),
            None,
        ))],
    );
    assert!(plan(&fold([&profile, &waiting]), at(3)).due.is_empty());
    assert!(
        plan(&fold([&running]), at(3)).due.is_empty(),
        "nobody to write to"
    );
    let due = plan(&fold([&profile, &waiting, &running]), at(3)).due;
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].letter, &*due[0].cause), (Letter::Welcome, "sub_1"));
}

#[test]
fn a_subscription_that_began_long_ago_is_no_news() {
    let events = [
        new_event("evt_1", 0, 10, vec![email("ada@example.com")]),
        new_event(
            "evt_2",
            1,
            30,
            vec![subscription_fact(subscription_snapshot(
                "sub_1",
                terms(Active, "p"),
                None,
            ))],
        ),
    ];
    assert_eq!(plan(&fold(&events), at(7 * DAY - 1)).due.len(), 1);
    assert!(plan(&fold(&events), at(7 * DAY)).due.is_empty());
}

#[test]
fn an_ended_subscription_welcomes_nobody() {
    let events = [
        new_event("evt_1", 0, 10, vec![email("ada@example.com")]),
        new_event(
            "evt_2",
            1,
            30,
            vec![subscription_fact(subscription_snapshot(
                "sub_1",
                terms(Active, "p"),
                None,
            ))],
        ),
        new_event(
            "evt_3",
            2,
            90,
            vec![subscription_fact(subscription_snapshot(
                "sub_1",
                terms(Canceled, "p"),
                None,
            ))],
        ),
    ];
    assert!(plan(&fold(&events), at(3)).due.is_empty());
}

#[test]
fn it_is_decided_once_however_often_the_record_is_written() {
    let first = entry(new_event("evt_1", 0, 10, vec![email("ada@example.com")]));
    let second = entry(new_event(
        "evt_2",
        1,
        30,
        vec![subscription_fact(subscription_snapshot(
            "sub_1",
            terms(Active, "p"),
            None,
        ))],
    ));
    let third = entry(new_event("evt_3", 2, 12, vec![email("ada@example.org")]));
    let mut record = Record::new(customer());
    let mut decided = 0;
    for new in [first, second, third] {
        let AdvanceOutcome::Next(next) = record.advance(&[new], at(3)) else {
            panic!("in order")
        };
        let letters = next
            .pending
            .iter()
            .filter(|effect| matches!(effect, Effect::Letter(_)));
        decided += letters.count();
        record = next.cleared();
    }
    assert_eq!(decided, 1);
}
