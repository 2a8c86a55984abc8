//! Pages of the table in memory: short ones and empty ones, and nothing is lost between them.

use crate::memory::journal;
use crate::support::customer;
use store::items::{JOURNAL, customer_partition};
use store::memory::{Paging, TableAnswer, TableRequest, TableState};
use store::{Item, WriteCondition};

#[test]
fn drawn_pages_hold_one_to_five_and_some_of_them_none_and_lose_nothing() {
    let partition = customer_partition(&customer(1));
    let mut lengths = [0; 6];
    for seed in 0..200 {
        let mut state = TableState::with_paging(Paging::Drawn(seed));
        for n in 0..9 {
            state.apply(TableRequest::Put(journal(1, n), WriteCondition::Absent));
            state.apply(TableRequest::Put(journal(2, n), WriteCondition::Absent));
        }
        for scans in [false, true] {
            let (mut after, mut keys) = (None, Vec::new());
            loop {
                let request = match scans {
                    true => TableRequest::Scan(after, 100),
                    false => TableRequest::Query((*partition).into(), JOURNAL.into(), after),
                };
                let TableAnswer::Page(page) = state.apply(request) else {
                    panic!("a page")
                };
                if page.next.is_some() {
                    lengths[page.items.len()] += 1;
                }
                keys.extend(page.items.iter().map(Item::key));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(keys.len(), if scans { 18 } else { 9 }, "seed {seed}");
        }
    }
    assert!(lengths.iter().all(|pages| *pages > 20), "{lengths:?}");
}

#[test]
fn what_comes_between_two_pages_is_found_behind_them_and_what_left_is_not() {
    let mut state = TableState::with_paging(Paging::AtMost(1));
    for n in [1, 3, 5] {
        state.apply(TableRequest::Put(journal(1, n), WriteCondition::Absent));
    }
    let partition = customer_partition(&customer(1));
    let query = |after| TableRequest::Query((*partition).into(), JOURNAL.into(), after);
    let (mut after, mut keys) = (None, Vec::new());
    loop {
        let TableAnswer::Page(page) = state.apply(query(after)) else {
            panic!("a page")
        };
        keys.extend(page.items.iter().map(Item::key));
        after = page.next;
        if after.is_none() {
            break;
        }
        if keys.len() == 1 {
            state.apply(TableRequest::Delete(journal(1, 3).key()));
            for n in [0, 4] {
                state.apply(TableRequest::Put(journal(1, n), WriteCondition::Absent));
            }
        }
    }
    assert_eq!(keys, [1, 4, 5].map(|n| journal(1, n).key()));
}
