//! Order and repetition change nothing.

use crate::scenarios::{any_scenario, at, customer, entry};
use domain::record::{AdvanceOutcome, Entry, Record};
use domain::state::fold::fold;
use proptest::prelude::*;
use std::sync::Arc;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn the_order_of_events_changes_nothing(
        (life, mixed) in any_scenario(14).prop_flat_map(|life| {
            (Just(life.clone()), Just(life).prop_shuffle())
        })
    ) {
        prop_assert_eq!(fold(&life), fold(&mixed));
    }

    #[test]
    fn a_repeated_event_changes_nothing(life in any_scenario(10), again in any::<prop::sample::Index>()) {
        let mut twice = life.clone();
        twice.push(life[again.index(life.len())].clone());
        prop_assert_eq!(fold(&life), fold(&twice));
    }

    #[test]
    fn a_record_grown_entry_by_entry_is_the_record_of_the_whole_journal(
        life in any_scenario(40).prop_shuffle()
    ) {
        let mut journal: Vec<Arc<Entry>> = Vec::new();
        let mut record = Record::new(customer());
        for reading in life {
            let new = entry(reading);
            journal.push(new.clone());
            record = grown(&record, &journal, &[new]);
        }
        let whole = Record::new(customer()).rebuild(&journal, &[], at(0)).unwrap();
        prop_assert_eq!(&record.folded, &whole.folded);
        prop_assert!(record.rebuild(&journal, &[], at(0)).is_none());
    }

    #[test]
    fn a_record_is_the_same_after_a_stay_in_the_table(life in any_scenario(14)) {
        let journal: Vec<_> = life.into_iter().map(entry).collect();
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
    let record = grown(
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
        record = grown(&record, &journal, std::slice::from_ref(new));
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

fn grown(record: &Record, journal: &[Arc<Entry>], new: &[Arc<Entry>]) -> Record {
    match record.advance(new, at(0)) {
        AdvanceOutcome::AlreadyFolded => record.clone(),
        AdvanceOutcome::Next(next) => *next,
        AdvanceOutcome::ReadJournal => record
            .rebuild(journal, new, at(0))
            .unwrap_or_else(|| record.clone()),
    }
}
