//! Events that wait for their provider's API are read again, and ingested as the webhook endpoint
//! would have done.

use domain::ids::{Mode, Reference};
use domain::record::Entry;
use jiff::Timestamp;
use providers::{FetchStep, PROVIDERS, PersonKey, Provider, ReceivedItem, read_again};
use runtime::api::{ApiClient, AskLimits, run_steps};
use runtime::ingest::{IngestItem, ingest};
use runtime::{Clock, Failure};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::audit::PassedOver;
use store::waiting::{WaitingBatch, delete_waiting, read_waiting};
use store::{Key, StoreError, Table};

/// What is asked for at once: a page of a provider's list is as long.
const MAX_BATCH: usize = 40;

/// Batches of one provider in one run; the rest waits a minute.
const BATCHES: u8 = 5;

/// A batch's bounds: nobody waits for an answer here, and the next minute is near.
const LIMITS: AskLimits = AskLimits {
    rounds: 4,
    calls: 200,
    time: Duration::from_secs(10),
};

/// Reads events again that waited for an API.
pub trait WaitingReader: Send + Sync {
    /// An event as it is read now, which waits no more.
    type Complete: Send;

    /// Whose events they are, for log lines.
    fn name(&self) -> &'static str;

    /// What they are parked under.
    fn reference(&self) -> Reference;

    /// What each of them says now, in their order; `None` while it still waits.
    ///
    /// # Errors
    /// When what an API answered can't be used for any of them.
    fn read(
        &self,
        entries: &[Arc<Entry>],
        keys: &PersonKey,
    ) -> impl Future<Output = Result<Vec<Option<Self::Complete>>, Failure>> + Send;

    /// Takes one in, under the receipt of the entry that waited: whoever comes after a crash folds
    /// what was appended.
    ///
    /// # Errors
    /// When it may not be durable.
    fn ingest<T: Table>(
        &self,
        table: &T,
        entry: &Entry,
        complete: Self::Complete,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Reads events of one provider again, by its API.
#[derive(Debug)]
pub struct ApiReader<A> {
    provider: &'static Provider,
    mode: Mode,
    api: A,
}

impl<A: ApiClient> WaitingReader for ApiReader<A> {
    type Complete = ReceivedItem;

    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn reference(&self) -> Reference {
        self.provider.account(self.mode).waiting_reference()
    }

    async fn read(
        &self,
        entries: &[Arc<Entry>],
        keys: &PersonKey,
    ) -> Result<Vec<Option<ReceivedItem>>, Failure> {
        let read = run_steps(&self.api, LIMITS, |fetched| {
            let entries = entries.iter();
            Ok(FetchStep::all(entries.map(|entry| {
                read_again(self.provider, self.mode, entry, fetched, keys)
            })))
        });
        let read: Vec<ReceivedItem> = read
            .await
            .map_err(|refused| Failure::new("Unread", refused.to_string()))?;
        let complete = |item: ReceivedItem| (!item.outcome.is_waiting()).then_some(item);
        Ok(read.into_iter().map(complete).collect())
    }

    async fn ingest<T: Table>(
        &self,
        table: &T,
        entry: &Entry,
        received: ReceivedItem,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let item = IngestItem {
            received,
            received_at: entry.received_at,
            receipt: entry.receipt.clone(),
        };
        ingest(table, self.provider, vec![item], now).await?;
        Ok(())
    }
}

/// What waits for one API, read again batch by batch.
#[derive(Debug)]
pub struct Enrichment<R> {
    reader: R,
    max_batch: usize,
    /// Where the next batch begins: what its API never answers must not keep others waiting.
    /// Forgotten with the process, after which the list is begun anew.
    cursor: Mutex<Option<Key>>,
}

/// What became of what waited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EnrichmentCounts {
    /// Events that wait no more.
    pub(crate) completed: u64,
    /// Events that still do, as far as was looked.
    pub(crate) waiting: u64,
    /// When the oldest of these came.
    pub(crate) since: Option<Timestamp>,
    /// Those of which the content is there and can't be taken in.
    pub(crate) passed_over: PassedOver,
}

impl<A> Enrichment<ApiReader<A>> {
    /// One for every provider whose events do not say everything; `api` makes the client to ask.
    ///
    /// # Errors
    /// Those of `api`.
    pub fn of_all<E>(
        mode: Mode,
        mut api: impl FnMut(&'static Provider) -> Result<A, E>,
    ) -> Result<Vec<Self>, E> {
        let thin = PROVIDERS.iter().copied();
        let thin = thin.filter(|provider| provider.api().is_some());
        thin.map(|provider| {
            let reader = ApiReader {
                provider,
                mode,
                api: api(provider)?,
            };
            Ok(Self::new(reader, MAX_BATCH))
        })
        .collect()
    }
}

impl<R> Enrichment<R> {
    /// What `reader` reads again, at most `max_batch` of it at once.
    pub fn new(reader: R, max_batch: usize) -> Self {
        Self {
            reader,
            max_batch,
            cursor: Mutex::default(),
        }
    }

    fn cursor(&self) -> MutexGuard<'_, Option<Key>> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: WaitingReader> Enrichment<R> {
    /// Whose events they are, for log lines.
    pub(crate) fn name(&self) -> &'static str {
        self.reader.name()
    }

    /// The next of what waits. Where nothing does, this is one request to the table.
    pub(crate) async fn next<T: Table>(&self, table: &T) -> Result<WaitingBatch, StoreError> {
        let reference = self.reader.reference();
        let place = self.cursor().take();
        if place.is_some() {
            let batch = read_waiting(table, &reference, place, self.max_batch).await?;
            if !batch.entries.is_empty() {
                return Ok(batch);
            }
        }
        read_waiting(table, &reference, None, self.max_batch).await
    }

    /// Asks for a batch and those behind it, and takes in what was answered. Where a whole batch
    /// found no answer the API is silent, and the rest waits too.
    pub(crate) async fn complete<T: Table>(
        &self,
        table: &T,
        mut batch: WaitingBatch,
        keys: &PersonKey,
        clock: &Clock,
    ) -> Result<EnrichmentCounts, Failure> {
        let mut asked = EnrichmentCounts::default();
        for _ in 0..BATCHES {
            self.cursor().clone_from(&batch.last);
            let before = asked.completed;
            self.process(table, &batch, keys, clock.now(), &mut asked)
                .await?;
            if asked.completed == before || batch.last.is_none() {
                break;
            }
            batch = self
                .next(table)
                .await
                .map_err(|error| store_failure(&error))?;
        }
        Ok(asked)
    }

    async fn process<T: Table>(
        &self,
        table: &T,
        batch: &WaitingBatch,
        keys: &PersonKey,
        now: Timestamp,
        asked: &mut EnrichmentCounts,
    ) -> Result<(), Failure> {
        let read = self.reader.read(&batch.entries, keys).await?;
        let mut failed = None;
        for (entry, complete) in batch.entries.iter().zip(read) {
            let waits = complete.is_none();
            // Each for itself: what can't be taken in holds up no other.
            let taken = match complete {
                None => Ok(()),
                Some(complete) => self.ingest(table, entry, complete, now).await,
            };
            if waits || taken.is_err() {
                asked.waiting = asked.waiting.saturating_add(1);
                let since = asked.since.unwrap_or(entry.received_at);
                asked.since = Some(since.min(entry.received_at));
            } else {
                asked.completed = asked.completed.saturating_add(1);
            }
            match taken {
                Err(error) if error.is_of_the_item() => {
                    asked.passed_over.add("what waits", error.to_string());
                }
                Err(error) => failed = failed.or(Some(error)),
                Ok(()) => {}
            }
        }
        failed.map_or(Ok(()), |error| Err(store_failure(&error)))
    }

    async fn ingest<T: Table>(
        &self,
        table: &T,
        entry: &Entry,
        complete: R::Complete,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.reader.ingest(table, entry, complete, now).await?;
        // Last: until it is gone somebody asks again, and finds it repeated.
        delete_waiting(table, &self.reader.reference(), &entry.event.id).await
    }
}

impl EnrichmentCounts {
    pub(crate) fn and(self, other: Self) -> Self {
        let since = [self.since, other.since].into_iter().flatten().min();
        Self {
            completed: self.completed.saturating_add(other.completed),
            waiting: self.waiting.saturating_add(other.waiting),
            since,
            passed_over: self.passed_over.and(other.passed_over),
        }
    }
}

pub(crate) fn store_failure(error: &StoreError) -> Failure {
    Failure::new("Store", error.to_string())
}
