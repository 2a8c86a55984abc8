//! The functions' loops over the store, as the simulation runs them: the same store functions in
//! the same order, without the wire around them.

use crate::proof::simulation::activity::ProcessEnd;
use crate::proof::simulation::activity::SimulatedProcess;
use crate::proof::simulation::port::{ApiQuestion, Port, PortMailer, PortQueue, QueueName};
use calendar::{Calendar, Enrichment, WaitingReader};
use dispatch::Dispatch;
use domain::catalog::Catalog;
use domain::ids::Reference;
use domain::record::Entry;
use engagement_email::{EngagementEmail, Sender};
use jiff::Timestamp;
use journal_fold::JournalFold;
use orangery::wiring::LOCAL_MASTER;
use partner_notice::PartnerNotice;
use providers::PersonKey;
use runtime::batch::failures;
use runtime::secrets::{SecretCache, SecretSource, person_key, roots};
use runtime::{Clock, Failure, Function};
use std::sync::Arc;
use store::ingest::ingest_entries;
use store::stream::ItemChange;
use store::{Item, StoreError, Table};

/// `payment-webhook` and `partner-referral`, behind verify and normalize.
pub(crate) fn receive(port: Port, entries: Vec<Arc<Entry>>, now: Timestamp) -> SimulatedProcess {
    Box::pin(async move {
        let verdicts = ingest_entries(&port, &entries, now).await;
        ProcessEnd::Received(verdicts.map(|verdicts| entries.into_iter().zip(verdicts).collect()))
    })
}

/// The same where a provider's API must be asked first.
pub(crate) fn ask_api_and_receive(
    port: Port,
    wanted: ApiQuestion,
    now: Timestamp,
) -> SimulatedProcess {
    Box::pin(async move {
        match port.ask_api(wanted).await {
            Some(entries) => receive(port, entries, now).await,
            // 503: what the API does not confirm is not taken in.
            None => ProcessEnd::Received(Err(StoreError::NoAnswer("the API is silent".into()))),
        }
    })
}

/// `journal-fold`. Gives the place of the first record that must be handed over again.
pub(crate) fn journal_fold(port: Port, items: Vec<Item>, now: Timestamp) -> SimulatedProcess {
    Box::pin(async move { ProcessEnd::Batched(run_journal_fold(port, items, now).await) })
}

/// The function itself, behind the wire: what it names as failed begins the next batch.
pub(crate) async fn run_journal_fold(
    port: Port,
    items: Vec<Item>,
    now: Timestamp,
) -> Option<usize> {
    let clock = Clock::new(move || now);
    let function = JournalFold { table: port, clock };
    let failed = function.process(item_changes(items)).await;
    first_failed(&failed)
}

/// `dispatch`. Gives the place of the first record that must be handed over again.
pub(crate) fn dispatch(port: Port, items: Vec<Item>) -> SimulatedProcess {
    Box::pin(async move {
        let function = Dispatch {
            letters: port.queue(QueueName::Letters),
            notices: port.queue(QueueName::Notices),
        };
        let failed = function.enqueue(item_changes(items)).await;
        ProcessEnd::Batched(first_failed(&failed))
    })
}

/// `engagement-email`: its one message, and whether the queue may forget it.
pub(crate) fn engagement_email(
    mailer: PortMailer,
    message: String,
    now: Timestamp,
) -> SimulatedProcess {
    Box::pin(async move {
        let function = EngagementEmail {
            table: mailer.port.clone(),
            mailer,
            catalog: Catalog::default(),
            sender: Sender::default(),
            clock: Clock::new(move || now),
        };
        let answer = function.invoke(message.as_bytes()).await;
        ProcessEnd::LetterHandled(is_all_done(answer))
    })
}

/// `calendar`, once a day: the audit, and what it hands over.
pub(crate) fn audit(port: Port, now: Timestamp) -> SimulatedProcess {
    Box::pin(async move {
        let function = calendar(port, now);
        ProcessEnd::Audited(function.audit().await.ok())
    })
}

/// `calendar`, every minute: who is due, and what waits for an API under these references, in
/// batches of `max_batch`.
pub(crate) fn due_scan(
    port: Port,
    waiting: Vec<Reference>,
    max_batch: usize,
    now: Timestamp,
) -> SimulatedProcess {
    Box::pin(async move {
        let mut function = calendar(port.clone(), now);
        let enrichment = |reference| {
            let port = port.clone();
            Enrichment::new(PortReader { port, reference }, max_batch)
        };
        function.enrichments = waiting.into_iter().map(enrichment).collect();
        // What it could not do is left to the next one.
        let _ = function.due_scan().await;
        ProcessEnd::DueScanned
    })
}

fn calendar(port: Port, now: Timestamp) -> Calendar<Port, PortQueue, PortReader> {
    let clock = Clock::new(move || now);
    let source = SecretSource::Given(vec![LOCAL_MASTER.into()]);
    Calendar {
        letters: port.queue(QueueName::Letters),
        notices: port.queue(QueueName::Notices),
        table: port,
        enrichments: Vec::new(),
        person_key: SecretCache::new(source, person_key, clock.clone()),
        clock,
    }
}

/// What waits under a reference, read again by what the simulation lets its API answer.
#[derive(Debug)]
struct PortReader {
    port: Port,
    reference: Reference,
}

impl WaitingReader for PortReader {
    type Complete = Vec<Arc<Entry>>;

    fn name(&self) -> &'static str {
        "simulated"
    }

    fn reference(&self) -> Reference {
        self.reference.clone()
    }

    async fn read(
        &self,
        entries: &[Arc<Entry>],
        _: &PersonKey,
    ) -> Result<Vec<Option<Vec<Arc<Entry>>>>, Failure> {
        let mut read = Vec::new();
        for entry in entries {
            let question = ApiQuestion::Waiting(entry.clone());
            let answered = self.port.ask_api(question).await;
            read.push(answered.filter(|entries| !entries.is_empty()));
        }
        Ok(read)
    }

    async fn ingest<T: Table>(
        &self,
        table: &T,
        _: &Entry,
        complete: Vec<Arc<Entry>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        ingest_entries(table, &complete, now).await?;
        Ok(())
    }
}

/// `partner-notice`, the function itself: its one message, and whether the queue may forget it.
pub(crate) fn partner_notice(port: Port, message: String, now: Timestamp) -> SimulatedProcess {
    Box::pin(async move {
        let clock = Clock::new(move || now);
        let source = SecretSource::Given(vec![LOCAL_MASTER.into()]);
        let function = PartnerNotice {
            table: port.clone(),
            notices: port.queue(QueueName::Notices),
            poster: port,
            roots: SecretCache::new(source, roots, clock.clone()),
            clock,
        };
        let answer = function.invoke(message.as_bytes()).await;
        ProcessEnd::NoticeHandled(is_all_done(answer))
    })
}

/// What a stream hands over, numbered by its place in the batch.
fn item_changes(items: Vec<Item>) -> Vec<ItemChange> {
    let change = |(place, item): (usize, Item)| ItemChange {
        sequence: place.to_string(),
        partition: item.key().partition,
        item: Ok(Some(item)),
    };
    items.into_iter().enumerate().map(change).collect()
}

/// What a function names as failed begins the next batch.
fn first_failed(failed: &[String]) -> Option<usize> {
    failed.iter().filter_map(|place| place.parse().ok()).min()
}

/// Whether a function names no message that must come again.
fn is_all_done(answer: Result<Vec<u8>, Failure>) -> bool {
    answer.is_ok_and(|answer| answer == failures::<&str>(&[]))
}
