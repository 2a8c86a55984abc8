//! The real functions over a table in memory: every stream record and every message twice.

use super::house::{opening, shop, timeless};
use super::memory::Memory;
use dispatch::Dispatch;
use domain::ids::CustomerKey;
use domain::record::Entry;
use engagement_email::EngagementEmail;
use engagement_email::mailer::{Mail, Mailer, NotSent};
use journal_fold::JournalFold;
use orangery::delivery::{Delivery, Signer};
use providers::{Fetched, Outcome, Provider, Received};
use runtime::queue::{Queue, QueueError};
use runtime::{Clock, Function};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::accept::{Verdict, receive};
use tests::doors;

/// A house of functions without ports.
pub(crate) struct SmallHouse {
    pub(crate) table: Memory,
    orders: Orders,
    pub(crate) mails: Mails,
    fold: JournalFold<Memory>,
    dispatch: Dispatch<Orders>,
    email: EngagementEmail<Memory, Mails>,
    behind: usize,
}

impl SmallHouse {
    pub(crate) fn open() -> Self {
        let table = Memory::default();
        let (orders, mails) = (Orders::default(), Mails::default());
        let clock = Clock::new(opening);
        let shop = shop();
        Self {
            fold: JournalFold {
                table: table.clone(),
                clock: clock.clone(),
            },
            dispatch: Dispatch {
                letters: orders.clone(),
                notices: Orders::default(),
            },
            email: EngagementEmail {
                table: table.clone(),
                mailer: mails.clone(),
                catalog: shop.catalog,
                sender: shop.sender,
                clock,
            },
            table,
            orders,
            mails,
            behind: 0,
        }
    }

    /// What a door does once a request is proven and read.
    pub(crate) async fn take_in(&self, entry: &Arc<Entry>) -> Verdict {
        let entries = std::slice::from_ref(entry);
        let verdicts = receive(&self.table, entries, opening()).await.unwrap();
        verdicts[0]
    }

    /// Lets stream and queue deliver everything twice, until nothing more follows.
    pub(crate) async fn settle(&mut self) {
        loop {
            let from = self.behind;
            self.behind = self.table.changes(0).len();
            if from == self.behind {
                return;
            }
            for _ in 0..2 {
                let failed = self.fold.take_up(self.table.changes(from)).await;
                assert!(failed.is_empty(), "{failed:?}");
                let failed = self.dispatch.hand_over(self.table.changes(from)).await;
                assert!(failed.is_empty(), "{failed:?}");
            }
            let orders = self.orders.take();
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

    pub(crate) async fn view(&self, customer: &str) -> Value {
        let customer = CustomerKey::new(customer);
        let told = orangery::customer::view(&self.table, &customer, &self.email.catalog).await;
        let mut value = serde_json::to_value(told.unwrap()).unwrap();
        timeless(&mut value);
        value
    }
}

/// The journal entry of a provider's delivery of one event.
pub(crate) fn entry(delivery: &Delivery) -> Arc<Entry> {
    let mut entries = entries(delivery);
    assert_eq!(entries.len(), 1, "{} tells of several", delivery.name);
    entries.remove(0)
}

/// The journal entries of a provider's delivery, made by the door's own proof and reading.
pub(crate) fn entries(delivery: &Delivery) -> Vec<Arc<Entry>> {
    let provider = provider_of(delivery);
    let fetched = Fetched::recorded(provider.answers(&delivery.name)).unwrap();
    let entry = |received| {
        let entry = journaled(provider, received, &delivery.name);
        entry.unwrap_or_else(|| panic!("{} tells nothing", delivery.name))
    };
    told(delivery, &fetched).into_iter().map(entry).collect()
}

/// As the door journals it under this receipt; none where it does not.
pub(crate) fn journaled(
    provider: &Provider,
    received: Received,
    receipt: &str,
) -> Option<Arc<Entry>> {
    let Outcome::Reading(reading) = received.outcome else {
        return None;
    };
    let version = provider.normalizer();
    let entry = Entry::new(reading, received.raw, version, opening(), receipt.into());
    Some(Arc::new(entry))
}

/// What a delivery tells while its provider's API says this and no more. Of a provider that
/// alone can sign it is read as if it were proven.
pub(crate) fn told(delivery: &Delivery, fetched: &Fetched) -> Vec<Received> {
    let Signer::Provider(provider, secret) = &delivery.signer else {
        panic!("{} is a partner's", delivery.name)
    };
    doors::told(provider, secret, &delivery.body, fetched, opening()).unwrap()
}

/// An entry of which nothing is known but its bytes.
pub(crate) fn unread(provider: &Provider, raw: &[u8]) -> Entry {
    doors::unread(provider, raw, opening())
}

fn provider_of(delivery: &Delivery) -> &'static Provider {
    match &delivery.signer {
        Signer::Provider(provider, _) => provider,
        Signer::Partner(_) => panic!("{} is a partner's", delivery.name),
    }
}

/// A queue.
#[derive(Clone, Default)]
pub(crate) struct Orders(Arc<Mutex<Vec<String>>>);

impl Orders {
    /// What came since it was last asked.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Queue for Orders {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        self.0.lock().unwrap().push(body);
        Ok(())
    }
}

/// A mail service that takes everything.
#[derive(Clone, Default)]
pub(crate) struct Mails(pub(crate) Arc<Mutex<Vec<Mail>>>);

impl Mailer for Mails {
    async fn send(&self, mail: &Mail) -> Result<Arc<str>, NotSent> {
        self.0.lock().unwrap().push(mail.clone());
        Ok("mail-1".into())
    }
}
