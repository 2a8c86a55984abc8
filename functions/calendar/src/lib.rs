//! What the clock asks for: every minute the due scan of what falls due by itself and of what waits
//! for a provider's API, once a day the audit, which needs no stream and forgets nothing. The
//! schedule's input says which: `{"job":"due_scan"}`, `{"job": "audit"}`.

mod audit;
mod waiting;

pub use audit::AuditSummary;
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
use store::audit::PassedOver;
use store::due_scan::scan_due;
use store::dynamo::DynamoTable;
use store::notices::{DeliveryState, clear_due};
use store::redacted_json_error::RedactedJsonError;

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
    /// Whose work failed: they stay due.
    pub passed_over: u64,
    /// Rows enqueued because a notice of them is due.
    pub notices: u64,
    /// Customers to whom an entry was handed that many are to get.
    pub fanned_out: u64,
    /// Whether nothing is left to the next due scan.
    pub complete: bool,
    /// Events that waited for their provider's API, and wait no more.
    pub completed: u64,
    /// Events that still wait for it, as far as was looked.
    pub waiting: u64,
    /// How long the one of them has waited that waits longest, in seconds.
    pub waiting_age: u64,
}

impl<T: Table, Q: Queue, R: WaitingReader> Calendar<T, Q, R> {
    /// One due scan: of customers, then of what waits, whatever became of the first.
    ///
    /// # Errors
    /// When the table or Parameter Store do not answer; who was not looked at stays due, and what
    /// waits goes on waiting.
    pub async fn due_scan(&self) -> Result<DueScanSummary, Failure> {
        let swept = scan_due(&self.table, MAX_CUSTOMERS, self.clock.now()).await;
        let mut swept = swept.map_err(|error| store_failure(&error));
        let handed_over = match &mut swept {
            Ok(swept) => {
                self.enqueue_due_notices(&swept.due_notices, &mut swept.passed_over)
                    .await
            }
            Err(_) => Ok(()),
        };
        let asked = self.complete_waiting().await;
        let mut swept = swept?;
        handed_over?;
        let asked = asked?;
        swept.passed_over.extend(asked.passed_over.clone());
        let looked = DueScanSummary {
            customers: swept.customers,
            passed_over: swept.passed_over.count,
            notices: count(swept.due_notices.len()),
            fanned_out: swept.fanned_out,
            complete: swept.complete,
            completed: asked.completed,
            waiting: asked.waiting,
            waiting_age: self.age(&asked),
        };
        // Most minutes have nothing to tell, and a log line costs as much as a write.
        let is_idle = [
            looked.customers,
            looked.notices,
            looked.fanned_out,
            looked.passed_over,
        ]
        .iter()
        .all(|count| *count == 0);
        if !is_idle {
            tracing::info!(
                what = "due_scan",
                customers = looked.customers,
                passed_over = looked.passed_over,
                notices = looked.notices,
                fanned_out = looked.fanned_out,
                complete = looked.complete,
                metrics = passed_over_metric(looked.passed_over),
            );
        }
        name_passed_over("due_scan", &swept.passed_over);
        self.tell_audit_age().await?;
        Ok(looked)
    }

    /// Hands rows over of which there is more to tell: what a hold's end releases, what an
    /// endpoint missed while it was off. First to the queue, then out of the index: who dies in
    /// between hands them over twice.
    async fn enqueue_due_notices(
        &self,
        all: &[Arc<DeliveryState>],
        passed_over: &mut PassedOver,
    ) -> Result<(), Failure> {
        for state in all {
            let task = state.task();
            self.notices
                .send(task.to_text())
                .await
                .map_err(|error| queue_failure(&error))?;
            match clear_due(&self.table, state).await {
                Ok(()) => {}
                Err(error) if error.is_of_the_item() => {
                    passed_over.add(&task.addressee.to_string(), error.to_string());
                }
                Err(error) => return Err(store_failure(&error)),
            }
        }
        Ok(())
    }

    /// Asks once more for what waits, each provider by itself. One that fails holds up no other.
    async fn complete_waiting(&self) -> Result<EnrichmentCounts, Failure> {
        let mut all = EnrichmentCounts::default();
        let mut failed = None;
        for enrichment in &self.enrichments {
            match self.complete_waiting_of(enrichment).await {
                Ok(asked) => all = all.and(asked),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        failed.map_or(Ok(all), Err)
    }

    async fn complete_waiting_of(
        &self,
        enrichment: &Enrichment<R>,
    ) -> Result<EnrichmentCounts, Failure> {
        let batch = enrichment.next(&self.table).await;
        let batch = batch.map_err(|error| store_failure(&error))?;
        if batch.entries.is_empty() {
            return Ok(EnrichmentCounts::default());
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
        Ok(asked)
    }

    fn age(&self, asked: &EnrichmentCounts) -> u64 {
        let since = asked
            .since
            .map(|since| self.clock.now().duration_since(since));
        since.map_or(0, seconds)
    }
}

/// A line for each of those whose work failed, as far as they are named.
fn name_passed_over(what: &str, passed_over: &PassedOver) {
    for one in &passed_over.named {
        tracing::warn!(what, verdict = "passed_over", who = one.name, why = one.why);
    }
}

/// The metric's name, where there is something to count.
fn passed_over_metric(count: u64) -> Option<&'static str> {
    (count > 0).then_some("passed_over")
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
