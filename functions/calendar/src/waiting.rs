//! Events that wait for their provider's API are read again, and ingested as the webhook endpoint
//! would have done.

use domain::ids::Mode;
use domain::record::Entry;
use jiff::Timestamp;
use providers::{FetchStep, PROVIDERS, PersonKey, Provider, ReceivedItem, read_again};
use runtime::api::{ApiClient, AskLimits, run_steps};
use runtime::ingest::{IngestItem, ingest};
use runtime::{Clock, Failure};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
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

/// One provider's API, and what waits for it.
#[derive(Debug)]
pub struct Enrichment<A> {
    provider: &'static Provider,
    mode: Mode,
    api: A,
    /// Where the next batch begins: what its API never answers must not keep others waiting.
    /// Forgotten with the process, after which the list is begun anew.
    cursor: Mutex<Option<Key>>,
}

/// What became of what waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EnrichmentCounts {
    /// Events that wait no more.
    pub(crate) completed: u64,
    /// Events that still do, as far as was looked.
    pub(crate) waiting: u64,
    /// When the oldest of these came.
    pub(crate) since: Option<Timestamp>,
}

impl<A> Enrichment<A> {
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
            Ok(Self {
                provider,
                mode,
                api: api(provider)?,
                cursor: Mutex::default(),
            })
        })
        .collect()
    }
}

impl<A: ApiClient> Enrichment<A> {
    pub(crate) fn provider(&self) -> &'static Provider {
        self.provider
    }

    /// The next of what waits. Where nothing does, this is one request to the table.
    pub(crate) async fn next<T: Table>(&self, table: &T) -> Result<WaitingBatch, StoreError> {
        let reference = self.provider.account(self.mode).waiting_reference();
        let place = self.cursor().take();
        if place.is_some() {
            let batch = read_waiting(table, &reference, place, MAX_BATCH).await?;
            if !batch.entries.is_empty() {
                return Ok(batch);
            }
        }
        read_waiting(table, &reference, None, MAX_BATCH).await
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
        let again = run_steps(&self.api, LIMITS, |fetched| {
            let entries = batch.entries.iter();
            Ok(FetchStep::all(entries.map(|entry| {
                read_again(self.provider, self.mode, entry, fetched, keys)
            })))
        });
        let again: Vec<ReceivedItem> = again
            .await
            .map_err(|refused| Failure::new("Unread", refused.to_string()))?;
        let mut failed = None;
        for (entry, received) in batch.entries.iter().zip(again) {
            let waits = received.outcome.is_waiting();
            // Each for itself: what can't be taken in holds up no other.
            let taken = match waits {
                true => Ok(()),
                false => self.ingest(table, entry, received, now).await,
            };
            if waits || taken.is_err() {
                asked.waiting = asked.waiting.saturating_add(1);
                let since = asked.since.unwrap_or(entry.received_at);
                asked.since = Some(since.min(entry.received_at));
            } else {
                asked.completed = asked.completed.saturating_add(1);
            }
            failed = failed.or(taken.err());
        }
        failed.map_or(Ok(()), |error| Err(store_failure(&error)))
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
            // Its own, so that whoever comes after a crash folds what was appended.
            receipt: entry.receipt.clone(),
        };
        ingest(table, self.provider, vec![item], now).await?;
        // Last: until it is gone somebody asks again, and finds it repeated.
        let reference = self.provider.account(self.mode).waiting_reference();
        delete_waiting(table, &reference, &entry.event.id).await
    }

    fn cursor(&self) -> MutexGuard<'_, Option<Key>> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EnrichmentCounts {
    pub(crate) fn and(self, other: Self) -> Self {
        let since = [self.since, other.since].into_iter().flatten().min();
        Self {
            completed: self.completed.saturating_add(other.completed),
            waiting: self.waiting.saturating_add(other.waiting),
            since,
        }
    }
}

pub(crate) fn store_failure(error: &StoreError) -> Failure {
    Failure::new("Store", error.to_string())
}
