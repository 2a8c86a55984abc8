//! The order and the repetition of events change nothing.

use crate::scenarios::{any_scenario, at, customer, entry};
use domain::record::{AdvanceOutcome, Entry, Record};
use domain::state::fold::fold;
use proptest::prelude::*;
use std::sync::Arc;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn the_order_of_events_changes_nothing(
        (events, mixed) in any_scenario(14).prop_flat_map(|events| {
            (Just(events.clone()), Just(events).prop_shuffle())
        })
    ) {
        prop_assert_eq!(fold(&events), fold(&mixed));
    }

    #[test]
    fn a_repeated_event_changes_nothing(events in any_scenario(10), again in any::<prop::sample::Index>()) {
        let mut twice = events.clone();
        twice.push(events[again.index(events.len())].clone());
        prop_assert_eq!(fold(&events), fold(&twice));
    }

    #[test]
    fn a_record_grown_entry_by_entry_is_the_record_of_the_whole_journal(
        events in any_scenario(40).prop_shuffle()
    ) {
        let mut journal: Vec<Arc<Entry>> = Vec::new();
        let mut record = Record::new(customer());
        for event in events {
            let new = entry(event);
            journal.push(new.clone());
            record = advanced(&record, &journal, &[new]);
        }
        let whole = Record::new(customer()).rebuild(&journal, &[], at(0)).unwrap();
        prop_assert_eq!(&record.folded, &whole.folded);
        prop_assert!(record.rebuild(&journal, &[], at(0)).is_none());
    }

    #[test]
    fn a_record_is_the_same_after_a_stay_in_the_table(events in any_scenario(14)) {
        let journal: Vec<_> = events.into_iter().map(entry).collect();
        let record = Record::new(customer()).rebuild(&journal, &journal, at(0)).unwrap();
        let text = serde_json::to_string(&record).unwrap();
        prop_assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }
}

#[test]
fn an_entry_in_the_ring_is_not_folded_again() {
    let new = entry(crate::scenarios::new_event(
        "evt_1",
        1,
        1,
        vec![crate::scenarios::email("a@b.c")],
    ));
    let record = advanced(
        &Record::new(customer()),
        std::slice::from_ref(&new),
        std::slice::from_ref(&new),
    );
    assert!(matches!(
        record.advance(&[new], at(2)),
        AdvanceOutcome::AlreadyFolded
    ));
}

#[test]
fn an_entry_long_folded_and_forgotten_by_the_ring_changes_nothing() {
    let journal: Vec<_> = (0..100)
        .map(|n| {
            let facts = vec![crate::scenarios::email(&format!("{n}@b.c"))];
            entry(crate::scenarios::new_event(
                &format!("evt_{n}"),
                n,
                1,
                facts,
            ))
        })
        .collect();
    let mut record = Record::new(customer());
    for new in &journal {
        record = advanced(&record, &journal, std::slice::from_ref(new));
    }
    assert!(
        !record.remembers(journal[3].digest),
        "the ring forgot it long ago"
    );
    assert!(matches!(
        record.advance(&journal[3..4], at(2)),
        AdvanceOutcome::ReadJournal
    ));
    assert!(record.rebuild(&journal, &journal[3..4], at(2)).is_none());
}

fn advanced(record: &Record, journal: &[Arc<Entry>], new: &[Arc<Entry>]) -> Record {
    match record.advance(new, at(0)) {
        AdvanceOutcome::AlreadyFolded => record.clone(),
        AdvanceOutcome::Next(next) => *next,
        AdvanceOutcome::ReadJournal => record
            .rebuild(journal, new, at(0))
            .unwrap_or_else(|| record.clone()),
    }
}
