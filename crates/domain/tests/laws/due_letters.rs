//! Letters: which are due in a state, from when, and what makes them no longer due.

use crate::scenarios::{
    at, email, eur, id, new_event, subscription_fact, subscription_snapshot, terms,
};
use domain::event::{Fact, NormalizedEvent};
use domain::letter::plan::{Plan, plan, subject};
use domain::letter::{Letter, LetterClass};
use domain::payment::snapshot::{InvoiceSnapshot, InvoiceState, NextAttempt};
use domain::state::fold::fold;
use domain::subscription::terms::SubscriptionStatus::{
    Active, Canceled, Incomplete, IncompleteExpired, PastDue, Trialing,
};
use domain::subscription::terms::{Period, SubscriptionSnapshot, SubscriptionStatus};

pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;

#[test]
fn a_failed_payment_causes_a_letter_at_the_first_failure_and_not_at_the_second() {
    let mut events = renewing(Active);
    events.push(invoice("f1", 30 * DAY, InvoiceState::Failed));
    assert_eq!(
        letters(&events, 30 * DAY),
        [(Letter::PaymentFailed, "in_1")]
    );
    events.push(invoice("f2", 32 * DAY, InvoiceState::Failed));
    let due = due(&events, 32 * DAY).due;
    assert_eq!(due.len(), 1);
    assert_eq!(
        due[0].caused_at,
        at(30 * DAY),
        "the first failure stays the cause"
    );
    assert!(
        letters(&events, 33 * DAY).is_empty(),
        "three days later it is no news"
    );
}

#[test]
fn a_payment_that_waits_for_its_customer_causes_a_letter_too() {
    let mut events = renewing(Active);
    events.push(invoice("f1", 30 * DAY, InvoiceState::ActionRequired));
    assert_eq!(
        letters(&events, 30 * DAY),
        [(Letter::PaymentFailed, "in_1")]
    );
}

#[test]
fn a_recovered_payment_causes_a_letter_and_its_failure_does_not() {
    let mut events = renewing(Active);
    events.push(invoice("f1", 30 * DAY, InvoiceState::Failed));
    events.push(invoice("p1", 32 * DAY, InvoiceState::Paid));
    let due = due(&events, 32 * DAY).due;
    assert_eq!(due.len(), 1);
    assert_eq!(
        (due[0].letter, &*due[0].cause),
        (Letter::PaymentRecovered, "in_1")
    );
    assert_eq!(due[0].caused_at, at(32 * DAY));
    assert!(letters(&events, 35 * DAY).is_empty());
}

#[test]
fn what_is_paid_by_the_subscriptions_own_name_settles_all_that_failed_of_it_before() {
    let failed = InvoiceState::Failed;
    let events = [
        invoice_of("v1", 10 * DAY, ["in_0", "sub_1"], failed),
        invoice_of("v2", 11 * DAY, ["in_0", "sub_1"], InvoiceState::Voided),
        invoice_of("f1", 30 * DAY, ["in_1", "sub_1"], failed),
        invoice_of("f2", 31 * DAY, ["in_2", "sub_2"], failed),
        invoice_of("p1", 32 * DAY, ["sub_1", "sub_1"], InvoiceState::Paid),
        invoice_of("f3", 60 * DAY, ["in_3", "sub_1"], failed),
    ];
    let state = fold(&events);
    let settled = |name| {
        let invoice = &state.invoices[&id(name)];
        (invoice.state, invoice.settled_at)
    };
    assert_eq!(settled("in_0"), (InvoiceState::Voided, Some(at(11 * DAY))));
    assert_eq!(settled("in_1"), (InvoiceState::Paid, Some(at(32 * DAY))));
    assert_eq!(settled("in_2"), (failed, None), "another subscription's");
    assert_eq!(settled("in_3"), (failed, None), "it failed later");
    assert_eq!(state.invoices.len(), 4);
}

#[test]
fn a_payment_that_never_failed_recovers_from_nothing() {
    let mut events = renewing(Active);
    events.push(invoice("p1", 30 * DAY, InvoiceState::Paid));
    assert!(letters(&events, 30 * DAY).is_empty());
}

#[test]
fn an_invoice_taken_back_or_given_up_is_neither_failed_nor_recovered() {
    for given_up in [InvoiceState::Voided, InvoiceState::Uncollectible] {
        let mut events = renewing(Active);
        events.push(invoice("f1", 30 * DAY, InvoiceState::Failed));
        events.push(invoice("v1", 30 * DAY + HOUR, given_up));
        assert!(letters(&events, 30 * DAY + HOUR).is_empty());
    }
}

#[test]
fn a_first_payment_is_left_to_the_checkout_page() {
    let mut events = vec![profile_event()];
    events.push(subscription_event("s1", 0, |snapshot| {
        snapshot.terms.status = Incomplete
    }));
    events.push(invoice("f1", HOUR, InvoiceState::Failed));
    assert!(letters(&events, HOUR).is_empty());
    events.push(invoice("p1", 2 * HOUR, InvoiceState::Paid));
    events.push(subscription_event("s2", 2 * HOUR, |_| ()));
    assert_eq!(letters(&events, 2 * HOUR), [(Letter::Welcome, "sub_1")]);
}

#[test]
fn an_end_that_was_asked_for_is_confirmed_with_its_moment() {
    let mut events = renewing(Active);
    events.push(end_requested("c1", 40 * DAY, 60 * DAY));
    assert_eq!(letters(&events, 40 * DAY), [confirmed(1)]);
    let letter = &due(&events, 40 * DAY).due[0];
    assert_eq!(subject(letter.letter, &letter.cause), "sub_1");
    assert!(letters(&events, 47 * DAY).is_empty());
    let ended = fold(&events).subscriptions[&id("sub_1")].ends_at();
    assert_eq!(ended, Some(at(60 * DAY)));
}

#[test]
fn a_letter_is_about_the_whole_id_of_its_object_whatever_signs_are_in_it() {
    for letter in [Letter::PaymentFailed, Letter::PaymentRecovered] {
        assert_eq!(subject(letter, "sub_1@2026-01-01"), "sub_1@2026-01-01");
    }
    let ends = subject(Letter::TrialEnding, "sub@1@2026-01-01");
    assert_eq!(ends, "sub@1");
}

#[test]
fn an_end_taken_back_is_not_confirmed_and_asked_for_again_is_confirmed_again() {
    let mut events = renewing(Active);
    events.push(end_requested("c1", 40 * DAY, 60 * DAY));
    events.push(subscription_event("c2", 40 * DAY + HOUR, |_| ()));
    assert!(letters(&events, 40 * DAY + HOUR).is_empty());
    events.push(end_requested("c3", 41 * DAY, 60 * DAY));
    assert_eq!(letters(&events, 41 * DAY), [confirmed(2)]);
}

#[test]
fn an_end_that_comes_as_confirmed_is_no_second_cause() {
    let mut events = renewing(Active);
    events.push(end_requested("c1", 40 * DAY, 42 * DAY));
    events.push(subscription_event("c2", 42 * DAY + 5, |snapshot| {
        snapshot.terms.status = Canceled;
        snapshot.canceled_at = Some(at(40 * DAY));
        snapshot.ended_at = Some(at(42 * DAY + 3));
    }));
    assert_eq!(letters(&events, 42 * DAY + 5), [confirmed(1)]);
}

#[test]
fn an_end_that_nobody_dates_counts_from_the_first_snapshot_of_it() {
    let ending = |name: &str, second| {
        subscription_event(name, second, |snapshot| {
            snapshot.terms.cancel_at = Some(at(60 * DAY));
            snapshot.end_requested = true;
        })
    };
    let ended = subscription_event("c9", 60 * DAY, |snapshot| {
        snapshot.terms.status = Canceled;
        snapshot.end_requested = true;
    });
    let mut events = renewing(Active);
    events.push(ending("c1", 40 * DAY));
    events.push(ending("c2", 41 * DAY));
    assert_eq!(letters(&events, 41 * DAY), [confirmed(1)]);
    let mut whole = events.clone();
    whole.push(ended.clone());
    assert_eq!(letters(&whole, 41 * DAY), [confirmed(1)]);
    events.push(subscription_event("c3", 42 * DAY, |_| ()));
    assert!(letters(&events, 42 * DAY).is_empty());
    events.push(ending("c4", 43 * DAY));
    assert_eq!(letters(&events, 43 * DAY), [confirmed(2)]);
    // If the first snapshot already shows the end, the time of the request is unknown.
    let late = vec![
        profile_event(),
        ending("c5", 44 * DAY),
        ending("c6", 45 * DAY),
    ];
    assert!(letters(&late, 45 * DAY).is_empty());
    assert!(letters(&[profile_event(), ended], 60 * DAY).is_empty());
}

#[test]
fn an_end_at_once_is_confirmed() {
    let mut events = renewing(Active);
    events.push(subscription_event("c1", 40 * DAY, |snapshot| {
        snapshot.terms.status = Canceled;
        snapshot.canceled_at = Some(at(40 * DAY));
        snapshot.ended_at = Some(at(40 * DAY));
    }));
    assert_eq!(letters(&events, 40 * DAY), [confirmed(1)]);
}

#[test]
fn an_end_agreed_with_the_start_is_a_fixed_term() {
    let mut events = vec![profile_event()];
    events.push(subscription_event("s1", 0, |snapshot| {
        snapshot.terms.cancel_at = Some(at(90 * DAY));
        snapshot.canceled_at = Some(at(0));
    }));
    assert_eq!(letters(&events, HOUR), [(Letter::Welcome, "sub_1")]);
}

#[test]
fn what_never_began_is_not_confirmed_to_have_ended() {
    for end in [Canceled, IncompleteExpired] {
        let mut events = vec![profile_event()];
        events.push(subscription_event("s1", 0, |snapshot| {
            snapshot.terms.status = Incomplete
        }));
        events.push(subscription_event("s2", 23 * HOUR, |snapshot| {
            snapshot.terms.status = end;
            snapshot.canceled_at = Some(at(23 * HOUR));
            snapshot.ended_at = Some(at(23 * HOUR));
        }));
        assert!(letters(&events, 23 * HOUR).is_empty(), "{end:?}");
    }
}

#[test]
fn a_trials_end_is_announced_three_days_before_and_looked_for_then() {
    let events = trial(14 * DAY, |_| ());
    let early = due(&events, 11 * DAY - 1);
    assert!(early.due.is_empty());
    assert_eq!(early.next_due_at, Some(at(11 * DAY)));
    let then = due(&events, 11 * DAY);
    assert_eq!(then.due.len(), 1);
    assert_eq!(then.due[0].letter, Letter::TrialEnding);
    assert_eq!(then.next_due_at, None);
    assert!(letters(&events, 14 * DAY).is_empty(), "too late to say so");
}

#[test]
fn a_trial_that_is_set_to_end_or_became_paid_announces_nothing() {
    for change in [
        (|snapshot: &mut SubscriptionSnapshot| snapshot.terms.cancel_at_period_end = true)
            as fn(&mut _),
        |snapshot| snapshot.terms.cancel_at = Some(at(14 * DAY)),
        |snapshot| snapshot.terms.status = Active,
        |snapshot| snapshot.terms.status = PastDue,
    ] {
        let plan = due(&trial(14 * DAY, change), 11 * DAY);
        assert_eq!(plan, Plan::default());
    }
}

#[test]
fn a_trial_made_longer_is_announced_by_its_new_end() {
    let mut events = trial(14 * DAY, |_| ());
    let first = due(&events, 11 * DAY).due;
    events.push(subscription_event("t2", 12 * DAY, |snapshot| {
        trialing(snapshot, 28 * DAY)
    }));
    assert_eq!(due(&events, 12 * DAY).next_due_at, Some(at(25 * DAY)));
    let second = due(&events, 25 * DAY).due;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first[0].cause, second[0].cause);
}

#[test]
fn a_short_trial_is_not_announced_together_with_its_welcome() {
    let short = trial(2 * DAY, |_| ());
    assert_eq!(letters(&short, HOUR), [(Letter::Welcome, "sub_1")]);
    assert_eq!(due(&short, HOUR).next_due_at, Some(at(DAY)));
    assert_eq!(
        due(&short, DAY).due.len(),
        2,
        "the welcome went out a day ago"
    );
    let shortest = trial(DAY, |_| ());
    assert_eq!(letters(&shortest, HOUR), [(Letter::Welcome, "sub_1")]);
    assert_eq!(
        due(&shortest, HOUR).next_due_at,
        None,
        "the welcome named the end"
    );
}

#[test]
fn nobody_to_write_to_is_nobody_to_look_for() {
    let events = &trial(14 * DAY, |_| ())[1..];
    assert_eq!(due(events, HOUR), Plan::default());
}

#[test]
fn each_letter_is_found_by_its_name_and_only_the_welcome_may_be_refused() {
    for letter in Letter::ALL {
        assert_eq!(Letter::parse(letter.as_str()), Some(letter));
        let refusable = letter.class() == LetterClass::Engagement;
        assert_eq!(refusable, letter == Letter::Welcome, "{letter:?}");
    }
}

pub(crate) fn due(events: &[NormalizedEvent], now: i64) -> Plan {
    plan(&fold(events), at(now))
}

pub(crate) fn letters(events: &[NormalizedEvent], now: i64) -> Vec<(Letter, &'static str)> {
    let due = due(events, now).due;
    due.into_iter()
        .map(|due| (due.letter, String::from(&*due.cause).leak() as &str))
        .collect()
}

pub(crate) fn confirmed(number: u32) -> (Letter, &'static str) {
    let cause = format!("sub_1@{number}").leak();
    (Letter::CancellationConfirmed, cause)
}

pub(crate) fn profile_event() -> NormalizedEvent {
    new_event("evt_known", 0, 10, vec![email("ada@example.com")])
}

/// A customer whose subscription is old: the welcome's window closed weeks ago.
pub(crate) fn renewing(status: SubscriptionStatus) -> Vec<NormalizedEvent> {
    vec![
        profile_event(),
        subscription_event("s1", 1, |snapshot| snapshot.terms.status = status),
    ]
}

pub(crate) fn trial(length: i64, change: fn(&mut SubscriptionSnapshot)) -> Vec<NormalizedEvent> {
    let begun = subscription_event("t1", 1, |snapshot| {
        trialing(snapshot, length);
        change(snapshot);
    });
    vec![profile_event(), begun]
}

fn trialing(snapshot: &mut SubscriptionSnapshot, length: i64) {
    snapshot.terms.status = Trialing;
    snapshot.terms.trial = Some(Period {
        start: at(0),
        end: at(length),
    });
}

fn end_requested(name: &str, second: i64, end: i64) -> NormalizedEvent {
    subscription_event(name, second, |snapshot| {
        snapshot.terms.cancel_at = Some(at(end));
        snapshot.terms.cancel_at_period_end = true;
        snapshot.canceled_at = Some(at(second));
    })
}

pub(crate) fn subscription_event(
    name: &str,
    second: i64,
    change: impl FnOnce(&mut SubscriptionSnapshot),
) -> NormalizedEvent {
    let mut snapshot = subscription_snapshot("sub_1", terms(Active, "p"), None);
    change(&mut snapshot);
    new_event(
        &format!("evt_{name}"),
        second,
        30,
        vec![subscription_fact(snapshot)],
    )
}

pub(crate) fn invoice(name: &str, second: i64, state: InvoiceState) -> NormalizedEvent {
    invoice_of(name, second, ["in_1", "sub_1"], state)
}

pub(crate) fn invoice_of(
    name: &str,
    second: i64,
    ids: [&str; 2],
    state: InvoiceState,
) -> NormalizedEvent {
    let [invoice, subscription] = ids;
    let snapshot = InvoiceSnapshot {
        id: id(invoice),
        subscription: Some(id(subscription)),
        state,
        due: eur(2880),
        attempts: 1,
        next_attempt: NextAttempt::Unknown,
        paid: (state == InvoiceState::Paid).then(|| eur(2400)),
    };
    new_event(
        &format!("evt_{name}"),
        second,
        40,
        vec![Fact::Invoice(snapshot)],
    )
}
