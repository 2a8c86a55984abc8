//! A person's first payment counts once, however many customers the person is, in whatever order
//! what is known of them comes, and wherever a process dies.

use crate::support::{acme, at, event_of, ingest, naming, paid, program};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{PersonHash, Reference};
use domain::money::{Currency, Money};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{CommissionDuration, Program, Reward};
use domain::partner::referral::{AttributionTerms, ReferralSnapshot};
use domain::record::Entry;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Item;
use store::audit::walk;
use store::ingest::ingest_entries;
use store::memory::{Crash, MemoryTable};

fn nell() -> Reference {
    Reference::person(&PersonHash::parse("nell").unwrap())
}

/// A report of the person: 5.00 for the first payment.
fn report_of_person(duration: CommissionDuration) -> NormalizedEvent {
    let five = Money {
        minor: 500,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    };
    let snapshot = ReferralSnapshot {
        partner: acme(),
        referral: "r-1".into(),
        referred_at: at(0),
        reported_at: Some(at(0)),
        names: vec![nell()],
        sub_ids: BTreeMap::default(),
    };
    let terms = AttributionTerms {
        partner: acme(),
        referral: "r-1".into(),
        reported_at: at(0),
        program: Program {
            reward: Reward::Fixed(five),
            duration,
            ..program()
        },
        identity: PartnerIdentity::default(),
    };
    let facts = vec![
        Fact::Referral(snapshot),
        Fact::AttributionTerms(Box::new(terms)),
    ];
    NormalizedEvent {
        about: About::ByReference(vec![nell()]),
        ..event_of(0, "partner/acme/r-1".into(), at(0), facts)
    }
}

/// The n-th purchase of the person, each as another customer.
fn purchase(n: usize) -> NormalizedEvent {
    naming(paid(n, n), &[&nell()])
}

fn entry(event: &NormalizedEvent) -> Arc<Entry> {
    let raw = event.id.as_str().as_bytes().into();
    Arc::new(Entry::new(event.clone(), raw, 1, at(1), "once".into()))
}

/// The rows there are: payment and minor units, in the order in which they were decided.
fn rows(table: &MemoryTable) -> Vec<(String, i64)> {
    let items = table.items();
    let mut rows: Vec<(Timestamp, String, i64)> = items
        .iter()
        .filter_map(|item| match item {
            Item::Commission(row) => Some((row.at, row.payment.to_string(), row.amount.minor)),
            _ => None,
        })
        .collect();
    rows.sort();
    rows.into_iter()
        .map(|(_, payment, minor)| (payment, minor))
        .collect()
}

fn sums(table: &MemoryTable) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for (payment, minor) in rows(table) {
        *sums.entry(payment).or_default() += minor;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

#[tokio::test]
async fn three_purchases_of_a_guest_earn_the_first_payment_once() {
    let report = || report_of_person(CommissionDuration::FirstPayment);
    let first = vec![("pi_1".to_owned(), 500)];
    let before = MemoryTable::default();
    ingest(&before, report()).await;
    for n in 1..4 {
        ingest(&before, purchase(n)).await;
    }
    assert_eq!(rows(&before), first, "reported before");
    let after = MemoryTable::default();
    for n in 1..4 {
        ingest(&after, purchase(n)).await;
    }
    ingest(&after, report()).await;
    assert_eq!(
        rows(&after),
        first,
        "reported after, and nothing is told in between"
    );
    for order in [[1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] {
        let table = MemoryTable::default();
        ingest(&table, report()).await;
        for n in order {
            ingest(&table, purchase(n)).await;
        }
        assert_eq!(sums(&table), first.iter().cloned().collect(), "{order:?}");
    }
}

#[tokio::test]
async fn months_count_from_the_persons_first_payment() {
    let table = MemoryTable::default();
    ingest(&table, report_of_person(CommissionDuration::Months(1))).await;
    ingest(&table, purchase(1)).await;
    let months = |n: i64| 31 * 24 * n;
    for (n, hours) in [(2, months(1) - 24), (3, months(1) + 24)] {
        let mut later = purchase(n);
        later.occurred_at = at(hours);
        if let Some(Fact::Payment(paid)) = later.facts.first_mut() {
            paid.paid_at = at(hours);
        }
        ingest(&table, later).await;
    }
    let earned = [("pi_1".to_owned(), 500), ("pi_2".to_owned(), 500)];
    assert_eq!(sums(&table), earned.into());
}

#[tokio::test]
async fn money_that_never_arrived_gives_way_to_the_next_payment() {
    let table = MemoryTable::default();
    ingest(&table, report_of_person(CommissionDuration::FirstPayment)).await;
    for n in 1..3 {
        ingest(&table, purchase(n)).await;
    }
    let mut bounced = paid(1, 1);
    bounced.id = domain::ids::EventId::parse("stripe/test/bounced").unwrap();
    bounced.occurred_at = at(2);
    if let Some(Fact::Payment(paid)) = bounced.facts.first_mut() {
        paid.paid.minor = 0;
    }
    ingest(&table, bounced).await;
    assert_eq!(sums(&table), [("pi_2".to_owned(), 500)].into());
}

#[tokio::test]
async fn wherever_a_process_dies_the_first_payment_counts_once() {
    let events = [
        purchase(2),
        report_of_person(CommissionDuration::FirstPayment),
        purchase(1),
        purchase(3),
    ];
    let mut died = 0;
    for dies_in in 0..events.len() {
        for after in 0..40 {
            for answer_lost in [false, true] {
                let table = MemoryTable::default();
                for (n, event) in events.iter().enumerate() {
                    let process = table.process();
                    if n == dies_in {
                        process.set_faults(Crash { after, answer_lost }.faults());
                    }
                    let entries = [entry(event)];
                    if ingest_entries(&process, &entries, at(1)).await.is_err() {
                        died += 1;
                        ingest_entries(&table, &entries, at(1)).await.unwrap();
                    }
                }
                for _ in 0..3 {
                    walk(&table, 1, at(2)).await.unwrap();
                }
                let earned = [("pi_1".to_owned(), 500)].into();
                assert_eq!(sums(&table), earned, "{dies_in} after {after}");
            }
        }
    }
    assert!(died > 0);
}
