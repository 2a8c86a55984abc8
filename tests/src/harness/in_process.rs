//! The real functions over a table in memory: every stream record and every message twice.

use super::stack::{remove_clock_times, shop, start_time};
use crate::endpoints;
use dispatch::Dispatch;
use domain::ids::CustomerKey;
use domain::record::Entry;
use engagement_email::EngagementEmail;
use engagement_email::mailer::{Mailer, RenderedLetter, SendError};
use journal_fold::JournalFold;
use local_shop::delivery::{Delivery, Signer};
use providers::{ApiResponses, ItemOutcome, Provider, ReceivedItem};
use runtime::queue::{Queue, QueueError};
use runtime::{Clock, Function};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::ingest::{AppendOutcome, ingest_entries};
use store::memory::MemoryTable;

/// A house of functions without ports.
pub struct InProcessHarness {
    pub table: MemoryTable,
    letter_queue: MemoryQueue,
    pub mailer: MemoryMailer,
    fold: JournalFold<MemoryTable>,
    dispatch: Dispatch<MemoryQueue>,
    email: EngagementEmail<MemoryTable, MemoryMailer>,
    read_changes: usize,
}

impl InProcessHarness {
    pub fn open() -> Self {
        let table = MemoryTable::without_attributes();
        let (letter_queue, mailer) = (MemoryQueue::default(), MemoryMailer::default());
        let clock = Clock::new(start_time);
        let shop = shop();
        Self {
            fold: JournalFold {
                table: table.clone(),
                clock: clock.clone(),
            },
            dispatch: Dispatch {
                letters: letter_queue.clone(),
                notices: MemoryQueue::default(),
            },
            email: EngagementEmail {
                table: table.clone(),
                mailer: mailer.clone(),
                catalog: shop.catalog,
                sender: shop.sender,
                clock,
            },
            table,
            letter_queue,
            mailer,
            read_changes: 0,
        }
    }

    /// What a door does once a request is proven and read.
    pub async fn ingest(&self, entry: &Arc<Entry>) -> AppendOutcome {
        let entries = std::slice::from_ref(entry);
        let verdicts = ingest_entries(&self.table, entries, start_time())
            .await
            .unwrap();
        verdicts[0]
    }

    /// Lets stream and queue deliver everything twice, until nothing more follows.
    pub async fn settle(&mut self) {
        loop {
            let from = self.read_changes;
            self.read_changes = self.table.changes(0).len();
            if from == self.read_changes {
                return;
            }
            for _ in 0..2 {
                let failed = self.fold.process(self.table.changes(from)).await;
                assert!(failed.is_empty(), "{failed:?}");
                let failed = self.dispatch.enqueue(self.table.changes(from)).await;
                assert!(failed.is_empty(), "{failed:?}");
            }
            let orders = self.letter_queue.take();
            for order in &orders {
                self.deliver(order, "1").await;
                self.deliver(order, "2").await;
            }
        }
    }

    /// One message of the letters' queue.
    async fn deliver(&self, order: &str, receives: &str) {
        let message = json!({
            "messageId": "m-1",
            "body": order,
            "attributes": { "ApproximateReceiveCount": receives },
        });
        let event = json!({ "Records": [message] }).to_string();
        self.email.invoke(event.as_bytes()).await.unwrap();
    }

    pub async fn view(&self, customer: &str) -> Value {
        let customer = CustomerKey::parse(customer).unwrap();
        let told = orangery::customer::view(&self.table, &customer, &self.email.catalog).await;
        let mut value = serde_json::to_value(told.unwrap()).unwrap();
        remove_clock_times(&mut value);
        value
    }
}

/// The journal entry of a provider's delivery of one event.
pub fn entry(delivery: &Delivery) -> Arc<Entry> {
    let mut entries = entries(delivery);
    assert_eq!(entries.len(), 1, "{} tells of several", delivery.name);
    entries.remove(0)
}

/// The journal entries of a provider's delivery, made by the door's own proof and reading.
pub fn entries(delivery: &Delivery) -> Vec<Arc<Entry>> {
    let provider = provider_of(delivery);
    let fetched = ApiResponses::recorded(provider.recorded_responses(&delivery.name)).unwrap();
    let entry = |received| {
        let entry = journal_entry(provider, received, &delivery.name);
        entry.unwrap_or_else(|| panic!("{} tells nothing", delivery.name))
    };
    receive_recorded(delivery, &fetched)
        .into_iter()
        .map(entry)
        .collect()
}

/// As the door journals it under this receipt; none where it does not.
pub fn journal_entry(
    provider: &Provider,
    received: ReceivedItem,
    receipt: &str,
) -> Option<Arc<Entry>> {
    let ItemOutcome::Event(reading) = received.outcome else {
        return None;
    };
    let version = provider.normalizer();
    let entry = Entry::new(reading, received.raw, version, start_time(), receipt.into());
    Some(Arc::new(entry))
}

/// What a delivery tells while its provider's API says this and no more. Of a provider that
/// alone can sign it is read as if it were proven.
pub fn receive_recorded(delivery: &Delivery, fetched: &ApiResponses) -> Vec<ReceivedItem> {
    let Signer::Provider(provider, secret) = &delivery.signer else {
        panic!("{} is a partner's", delivery.name)
    };
    endpoints::receive_signed(provider, secret, &delivery.body, fetched, start_time()).unwrap()
}

/// An entry of which nothing is known but its bytes.
pub fn unnormalized_entry(provider: &Provider, raw: &[u8]) -> Entry {
    endpoints::unnormalized_entry(provider, raw, start_time())
}

fn provider_of(delivery: &Delivery) -> &'static Provider {
    match &delivery.signer {
        Signer::Provider(provider, _) => provider,
        Signer::Partner(_) => panic!("{} is a partner's", delivery.name),
    }
}

/// A queue.
#[derive(Clone, Default)]
pub struct MemoryQueue(Arc<Mutex<Vec<String>>>);

impl MemoryQueue {
    /// What came since it was last asked.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Queue for MemoryQueue {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        self.0.lock().unwrap().push(body);
        Ok(())
    }
}

/// A mail service that takes everything.
#[derive(Clone, Default)]
pub struct MemoryMailer(pub Arc<Mutex<Vec<RenderedLetter>>>);

impl Mailer for MemoryMailer {
    async fn send(&self, mail: &RenderedLetter) -> Result<Arc<str>, SendError> {
        self.0.lock().unwrap().push(mail.clone());
        Ok("mail-1".into())
    }
}
