//! What the clock asks for: every minute the due scan of what falls due by itself and of what waits
//! for a provider's API, once a day the audit, which needs no stream and forgets nothing. The
//! schedule's input says which: `{"job":"due_scan"}`, `{"job": "audit"}`.

mod waiting;

pub use waiting::{ApiReader, Enrichment, WaitingReader};

use crate::waiting::{EnrichmentCounts, store_failure};
use jiff::SignedDuration;
use providers::PersonKey;
use runtime::api::{HttpApi, StageApis};
use runtime::aws::Cloud;
use runtime::queue::{Queue, QueueError, SqsQueue};
use runtime::secrets::{KeyPurpose, SecretCache, SecretSource, person_key};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Failure, Function, Invocation};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::Table;
use store::audit::walk;
use store::due_scan::scan_due;
use store::dynamo::DynamoTable;
use store::letters::SendTask;
use store::notices::{DeliveryState, clear_due};
use store::redacted_json_error::RedactedJsonError;
use store::tiers;

/// Pages of the table one run looks at before it leaves the rest to the next.
const PAGES: u32 = 200;

/// Customers of one shard of the index that one due scan looks at; the rest waits a minute.
const MAX_CUSTOMERS: u32 = 250;

/// Run by a schedule.
#[derive(Debug)]
pub struct Calendar<T, Q, R = ApiReader<Option<HttpApi>>> {
    /// The table.
    pub table: T,
    /// Where letters are sent from.
    pub letters: Q,
    /// The queue of partners' notices.
    pub notices: Q,
    /// The providers whose events may wait for their API.
    pub enrichments: Vec<Enrichment<R>>,
    /// Turns e-mail addresses into persons.
    pub person_key: SecretCache<PersonKey>,
    /// The clock.
    pub clock: Clock,
}

impl Calendar<DynamoTable, SqsQueue> {
    /// As the template's environment describes it: `TABLE`, `LETTERS_QUEUE_URL`,
    /// `NOTICES_QUEUE_URL`, `MODE`, `STAGE`, and `API_URL_` and a provider's name in capitals
    /// where something stands in for its own API.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let cloud = Cloud::from_settings(settings)?;
        let ssm = cloud.ssm();
        let (mode, stage) = (settings.mode()?, settings.required("STAGE")?);
        let clock = Clock::system();
        let apis = StageApis::new(mode, stage, &ssm, &clock);
        let enrichments = Enrichment::of_all(mode, |provider| {
            let base = format!("API_URL_{}", provider.name().to_ascii_uppercase());
            apis.api(provider, settings.optional(&base))
        });
        let persons = SecretSource::of_keys(&ssm, stage, KeyPurpose::Persons);
        Ok(Self {
            table: DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?),
            letters: SqsQueue::new(cloud.sqs(), settings.required("LETTERS_QUEUE_URL")?),
            notices: SqsQueue::new(cloud.sqs(), settings.required("NOTICES_QUEUE_URL")?),
            enrichments: enrichments?,
            person_key: SecretCache::new(persons, person_key, clock.clone()),
            clock,
        })
    }
}

impl<T: Table, Q: Queue, R: WaitingReader> Function for Calendar<T, Q, R> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let ScheduledEvent { job } = serde_json::from_slice(payload).map_err(|error| {
                Failure::new("NoJob", RedactedJsonError::from(error).to_string())
            })?;
            let found = match job {
                Job::DueScan => serde_json::to_vec(&self.due_scan().await?),
                Job::Audit => serde_json::to_vec(&self.audit().await?),
            };
            Ok(found.unwrap_or_default())
        })
    }
}

/// A schedule's input.
#[derive(Deserialize)]
struct ScheduledEvent {
    job: Job,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Job {
    DueScan,
    Audit,
}

/// What one due scan came to, for its log line and whoever called it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DueScanSummary {
    /// Customers looked at.
    pub customers: u64,
    /// Of these, how many stay due.
    pub still_due: u64,
    /// Rows enqueued because a notice of them is due.
    pub notices: u64,
    /// Whether nothing is left to the next due scan.
    pub complete: bool,
    /// Events that waited for their provider's API, and wait no more.
    pub completed: u64,
    /// Events that still wait for it, as far as was looked.
    pub waiting: u64,
    /// How long the one of them has waited that waits longest, in seconds.
    pub waiting_age: u64,
}

/// What one run found, for its log line and whoever called it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditSummary {
    /// Customers looked at.
    pub customers: u64,
    /// Records that had to be made true again.
    pub repaired: u64,
    /// Entries that wait for their customer to become known.
    pub parked: u64,
    /// Of these, how many for too long.
    pub parked_overdue: u64,
    /// How long the one of them has waited that waits longest, in seconds.
    pub parked_age: u64,
    /// Events that wait for their provider's API.
    pub waiting: u64,
    /// How long receivers and stream left something undone, in seconds; the longest.
    pub pending_age: u64,
    /// Quarantined events.
    pub quarantined: u64,
    /// Letters handed to their queue again.
    pub letters_requeued: u64,
    /// Rows enqueued again because their notices seem to be lost.
    pub notices_requeued: u64,
    /// Letters whose outcome will never be known.
    pub unknown_letters: u64,
    /// Partners whose customers' number brought them to another tier.
    pub tiers: u64,
    /// Whether the walk came to the end of the table.
    pub complete: bool,
}

impl<T: Table, Q: Queue, R: WaitingReader> Calendar<T, Q, R> {
    /// One due scan: of customers, then of what waits, whatever became of the first.
    ///
    /// # Errors
    /// When the table or Parameter Store do not answer; who was not looked at stays due, and what
    /// waits goes on waiting.
    pub async fn due_scan(&self) -> Result<DueScanSummary, Failure> {
        let swept = scan_due(&self.table, MAX_CUSTOMERS, self.clock.now()).await;
        let asked = self.complete_waiting().await;
        let (swept, asked) = (swept.map_err(|error| store_failure(&error))?, asked?);
        self.enqueue_due_notices(&swept.due_notices).await?;
        let looked = DueScanSummary {
            customers: swept.customers,
            still_due: swept.still_due,
            notices: count(swept.due_notices.len()),
            complete: swept.complete,
            completed: asked.completed,
            waiting: asked.waiting,
            waiting_age: self.age(&asked),
        };
        // Most minutes have nothing to tell, and a log line costs as much as a write.
        if looked.customers > 0 || looked.notices > 0 {
            tracing::info!(
                what = "due_scan",
                customers = looked.customers,
                still_due = looked.still_due,
                notices = looked.notices,
                complete = looked.complete,
            );
        }
        Ok(looked)
    }

    /// Hands rows over of which there is more to tell: what a hold's end releases, what an
    /// endpoint missed while it was off. First to the queue, then out of the index: who dies in
    /// between hands them over twice.
    async fn enqueue_due_notices(&self, all: &[Arc<DeliveryState>]) -> Result<(), Failure> {
        for state in all {
            self.notices
                .send(state.task().to_text())
                .await
                .map_err(|error| queue_failure(&error))?;
            clear_due(&self.table, state)
                .await
                .map_err(|error| store_failure(&error))?;
        }
        Ok(())
    }

    /// Asks once more for what waits.
    async fn complete_waiting(&self) -> Result<EnrichmentCounts, Failure> {
        let mut all = EnrichmentCounts::default();
        for enrichment in &self.enrichments {
            let batch = enrichment.next(&self.table).await;
            let batch = batch.map_err(|error| store_failure(&error))?;
            if batch.entries.is_empty() {
                continue;
            }
            let keys = self.person_key.in_force().await;
            let keys = keys.map_err(|error| Failure::new("NoSecrets", error.to_string()))?;
            let asked = enrichment.complete(&self.table, batch, &keys, &self.clock);
            let asked = asked.await?;
            tracing::info!(
                what = "waiting",
                provider = enrichment.name(),
                completed = asked.completed,
                waiting = asked.waiting,
                waiting_age = self.age(&asked),
                metrics = "waiting_age",
            );
            all = all.and(asked);
        }
        Ok(all)
    }

    fn age(&self, asked: &EnrichmentCounts) -> u64 {
        let since = asked
            .since
            .map(|since| self.clock.now().duration_since(since));
        since.map_or(0, seconds)
    }

    /// One run of the audit.
    ///
    /// # Errors
    /// When the table does not answer: the next run begins where this one began. When the queue
    /// does not: what was not enqueued waits for the next round.
    pub async fn audit(&self) -> Result<AuditSummary, Failure> {
        let report = walk(&self.table, PAGES, self.clock.now())
            .await
            .map_err(|error| store_failure(&error))?;
        let mut found = AuditSummary {
            customers: report.customers,
            repaired: report.repaired,
            parked: report.parked,
            parked_overdue: report.parked_overdue,
            parked_age: seconds(report.parked_age),
            waiting: report.waiting,
            pending_age: seconds(report.pending_age),
            quarantined: report.quarantined,
            letters_requeued: 0,
            notices_requeued: count(report.undelivered.len()),
            unknown_letters: report.unknown_letters,
            tiers: 0,
            complete: report.complete,
        };
        for row in &report.overdue_letters {
            self.letters
                .send(SendTask::of(row).to_text())
                .await
                .map_err(|error| queue_failure(&error))?;
            found.letters_requeued = found.letters_requeued.saturating_add(1);
        }
        for task in &report.undelivered {
            self.notices
                .send(task.to_text())
                .await
                .map_err(|error| queue_failure(&error))?;
        }
        if let Some(active) = &report.active {
            let settled = tiers::reconcile_tiers(&self.table, active, self.clock.now()).await;
            found.tiers = settled.map_err(|error| store_failure(&error))?;
        }
        tracing::info!(
            what = "audit",
            customers = found.customers,
            repaired = found.repaired,
            parked_overdue = found.parked_overdue,
            parked_age = found.parked_age,
            pending_age = found.pending_age,
            quarantined = found.quarantined,
            unknown_letters = found.unknown_letters,
            notices_requeued = found.notices_requeued,
            tiers = found.tiers,
            complete = found.complete,
            metrics = "parked_age pending_age unknown_letters",
        );
        Ok(found)
    }
}

fn queue_failure(error: &QueueError) -> Failure {
    Failure::new("Queue", error.to_string())
}

fn count(all: usize) -> u64 {
    u64::try_from(all).unwrap_or(u64::MAX)
}

fn seconds(waited: SignedDuration) -> u64 {
    u64::try_from(waited.as_secs()).unwrap_or(0)
}
