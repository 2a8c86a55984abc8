//! What exact counters cost, pattern by pattern, over the table in memory:
//! `cargo run -p store --features memory-table --example usage_patterns -- [EVENTS] [PATTERN]`.
//!
//! - **transaction**: each event an item of its own, put if absent with a counter beside it.
//! - **pages**: a page for each day and sixteenth of the ids, read, merged and written by batch.
//! - **sealed pages**: what `record_usage` does.
//!
//! A tenth of the events is told twice, a hundredth with another quantity. Write units are started
//! kilobytes of what is written (twice in a transaction, and also where the condition fails); read
//! units are started four kilobytes. Nothing here is Amazon's: units are counted, not billed.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects
)]
#![allow(
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::wildcard_enum_match_arm
)]

use domain::ids::{CustomerKey, MeterEventId, MeterName};
use domain::usage::meter::{Meter, MeterKind};
use domain::usage::meter_event::{EventHash, MeterEvent};
use domain::usage::page::{EntryStanding, PageEntry, UsagePage};
use domain::usage::page_place::PagePlace;
use domain::usage::quantity::Quantity;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use store::items::UsagePageRow;
use store::memory::{MemoryTable, RequestTable, TableAnswer, TableRequest, bytes_of_item};
use store::recording::record_usage;
use store::usage_reads::read_usage;
use store::{Item, Key, PutOutcome, Table, TransactWrite, WriteCondition};

type Told = (EventHash, PageEntry);
type Batch = (CustomerKey, Vec<Told>);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let only = std::env::args().nth(2);
    let events = std::env::args()
        .nth(1)
        .map_or(1_000_000, |text| text.parse().unwrap());
    println!(
        "| workload | pattern | requests | write units | read units | MB written | µs an event |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (workload, customers, batch, told) in [
        ("one customer, 1,000 at once", 1, 1000, events),
        ("100 customers, 1,000 at once of each", 100, 1000, events),
        ("1,000 customers, 100 at once of each", 1000, 100, events),
        ("50 customers, one at a time", 50, 1, events / 20),
    ] {
        let batches = workload_of(customers, batch, told);
        let all = ["transaction", "pages", "sealed pages"];
        let wanted = |pattern: &&str| only.as_ref().is_none_or(|only| only.as_str() == *pattern);
        for pattern in all.into_iter().filter(wanted) {
            // What an event costs in a transaction is the same for each: a tenth of them will do.
            let part = if pattern == "transaction" { 10 } else { 1 };
            let batches = &batches[..batches.len().div_ceil(part)];
            measure(workload, pattern, batches).await;
        }
    }
}

/// Events of thirty days, in the order in which they happened, except that one in a hundred comes a
/// day late and repetitions come at any later time.
fn workload_of(customers: u64, batch: usize, told: u64) -> Vec<Batch> {
    let mut chance = fastrand::Rng::with_seed(1);
    let mut queues: Vec<Vec<(i64, Told)>> = vec![Vec::new(); usize::try_from(customers).unwrap()];
    let distinct = told * 100 / 111;
    let begin = 1_772_323_200_000_i64;
    for id in 0..distinct {
        let customer = usize::try_from(id % customers).unwrap();
        let passed =
            i64::try_from(id).unwrap() * 30 * 86_400_000 / i64::try_from(distinct).unwrap();
        let (millisecond, quantity) = (begin + passed, chance.u64(1..1000));
        let late = if chance.u8(0..100) == 0 {
            86_400_000
        } else {
            chance.i64(0..60_000)
        };
        let queue = &mut queues[customer];
        queue.push((millisecond + late, event(id, quantity, millisecond)));
        let again = |chance: &mut fastrand::Rng| millisecond + chance.i64(0..7 * 86_400_000);
        if chance.u8(0..10) == 0 {
            let at = again(&mut chance);
            queue.push((at, event(id, quantity, millisecond)));
        }
        if chance.u8(0..100) == 0 {
            let at = again(&mut chance);
            queue.push((at, event(id, quantity + 1, millisecond)));
        }
    }
    let mut batches: Vec<(i64, Batch)> = Vec::new();
    for (number, mut queue) in queues.into_iter().enumerate() {
        queue.sort_by_key(|(at, _)| *at);
        let customer = CustomerKey::parse(format!("example/test/cus_{number}")).unwrap();
        for part in queue.chunks(batch) {
            let events = part.iter().map(|(_, told)| *told).collect();
            batches.push((part.last().unwrap().0, (customer.clone(), events)));
        }
    }
    batches.sort_by_key(|(at, _)| *at);
    batches.into_iter().map(|(_, batch)| batch).collect()
}

fn event(id: u64, quantity: u64, millisecond: i64) -> Told {
    let event = MeterEvent {
        id: MeterEventId::parse(format!("0190a6b2-{id:012x}")).unwrap(),
        meter: meter(),
        quantity: Some(Quantity::whole(quantity)),
        occurred_at: Timestamp::from_millisecond(millisecond).unwrap(),
        properties: BTreeMap::new(),
    };
    (
        event.hash(),
        Meter::of_kind(MeterKind::Sum).entry(&event).unwrap(),
    )
}

fn meter() -> MeterName {
    MeterName::parse("requests").unwrap()
}

async fn measure(workload: &str, pattern: &str, batches: &[Batch]) {
    let table = CountingTable {
        inner: MemoryTable::without_attributes(),
        counts: Mutex::default(),
    };
    let began = Instant::now();
    for (customer, events) in batches {
        match pattern {
            "transaction" => by_transaction(&table, customer, events).await,
            "pages" => by_pages(&table, customer, events).await,
            _ => {
                record_usage(&table, customer, &meter(), events)
                    .await
                    .unwrap();
            }
        }
    }
    let took = began.elapsed().as_micros();
    let counts = std::mem::take(&mut *table.counts.lock().unwrap());
    check(&table, pattern, batches).await;
    let told: usize = batches.iter().map(|(_, events)| events.len()).sum();
    println!(
        "| {workload}: {told} | {pattern} | {} | {} | {} | {:.1} | {:.1} |",
        counts.requests,
        counts.write_units,
        counts.read_units,
        counts.bytes as f64 / 1e6,
        took as f64 / told as f64,
    );
}

/// What is stored has to be the set of what was told.
async fn check(table: &CountingTable, pattern: &str, batches: &[Batch]) {
    let mut sets: BTreeMap<&CustomerKey, UsagePage> = BTreeMap::new();
    for (customer, events) in batches {
        let set = sets.entry(customer).or_default();
        for (hash, entry) in events {
            set.insert(*hash, *entry);
        }
    }
    let sum = |set: &UsagePage| Quantity::sum(set.counted().filter_map(|(_, e)| e.value));
    let period = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z");
    let period = (period.0.parse().unwrap(), period.1.parse().unwrap());
    for (customer, set) in sets {
        let stored = read_usage(table, customer, &meter(), period).await.unwrap();
        match pattern {
            // It keeps what came first, and of what contradicts it nothing.
            "transaction" => assert_eq!(stored.len(), set.len()),
            _ => assert_eq!(sum(&stored), sum(&set)),
        }
    }
}

async fn by_transaction(table: &CountingTable, customer: &CustomerKey, events: &[Told]) {
    for (hash, entry) in events {
        let mut page = UsagePage::default();
        page.insert(*hash, *entry);
        let own = PagePlace::of(entry.millisecond, *hash, 28).unwrap();
        let counter = PagePlace::parse("counter").unwrap();
        let known: Option<Arc<UsagePageRow>> = table
            .inner
            .get_row(Key::usage_page(customer, &meter(), &counter))
            .await
            .unwrap();
        let version = known.map_or(0, |known| known.version);
        let condition = match version {
            0 => WriteCondition::Absent,
            version => WriteCondition::Version(version),
        };
        let row = |place, page, version| UsagePageRow {
            customer: customer.clone(),
            meter: meter(),
            place,
            page,
            sealed: false,
            version,
        };
        // The counter is an `ADD` in life, which reads nothing: its version stands for that.
        let writes = vec![
            TransactWrite::Put(row(own, page, 1).into(), WriteCondition::Absent),
            TransactWrite::Put(
                row(counter, UsagePage::default(), version + 1).into(),
                condition,
            ),
        ];
        table.transact(writes).await.unwrap();
    }
}

async fn by_pages(table: &CountingTable, customer: &CustomerKey, events: &[Told]) {
    let mut places: BTreeMap<PagePlace, Vec<Told>> = BTreeMap::new();
    for (hash, entry) in events {
        let day = PagePlace::of(entry.millisecond, *hash, 1).unwrap();
        let slot = PagePlace::of(entry.millisecond, *hash, 5).unwrap();
        let slot = slot.as_str().rsplit_once('#').unwrap().1;
        let place = PagePlace::parse(&format!("{day}#{slot}")).unwrap();
        places.entry(place).or_default().push((*hash, *entry));
    }
    for (place, events) in places {
        let key = Key::usage_page(customer, &meter(), &place);
        let known: Option<Arc<UsagePageRow>> = table.get_row(key).await.unwrap();
        let (mut page, version) = known.map_or_else(Default::default, |known| {
            (known.page.clone(), known.version)
        });
        let mut standings = BTreeSet::new();
        for (hash, entry) in events {
            standings.insert(page.insert(hash, entry) == EntryStanding::Repeated);
        }
        if !standings.contains(&false) {
            continue;
        }
        let next = UsagePageRow {
            customer: customer.clone(),
            meter: meter(),
            place,
            page,
            sealed: false,
            version: version + 1,
        };
        assert!(table.replace(Arc::new(next), version).await.unwrap());
    }
}

#[derive(Default)]
struct Counts {
    requests: usize,
    write_units: usize,
    read_units: usize,
    bytes: usize,
}

/// The table in memory, with every request counted.
struct CountingTable {
    inner: MemoryTable,
    counts: Mutex<Counts>,
}

impl RequestTable for CountingTable {
    async fn request(&self, request: TableRequest) -> TableAnswer {
        let written = match &request {
            TableRequest::Put(item, _) => bytes_of_item(item).unwrap().div_ceil(1024),
            TableRequest::Transact(writes) => writes
                .iter()
                .map(|write| match write {
                    TransactWrite::Put(item, _) => bytes_of_item(item).unwrap().div_ceil(1024) * 2,
                    TransactWrite::Check(..) => 2,
                })
                .sum(),
            _ => 0,
        };
        let bytes = match &request {
            TableRequest::Put(item, _) => bytes_of_item(item).unwrap(),
            _ => 0,
        };
        let answer = self.inner.request(request).await;
        let read = |item: &Item| bytes_of_item(item).unwrap().div_ceil(4096).max(1);
        let read_units = match &answer {
            TableAnswer::Item(Some(item)) => read(item),
            TableAnswer::Item(None) => 1,
            TableAnswer::Page(page) => page.items.iter().map(read).sum(),
            TableAnswer::Put(PutOutcome::Done | PutOutcome::Refused(_)) => 0,
            TableAnswer::Deleted
            | TableAnswer::Due(_)
            | TableAnswer::Transacted(_)
            | TableAnswer::Error(_) => 0,
        };
        let mut counts = self.counts.lock().unwrap();
        counts.requests += 1;
        counts.write_units += written;
        counts.read_units += read_units;
        counts.bytes += bytes;
        answer
    }
}
