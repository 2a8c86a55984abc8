//! The audit as `calendar` runs it: what a step found is enqueued before its place is saved, so
//! wherever a run dies nothing it found waits for another round.

use calendar::Calendar;
use domain::ids::CustomerKey;
use domain::letter::Letter;
use domain::letter::plan::DueLetter;
use jiff::SignedDuration;
use runtime::Clock;
use runtime::queue::{Queue, QueueError};
use runtime::secrets::{SecretCache, SecretSource, person_key};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use store::letters::LetterRow;
use store::memory::MemoryTable;
use store::{Item, Table, WriteCondition};
use tests::harness::start_time;

const CUSTOMERS: usize = 40;

#[tokio::test]
async fn wherever_a_run_dies_the_next_one_hands_over_what_it_found() {
    for taken in 0..CUSTOMERS {
        let table = MemoryTable::with_page(7);
        for n in 0..CUSTOMERS {
            put_due_letter(&table, n).await;
        }
        let queue = StoppingQueue::new(taken);
        let calendar = calendar(&table, queue.clone());
        assert!(calendar.audit().await.is_err(), "the queue took {taken}");
        queue.goes_on();
        let rest = calendar.audit().await.unwrap();
        assert!(rest.complete);
        let missing = CUSTOMERS - queue.letters().len();
        assert_eq!(missing, 0, "the queue took {taken}");
        let twice = rest.letters_requeued as usize + taken - CUSTOMERS;
        assert!(twice <= 7, "{twice} more than once, where a page has seven");
    }
}

/// A letter that became due an hour ago, and that nobody handed over.
async fn put_due_letter(table: &MemoryTable, n: usize) {
    let customer = CustomerKey::parse(format!("stripe/test/cus_{n}")).unwrap();
    let at = start_time() - SignedDuration::from_hours(1);
    let due = DueLetter {
        letter: Letter::Welcome,
        cause: "sub_1".into(),
        caused_at: at,
    };
    let row = Item::Letter(Arc::new(LetterRow::due(customer, &due, at)));
    table.put(row, WriteCondition::Absent).await.unwrap();
}

fn calendar(table: &MemoryTable, queue: StoppingQueue) -> Calendar<MemoryTable, StoppingQueue> {
    let clock = Clock::new(start_time);
    Calendar {
        table: table.clone(),
        letters: queue.clone(),
        notices: queue,
        enrichments: Vec::new(),
        person_key: SecretCache::new(SecretSource::Given(Vec::new()), person_key, clock.clone()),
        clock,
    }
}

/// A queue that takes so many messages and then none; clones share them.
#[derive(Clone)]
struct StoppingQueue(Arc<Mutex<(usize, Vec<String>)>>);

impl StoppingQueue {
    fn new(takes: usize) -> Self {
        Self(Arc::new(Mutex::new((takes, Vec::new()))))
    }

    fn goes_on(&self) {
        self.0.lock().unwrap().0 = usize::MAX;
    }

    /// What it took, each once.
    fn letters(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().1.iter().cloned().collect()
    }
}

impl Queue for StoppingQueue {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        let mut queue = self.0.lock().unwrap();
        if queue.0 == 0 {
            return Err(QueueError("it takes nothing".into()));
        }
        queue.0 -= 1;
        queue.1.push(body);
        Ok(())
    }
}
