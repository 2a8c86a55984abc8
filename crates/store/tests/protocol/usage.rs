//! Usage: exact whatever comes twice, in any order, from many at once, and whoever dies in between.

use crate::support::{at, customer};
use domain::ids::{MeterEventId, MeterName, Reference};
use domain::usage::meter::{Meter, MeterKind};
use domain::usage::meter_event::{EventHash, MeterEvent};
use domain::usage::page::{EntryStanding, PageEntry, UsagePage};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::items::{Alias, UsagePageRow};
use store::memory::{Fault, MemoryTable, bytes_of_item};
use store::parking::{hand_over_usage, park_usage};
use store::recording::record_usage;
use store::usage_reads::read_usage;
use store::{Item, StoreError, Table};

type Told = (EventHash, PageEntry);

fn meter() -> MeterName {
    MeterName::parse("requests").unwrap()
}

fn told(id: u64, quantity: u64, millisecond: i64) -> Told {
    let event = MeterEvent {
        id: MeterEventId::parse(format!("evt-{id}")).unwrap(),
        meter: meter(),
        quantity: Some(quantity.to_string().parse().unwrap()),
        occurred_at: Timestamp::from_millisecond(millisecond).unwrap(),
        properties: [].into(),
    };
    (
        event.hash(),
        Meter::of_kind(MeterKind::Sum).entry(&event).unwrap(),
    )
}

/// So many events of some hours, a tenth told again, a hundredth with another quantity.
fn many(chance: &mut fastrand::Rng, number: u64) -> Vec<Told> {
    let begin = at(0).as_millisecond();
    let mut all = Vec::new();
    for id in 0..number {
        let millisecond = begin + chance.i64(0..20_000_000);
        let quantity = chance.u64(1..9);
        all.push(told(id, quantity, millisecond));
        if chance.u8(0..10) == 0 {
            all.push(told(id, quantity, millisecond));
        }
        if chance.u8(0..100) == 0 {
            all.push(told(id, quantity + 1, millisecond));
        }
    }
    chance.shuffle(&mut all);
    all
}

fn set_of(all: &[Told]) -> UsagePage {
    let mut set = UsagePage::default();
    for (hash, entry) in all {
        set.insert(*hash, *entry);
    }
    set
}

async fn stored(table: &MemoryTable) -> UsagePage {
    let period = (at(0), at(24 * 500));
    read_usage(table, &customer(1), &meter(), period)
        .await
        .unwrap()
}

fn pages(table: &MemoryTable) -> Vec<Arc<UsagePageRow>> {
    let pages = table.items().into_iter().filter_map(|item| match item {
        Item::UsagePage(row) => Some(row),
        _ => None,
    });
    pages.collect()
}

async fn record(table: &MemoryTable, events: &[Told]) -> Result<Vec<EntryStanding>, StoreError> {
    record_usage(table, &customer(1), &meter(), events).await
}

/// Each entry stands in one page, and so would be added up once by whoever adds pages up.
fn assert_stand_once(table: &MemoryTable) {
    let mut places: BTreeMap<Told, usize> = BTreeMap::new();
    for row in pages(table) {
        for entry in row.page.all() {
            *places.entry(entry).or_default() += 1;
        }
    }
    assert!(places.values().all(|number| *number == 1));
}

#[tokio::test]
async fn any_order_in_any_batches_is_the_same_set_and_each_is_new_once() {
    for seed in 0..6 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let all = many(&mut chance, 1500);
        let table = MemoryTable::default();
        let mut standings: Vec<EntryStanding> = Vec::new();
        let mut left = &all[..];
        while !left.is_empty() {
            let size = *chance.choice([1, 7, 60, 400].iter()).unwrap();
            let (batch, rest) = left.split_at(size.min(left.len()));
            standings.extend(record(&table, batch).await.unwrap());
            left = rest;
        }
        let expected = set_of(&all);
        assert_eq!(stored(&table).await, expected);
        assert_stand_once(&table);
        let number = |wanted| {
            standings
                .iter()
                .filter(|standing| **standing == wanted)
                .count()
        };
        assert_eq!(number(EntryStanding::New), expected.len());
        let kept = expected.all().count();
        assert_eq!(number(EntryStanding::Conflicting), kept - expected.len());
        assert_eq!(number(EntryStanding::Repeated), all.len() - kept);
        // All of it once more, over a year later: nothing is new, and nothing is written.
        table.take_requests();
        let again = record(&table, &all).await.unwrap();
        assert!(
            again
                .iter()
                .all(|standing| *standing == EntryStanding::Repeated)
        );
        assert!(
            table
                .take_requests()
                .iter()
                .all(|request| *request == "get")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_lose_nothing_and_double_nothing() {
    for seed in 0..4 {
        let all = many(&mut fastrand::Rng::with_seed(seed), 1200);
        let table = MemoryTable::default();
        let mut tasks = Vec::new();
        for part in 0..8 {
            let (table, all) = (table.process().yielding(), all.clone());
            tasks.push(tokio::spawn(async move {
                // Each eighth goes to two of them.
                for batch in all.chunks(30).skip(part / 2).step_by(4) {
                    while record(&table, batch).await.is_err() {}
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(stored(&table).await, set_of(&all));
        assert_stand_once(&table);
    }
}

#[tokio::test]
async fn a_page_that_is_full_never_changes() {
    let all = many(&mut fastrand::Rng::with_seed(1), 3000);
    let table = MemoryTable::default();
    for batch in all.chunks(90) {
        record(&table, batch).await.unwrap();
    }
    let mut sealed: BTreeMap<String, Item> = BTreeMap::new();
    for change in table.changes(0) {
        let Ok(Some(Item::UsagePage(row))) = change.item else {
            continue;
        };
        let known = sealed.get(row.place.as_str());
        assert_eq!(known, None, "{} changed", row.place);
        if row.sealed {
            sealed.insert(row.place.to_string(), Item::UsagePage(row));
        }
    }
    assert!(sealed.len() >= 8, "{}", sealed.len());
}

#[tokio::test]
async fn whoever_dies_or_is_not_answered_at_any_request_is_made_good_by_telling_again() {
    let all = many(&mut fastrand::Rng::with_seed(2), 500);
    let (before, batch) = all.split_at(500);
    let expected = set_of(&all);
    let faults = [
        Fault::Fail(StoreError::Throttled),
        Fault::LoseAnswer,
        Fault::Delay(1),
        Fault::Delay(3),
    ];
    let begun = MemoryTable::default();
    for part in before.chunks(40) {
        record(&begun, part).await.unwrap();
    }
    let mut places = 0;
    for fault in faults {
        for place in 0.. {
            let table = MemoryTable::new(begun.state());
            let process = table.process();
            let (mut asked, fault) = (0, fault.clone());
            process.set_faults(move |_| {
                asked += 1;
                if asked == place + 1 {
                    fault.clone()
                } else {
                    Fault::None
                }
            });
            let died = record(&process, batch).await.is_err();
            record(&table.process(), batch).await.unwrap();
            table.apply_delayed();
            assert_eq!(stored(&table).await, expected, "at request {place}");
            assert_stand_once(&table);
            if !died {
                break;
            }
            places += 1;
        }
    }
    assert!(places > 40, "{places}");
}

#[tokio::test]
async fn one_event_costs_a_read_and_a_write_of_two_units_at_most() {
    let table = MemoryTable::default();
    let (mut reads, mut units, mut events) = (0, 0, 0);
    // One each hour for two months.
    for id in 0..1440_u64 {
        let hour = i64::try_from(id).unwrap();
        let (process, begin) = (table.process(), at(hour).as_millisecond());
        record(&process, &[told(id, 1, begin)]).await.unwrap();
        let requests = process.take_requests();
        assert_eq!(
            requests.iter().filter(|request| **request == "put").count(),
            1
        );
        reads += requests.len() - 1;
        events += 1;
    }
    for change in table.changes(0) {
        let bytes = bytes_of_item(&change.item.unwrap().unwrap()).unwrap();
        assert!(bytes <= 2048, "{bytes}");
        units += bytes.div_ceil(1024);
    }
    // 1.1 units and 1.9 reads, on average.
    assert!(
        (events..events * 6 / 5).contains(&units),
        "{units} units of {events}"
    );
    assert!(reads < events * 2, "{reads} reads of {events}");
}

fn shop() -> Reference {
    Reference::shop("1207").unwrap()
}

async fn names(table: &impl Table) {
    let alias = Alias {
        reference: shop(),
        customer: customer(1),
    };
    table.insert(alias).await.unwrap();
}

fn parked(table: &MemoryTable) -> Vec<Arc<store::items::ParkedUsage>> {
    let parked = table.items().into_iter().filter_map(|item| match item {
        Item::ParkedUsage(row) => Some(row),
        _ => None,
    });
    parked.collect()
}

#[tokio::test]
async fn usage_of_somebody_unknown_waits_and_is_handed_over_once() {
    let table = MemoryTable::default();
    let (one, other) = ([told(1, 5, 0)], [told(1, 5, 0), told(2, 3, 0)]);
    for batch in [&one[..], &other[..], &one[..]] {
        park_usage(&table, &shop(), &meter(), batch).await.unwrap();
    }
    assert_eq!(
        parked(&table).len(),
        2,
        "the same told again is parked once"
    );
    names(&table).await;
    for row in parked(&table) {
        let whose = hand_over_usage(&table, &row).await.unwrap();
        assert_eq!(whose, Some(customer(1)));
        hand_over_usage(&table, &row).await.unwrap();
    }
    assert_eq!(parked(&table), []);
    let period = (Timestamp::UNIX_EPOCH, at(0));
    let set = read_usage(&table, &customer(1), &meter(), period).await;
    assert_eq!(set.unwrap(), set_of(&other));
    // From now on it is decided at once whose it is, and the stream hands it over.
    park_usage(&table, &shop(), &meter(), &one).await.unwrap();
    let [row] = &parked(&table)[..] else {
        panic!("it waits for the stream")
    };
    assert_eq!(row.owner, Some(customer(1)));
    hand_over_usage(&table, row).await.unwrap();
    assert_eq!(parked(&table), []);
}

#[tokio::test]
async fn of_two_customers_under_one_reference_one_gets_what_was_parked() {
    let all = [told(1, 5, 0), told(2, 3, 0)];
    for place in 0..12 {
        let table = MemoryTable::default();
        park_usage(&table, &shop(), &meter(), &all).await.unwrap();
        let row = parked(&table).remove(0);
        names(&table).await;
        let process = table.process();
        let mut asked = 0;
        process.set_faults(move |_| {
            asked += 1;
            match asked > place {
                true => Fault::Fail(StoreError::NoAnswer("dead".into())),
                false => Fault::None,
            }
        });
        let _ = hand_over_usage(&process, &row).await;
        // A second customer of the same shop id; then the net looks again.
        let second = Alias {
            reference: shop(),
            customer: customer(0),
        };
        table.insert(second).await.unwrap();
        for row in parked(&table) {
            hand_over_usage(&table, &row).await.unwrap();
        }
        let stands: Vec<String> = pages(&table)
            .iter()
            .map(|row| row.customer.to_string())
            .collect();
        let waits = parked(&table).len();
        assert!(
            stands.is_empty() || stands == [customer(1).to_string()],
            "{stands:?}"
        );
        assert_eq!(stands.len() + waits, 1, "dead after {place}");
    }
}
