//! An index looks at few payments.

use super::{Indexed, PaymentIndex};
use crate::ids::ObjectId;
use std::cell::Cell;
use std::collections::BTreeSet;

thread_local! {
    /// How many ids of payments were looked at.
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

struct CountedPayment(BTreeSet<ObjectId>);

impl Indexed for CountedPayment {
    fn ids(&self) -> impl ExactSizeIterator<Item = &ObjectId> {
        self.0
            .iter()
            .inspect(|_| LOOKS.set(LOOKS.get().saturating_add(1)))
    }

    fn parts(&self) -> impl Iterator<Item = &ObjectId> {
        std::iter::empty()
    }

    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

fn id(kind: &str, n: usize) -> ObjectId {
    ObjectId::parse(format!("{kind}_{n}")).unwrap()
}

/// The list that these events make, each with the ids that it names, and how many were looked at.
fn united(events: impl IntoIterator<Item = Vec<ObjectId>>) -> (Vec<CountedPayment>, u64) {
    LOOKS.set(0);
    let (mut index, mut list) = (PaymentIndex::default(), Vec::new());
    for ids in events {
        let new = || CountedPayment(BTreeSet::new());
        let place = index.unite(&mut list, &ids, None, new);
        list[place].0.extend(ids);
    }
    (list, LOOKS.get())
}

#[test]
fn ten_thousand_payments_are_looked_at_a_few_times_each() {
    let event = |n: usize, kinds: [&str; 2]| kinds.map(|kind| id(kind, n)).to_vec();
    let tell = |kinds| (0..10_000).map(move |n| event(n, kinds));
    // Told in turn, and once more when all of them are there.
    let (list, looks) = united(tell(["in", "pi"]).chain(tell(["pi", "ch"])));
    assert_eq!(list.len(), 10_000);
    assert!(looks < 50_000, "{looks} ids of 10,000 payments");
}

#[test]
fn payments_that_become_one_are_looked_at_a_few_times_each() {
    // Ten thousand payments by themselves, and then pairs, pairs of pairs, until there is one.
    let alone = (0..8_192).map(|n| vec![id("pi", n)]);
    let steps = (0..13).map(|power| 1_usize << power);
    let pairs = steps.flat_map(|step| {
        let firsts = (0..8_192).step_by(2 * step);
        firsts.map(move |n| vec![id("pi", n), id("pi", n + step)])
    });
    let (list, looks) = united(alone.chain(pairs));
    assert_eq!((list.len(), list[0].0.len()), (1, 8_192));
    assert!(looks < 400_000, "{looks} ids of 8,192 payments");
}

#[test]
fn a_payment_that_grows_is_not_moved_each_time() {
    // The last two become one, which the one before them joins, and so on to the first.
    let alone = (0..4_000).map(|n| vec![id("pi", n)]);
    let joins = (1..4_000).rev().map(|n| vec![id("pi", n - 1), id("pi", n)]);
    let (list, looks) = united(alone.chain(joins));
    assert_eq!((list.len(), list[0].0.len()), (1, 4_000));
    assert!(looks < 50_000, "{looks} ids of 4,000 payments");
}

#[test]
fn the_last_of_the_list_is_found_where_it_moved() {
    let events = [
        vec![id("pi", 1)],
        vec![id("pi", 2)],
        vec![id("pi", 3)],
        vec![id("pi", 4)],
        vec![id("pi", 1), id("pi", 2)],
        vec![id("pi", 4), id("ch", 4)],
        vec![id("ch", 4), id("in", 4)],
    ];
    let (list, _) = united(events);
    let sizes: BTreeSet<usize> = list.iter().map(|payment| payment.0.len()).collect();
    assert_eq!((list.len(), sizes), (3, BTreeSet::from([1, 2, 3])));
}
