//! What the clock asks for: the audit, which needs no stream and forgets nothing.

use runtime::queue::{Queue, SqsQueue};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Failure, Function, Invocation, aws};
use serde::Serialize;
use store::Table;
use store::audit::walk;
use store::dynamo::DynamoTable;
use store::letters::Order;

/// Pages of the table one run looks at before it leaves the rest to the next.
const PAGES: u32 = 200;

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
    fn invoke<'a>(&'a self, _payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let found = self.audit().await?;
            Ok(serde_json::to_vec(&found).unwrap_or_default())
        })
    }
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
            quarantined = found.quarantined,
            unknown = found.unknown,
            complete = found.complete,
        );
        Ok(found)
    }
}
