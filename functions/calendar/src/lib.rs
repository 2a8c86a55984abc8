//! What the clock asks for: every minute the sweep of what falls due by itself, once a day the
//! audit, which needs no stream and forgets nothing. The schedule's input says which:
//! `{"job": "sweep"}`, `{"job": "audit"}`.

use jiff::SignedDuration;
use runtime::queue::{Queue, SqsQueue};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Failure, Function, Invocation, aws};
use serde::{Deserialize, Serialize};
use store::Table;
use store::audit::walk;
use store::dynamo::DynamoTable;
use store::letters::Order;
use store::sweep::sweep;

/// Pages of the table one run looks at before it leaves the rest to the next.
const PAGES: u32 = 200;

/// Customers of one shard of the index that one sweep looks at; the rest waits a minute.
const MOST: u32 = 250;

/// Run by a schedule.
#[derive(Debug)]
pub struct Calendar<T, Q> {
    /// The table.
    pub table: T,
    /// Where letters are sent from.
    pub letters: Q,
    /// The clock.
    pub clock: Clock,
}

impl Calendar<DynamoTable, SqsQueue> {
    /// As the template's environment describes it: `TABLE`, `LETTERS_QUEUE_URL`.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let sqs = aws::SqsClient::new(&aws::config(settings, aws::Service::Sqs)?);
        let dynamo = aws::DynamoClient::new(&aws::config(settings, aws::Service::DynamoDb)?);
        Ok(Self {
            table: DynamoTable::new(dynamo, settings.required("TABLE")?),
            letters: SqsQueue::new(sqs, settings.required("LETTERS_QUEUE_URL")?),
            clock: Clock::system(),
        })
    }
}

impl<T: Table, Q: Queue> Function for Calendar<T, Q> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let Event { job } = serde_json::from_slice(payload)
                .map_err(|error| Failure::new("NoJob", error.to_string()))?;
            let found = match job {
                Job::Sweep => serde_json::to_vec(&self.sweep().await?),
                Job::Audit => serde_json::to_vec(&self.audit().await?),
            };
            Ok(found.unwrap_or_default())
        })
    }
}

/// A schedule's input.
#[derive(Deserialize)]
struct Event {
    job: Job,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Job {
    Sweep,
    Audit,
}

/// What one sweep came to, for its log line and whoever called it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// Customers looked at.
    pub customers: u64,
    /// Of these, how many stay due.
    pub left: u64,
    /// Whether nothing is left to the next sweep.
    pub complete: bool,
}

/// What one run found, for its log line and whoever called it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Customers looked at.
    pub customers: u64,
    /// Records that had to be made true again.
    pub mended: u64,
    /// Entries that wait for somebody to know whose they are.
    pub parked: u64,
    /// Of these, how many for too long.
    pub parked_long: u64,
    /// How long the one of them has waited that waits longest, in seconds.
    pub parked_age: u64,
    /// How long receivers and stream left something undone, in seconds; the longest.
    pub pending_age: u64,
    /// Quarantined events.
    pub quarantined: u64,
    /// Letters handed to their queue again.
    pub letters_again: u64,
    /// Letters whose outcome will never be known.
    pub unknown: u64,
    /// Whether the walk came to the end of the table.
    pub complete: bool,
}

impl<T: Table, Q: Queue> Calendar<T, Q> {
    /// One sweep.
    ///
    /// # Errors
    /// When the table does not answer; who was not looked at stays due.
    pub async fn sweep(&self) -> Result<Looked, Failure> {
        let swept = sweep(&self.table, MOST, self.clock.now())
            .await
            .map_err(|error| Failure::new("Store", error.to_string()))?;
        let looked = Looked {
            customers: swept.looked,
            left: swept.left,
            complete: swept.complete,
        };
        // Most minutes have nothing to tell, and a log line costs as much as a write.
        if looked.customers > 0 {
            tracing::info!(
                what = "sweep",
                customers = looked.customers,
                left = looked.left,
                complete = looked.complete,
            );
        }
        Ok(looked)
    }

    /// One run of the audit.
    ///
    /// # Errors
    /// When table or queue do not answer; the next run takes up where this one began.
    pub async fn audit(&self) -> Result<Found, Failure> {
        let report = walk(&self.table, PAGES, self.clock.now())
            .await
            .map_err(|error| Failure::new("Store", error.to_string()))?;
        let mut found = Found {
            customers: report.customers,
            mended: report.mended,
            parked: report.parked,
            parked_long: report.parked_long,
            parked_age: seconds(report.parked_age),
            pending_age: seconds(report.pending_age),
            quarantined: report.quarantined,
            letters_again: 0,
            unknown: report.unknown,
            complete: report.complete,
        };
        for row in &report.owed {
            self.letters
                .send(Order::of(row).to_text())
                .await
                .map_err(|error| Failure::new("Queue", error.to_string()))?;
            found.letters_again = found.letters_again.saturating_add(1);
        }
        tracing::info!(
            what = "audit",
            customers = found.customers,
            mended = found.mended,
            parked_long = found.parked_long,
            parked_age = found.parked_age,
            pending_age = found.pending_age,
            quarantined = found.quarantined,
            unknown_letters = found.unknown,
            complete = found.complete,
            metrics = "parked_age pending_age unknown_letters",
        );
        Ok(found)
    }
}

fn seconds(waited: SignedDuration) -> u64 {
    u64::try_from(waited.as_secs()).unwrap_or(0)
}
