//! What a record does not hold all at once: many effects, and what ended long ago.

use crate::scenarios::{
    at, customer, entry, new_event, subscription_fact, subscription_snapshot, terms,
};
use domain::ids::Reference;
use domain::record::{AdvanceOutcome, Effect, Entry, MAX_PENDING, Record};
use domain::state::fold::{fold, fold_with_all_payments};
use domain::subscription::closing::{ENDED_SUBSCRIPTIONS, MAX_SUBSCRIPTION_BYTES};
use domain::subscription::terms::SubscriptionStatus;
use std::collections::BTreeSet;
use std::sync::Arc;

fn naming(n: i64) -> Arc<Entry> {
    let mut event = new_event(&format!("evt_{n}"), n, 1, vec![]);
    let references =
        (0..3).map(|part| Reference::parse(format!("stripe/test/{part}_{n}")).unwrap());
    event.references = references.collect();
    entry(event)
}

fn aliases(record: &Record) -> BTreeSet<Reference> {
    let alias = |effect: &Effect| match effect {
        Effect::Alias(reference) => Some(reference.clone()),
        Effect::HandOver(_)
        | Effect::Letter(_)
        | Effect::Commission(_)
        | Effect::ReferralStatus(_)
        | Effect::FirstPayment(_) => None,
    };
    record.pending.iter().filter_map(alias).collect()
}

fn named(journal: &[Arc<Entry>]) -> BTreeSet<Reference> {
    let references = journal.iter().flat_map(|entry| &entry.event.references);
    references.cloned().collect()
}

#[test]
fn many_aliases_are_pending_a_few_at_a_time_and_none_is_left_out() {
    let journal: Vec<_> = (0..1_000).map(naming).collect();
    let mut record = Record::new(customer())
        .rebuild(&journal, &[], at(0))
        .unwrap();
    let mut set = BTreeSet::new();
    while record.owes() {
        assert!((1..=MAX_PENDING).contains(&record.pending.len()));
        set.extend(aliases(&record));
        record = record.cleared_with_next(&journal);
    }
    assert_eq!(set, named(&journal));
    assert!(record.rebuild(&journal, &[], at(0)).is_none());
}

#[test]
fn a_process_that_dies_between_two_pages_leaves_the_rest_to_the_next() {
    let mut journal: Vec<_> = (0..400).map(naming).collect();
    let mut record = Record::new(customer())
        .rebuild(&journal, &[], at(0))
        .unwrap();
    let mut set = BTreeSet::new();
    for n in 400.. {
        set.extend(aliases(&record));
        if !record.owes() {
            break;
        }
        // Its journal is gone with the process. Each time another event has come meanwhile: on
        // top, or found by whoever reads the journal.
        let new = naming(n);
        journal.push(new.clone());
        record = record.cleared();
        if n % 2 == 0
            && let AdvanceOutcome::Next(next) = record.advance(std::slice::from_ref(&new), at(0))
        {
            record = *next;
            set.extend(aliases(&record));
            record = record.cleared();
        }
        record = record.rebuild(&journal, &[new], at(0)).unwrap_or(record);
    }
    assert_eq!(set, named(&journal));
}

#[test]
fn a_batch_of_many_effects_is_written_in_pages_too() {
    let batch: Vec<_> = (0..200).map(naming).collect();
    let begun = Record::new(customer()).advance(&batch, at(0));
    assert!(matches!(begun, AdvanceOutcome::ReadJournal));
    let record = Record::new(customer())
        .rebuild(&batch, &batch, at(0))
        .unwrap();
    assert_eq!(record.pending.len(), MAX_PENDING);
    assert!(record.remainder.is_some());
}

fn subscription_event(n: i64, second: i64, status: SubscriptionStatus) -> Arc<Entry> {
    let snapshot = subscription_snapshot(&format!("sub_{n:05}"), terms(status, "price_1"), None);
    let name = format!("evt_{n}_{second}");
    entry(new_event(
        &name,
        second,
        1,
        vec![subscription_fact(snapshot)],
    ))
}

#[test]
fn subscriptions_that_ended_long_ago_leave_the_record_and_stay_ended() {
    let of_one = |n: i64| {
        let begins = subscription_event(n, 2 * n, SubscriptionStatus::Active);
        [
            begins,
            subscription_event(n, 2 * n + 1, SubscriptionStatus::Canceled),
        ]
    };
    let mut journal: Vec<_> = (0..1_100).flat_map(of_one).collect();
    let record = Record::new(customer())
        .rebuild(&journal, &[], at(0))
        .unwrap();
    let state = &record.folded.state;
    assert_eq!(state.subscriptions.len(), ENDED_SUBSCRIPTIONS);
    assert_eq!(state.closed_subscriptions, 1_100 - 24);
    assert!(
        state
            .subscriptions
            .keys()
            .any(|id| id.as_str() == "sub_01099")
    );
    let size = serde_json::to_string(&record).unwrap().len();
    assert!(size < 20_000, "{size} bytes");
    // Something comes late of one that left.
    let late = subscription_event(3, 9_000, SubscriptionStatus::Active);
    let on_top = record.advance(std::slice::from_ref(&late), at(0));
    assert!(
        matches!(on_top, AdvanceOutcome::ReadJournal),
        "it may have ended"
    );
    journal.push(late.clone());
    let next = record.rebuild(&journal, &[late], at(0)).unwrap();
    assert_eq!(next.folded.state, record.folded.state);
    let whole = fold_with_all_payments(journal.iter().map(|entry| &entry.event));
    assert_eq!(
        whole.subscriptions.len(),
        1_100,
        "who asks is shown all of them"
    );
}

#[test]
fn running_subscriptions_stay_until_there_is_no_room_for_all() {
    let running = |n| subscription_event(n, n, SubscriptionStatus::Active);
    let of = |count| -> Vec<_> { (0..count).map(running).collect() };
    let folded = |journal: &[Arc<Entry>]| fold(journal.iter().map(|entry| &entry.event));
    assert_eq!(folded(&of(200)).closed_subscriptions, 0);
    let state = folded(&of(1_100));
    assert_eq!(
        state.subscriptions.len() + state.closed_subscriptions as usize,
        1_100
    );
    let size = serde_json::to_string(&state).unwrap().len();
    assert!(size < MAX_SUBSCRIPTION_BYTES, "{size} bytes");
    assert!(
        state.subscriptions.len() > 200,
        "{}",
        state.subscriptions.len()
    );
}
