//! Lambda's event source mapping for the table's stream.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runtime::function::Function;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::batch::{Outcome, outcome};
use super::clock::StackClock;
use super::engine::{ACCOUNT, Change, Engine, REGION};
use super::error::StackError;
use super::filter::Filter;
use super::ids;
use super::invoke::invoke;
use super::queues::Queues;
use super::state::{FailedBatch, State};
use super::worker::{Pace, Step, Stepping, Worker};

/// The settings of one mapping, by the names that Lambda gives them; one batch at a time.
#[derive(Clone)]
pub struct StreamMapping {
    /// Its name; the checkpoint is kept under it.
    pub name: String,
    /// The function that is called.
    pub function: Arc<dyn Function>,
    /// At most this many records a call.
    pub batch_size: usize,
    /// How long a first record waits for others; `settle` does not wait.
    pub batching_window: Duration,
    /// Retries after the first try; `None` retries for ever, as Lambda does unless told.
    pub maximum_retry_attempts: Option<u32>,
    /// Older records, by the stack's clock, are given up; `None` never gives up.
    pub maximum_record_age: Option<Duration>,
    /// Halve a failed batch; halving does not count as a retry.
    pub bisect_on_error: bool,
    /// The queue that hears of batches given up; the stack's state keeps them in any case.
    pub on_failure: Option<String>,
    /// Records that match one of these are delivered; all, if there are none.
    pub filters: Vec<Filter>,
}

/// A mapping at work.
pub(crate) struct StreamWorker {
    mapping: StreamMapping,
    engine: Engine,
    state: State,
    clock: StackClock,
    queues: Queues,
    /// Held for a whole step, so that steps do not overlap and a waiter sees a call through.
    progress: Mutex<Progress>,
}

/// What was read and is not done yet, the earliest first.
#[derive(Default)]
struct Progress {
    batches: VecDeque<Batch>,
    /// Where the read ended that the batches are from.
    read_to: Option<String>,
    /// Since when a batch that is not full waits for more.
    waiting: Option<Instant>,
}

#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    retries: u32,
}

impl Worker for StreamWorker {
    fn name(&self) -> &str {
        &self.mapping.name
    }

    fn step(&self, pace: Pace) -> Stepping<'_> {
        Box::pin(async move {
            let mut progress = self.progress.lock().await;
            if progress.batches.is_empty() {
                match self.read(&mut progress, pace)? {
                    Read::Nothing => return Ok(Step::Idle),
                    Read::Skipped => return Ok(Step::Progress),
                    Read::Batch => {}
                }
            }
            match progress.batches.pop_front() {
                Some(batch) => self.deliver(&mut progress, batch).await,
                None => Ok(Step::Idle),
            }
        })
    }
}

enum Read {
    Nothing,
    Skipped,
    Batch,
}

impl StreamWorker {
    pub(crate) fn new(
        mapping: StreamMapping,
        engine: Engine,
        state: State,
        clock: StackClock,
        queues: Queues,
    ) -> Self {
        let progress = Mutex::new(Progress::default());
        Self {
            mapping,
            engine,
            state,
            clock,
            queues,
            progress,
        }
    }

    /// How many records of the stream are not behind this mapping; at most a thousand.
    pub(crate) fn lag(&self) -> Result<usize, StackError> {
        Ok(self
            .engine
            .changes(self.checkpoint()?.as_deref(), 1_000)?
            .len())
    }

    /// The last record that is done for this mapping.
    pub(crate) fn checkpoint(&self) -> Result<Option<String>, StackError> {
        self.state.value(&self.checkpoint_name())
    }

    fn checkpoint_name(&self) -> String {
        format!("checkpoint/{}", self.mapping.name)
    }

    fn keep_checkpoint(&self, sequence: &str) -> Result<(), StackError> {
        self.state.keep_value(&self.checkpoint_name(), sequence)
    }

    fn read(&self, progress: &mut Progress, pace: Pace) -> Result<Read, StackError> {
        let mapping = &self.mapping;
        let read = self
            .engine
            .changes(self.checkpoint()?.as_deref(), mapping.batch_size)?;
        let Some(last) = read.last().map(|change| change.sequence.clone()) else {
            return Ok(Read::Nothing);
        };
        let full = read.len() >= mapping.batch_size;
        let wanted = |change: &Change| {
            let filters = &mapping.filters;
            filters.is_empty() || filters.iter().any(|filter| filter.accepts(&change.record))
        };
        let changes: Vec<Change> = read.into_iter().filter(wanted).collect();
        if changes.is_empty() {
            self.keep_checkpoint(&last)?;
            return Ok(Read::Skipped);
        }
        let since = *progress.waiting.get_or_insert_with(Instant::now);
        if pace == Pace::Natural && !full && since.elapsed() < mapping.batching_window {
            return Ok(Read::Nothing);
        }
        progress.waiting = None;
        progress.read_to = Some(last);
        progress.batches.push_back(Batch {
            changes,
            retries: 0,
        });
        Ok(Read::Batch)
    }

    async fn deliver(&self, progress: &mut Progress, batch: Batch) -> Result<Step, StackError> {
        let Batch {
            changes: mut old,
            retries,
        } = batch;
        // Only the run at the front: the checkpoint must not pass a record that is still tried.
        let young = old
            .iter()
            .position(|change| !self.too_old(change))
            .unwrap_or(old.len());
        let changes = old.split_off(young);
        if !old.is_empty() {
            self.give_up(
                &old,
                "RecordAgeExceeded",
                retries,
                "older than the mapping allows",
            )?;
            self.done(&old)?;
        }
        if changes.is_empty() {
            self.read_on(progress)?;
            return Ok(Step::Progress);
        }
        let records: Vec<&Value> = changes.iter().map(|change| &change.record).collect();
        let payload = serde_json::to_vec(&json!({ "Records": records }))?;
        let identifiers: Vec<&str> = changes.iter().map(|change| &*change.sequence).collect();
        let (failed_at, cause) = match invoke(&self.mapping.function, payload).await {
            Ok(answer) => match outcome(&answer, &identifiers) {
                Outcome::Done => (None, String::new()),
                Outcome::Failed(places) => (places.first().copied(), reported(&places)),
                Outcome::Unreadable(cause) => (Some(0), cause),
            },
            Err(failure) => (Some(0), failure.to_string()),
        };
        let Some(place) = failed_at else {
            self.done(&changes)?;
            self.read_on(progress)?;
            return Ok(Step::Progress);
        };
        tracing::warn!(mapping = self.mapping.name, cause, "a batch failed");
        self.again(progress, Batch { changes, retries }, place, &cause)
    }

    /// What was done stays done; the rest is halved, tried again or given up.
    fn again(
        &self,
        progress: &mut Progress,
        batch: Batch,
        place: usize,
        cause: &str,
    ) -> Result<Step, StackError> {
        let Batch {
            mut changes,
            retries,
        } = batch;
        let mut rest = changes.split_off(place);
        self.done(&changes)?;
        if self.mapping.bisect_on_error && rest.len() > 1 {
            // Split where the function stopped, else in the middle; neither counts as a retry.
            let second = if place > 0 {
                Vec::new()
            } else {
                rest.split_off(rest.len() / 2)
            };
            if !second.is_empty() {
                progress.batches.push_front(Batch {
                    changes: second,
                    retries,
                });
            }
            progress.batches.push_front(Batch {
                changes: rest,
                retries,
            });
            return Ok(Step::Progress);
        }
        if self
            .mapping
            .maximum_retry_attempts
            .is_some_and(|most| retries >= most)
        {
            self.give_up(&rest, "RetryAttemptsExhausted", retries, cause)?;
            self.done(&rest)?;
            self.read_on(progress)?;
            return Ok(Step::Progress);
        }
        let retries = retries.saturating_add(1);
        progress.batches.push_front(Batch {
            changes: rest,
            retries,
        });
        Ok(if place > 0 {
            Step::Progress
        } else {
            Step::Failed
        })
    }

    /// Kept after each piece, so that a restart repeats as little as it can.
    fn done(&self, changes: &[Change]) -> Result<(), StackError> {
        match changes.last() {
            Some(change) => self.keep_checkpoint(&change.sequence),
            None => Ok(()),
        }
    }

    /// With the last piece of a read, what was filtered out behind it is done too.
    fn read_on(&self, progress: &mut Progress) -> Result<(), StackError> {
        if !progress.batches.is_empty() {
            return Ok(());
        }
        match progress.read_to.take() {
            Some(last) => self.keep_checkpoint(&last),
            None => Ok(()),
        }
    }

    fn too_old(&self, change: &Change) -> bool {
        let age = self.clock.now().as_millisecond().saturating_sub(change.at);
        let limit = self.mapping.maximum_record_age.map(|age| age.as_millis());
        limit.is_some_and(|limit| i128::from(age) > i128::try_from(limit).unwrap_or(i128::MAX))
    }

    fn give_up(
        &self,
        changes: &[Change],
        condition: &str,
        retries: u32,
        message: &str,
    ) -> Result<(), StackError> {
        let at = self.clock.now().to_string();
        let record = self.invocation_record(changes, condition, retries, &at);
        if let Some(queue) = &self.mapping.on_failure {
            self.queues
                .send(queue, &record.to_string(), &json!({}), Duration::ZERO)?;
        }
        self.state.give_up(&FailedBatch {
            at,
            source: self.mapping.name.clone(),
            condition: condition.to_owned(),
            message: message.to_owned(),
            size: changes.len(),
            record,
        })
    }

    /// The shape that Lambda sends to an on-failure destination: places, never the items.
    fn invocation_record(
        &self,
        changes: &[Change],
        condition: &str,
        retries: u32,
        at: &str,
    ) -> Value {
        let sequence = |change: Option<&Change>| change.map(|change| change.sequence.clone());
        let arrival = |change: Option<&Change>| {
            let at = change.and_then(|c| jiff::Timestamp::from_millisecond(c.at).ok());
            at.map(|at| at.to_string())
        };
        let name = &self.mapping.name;
        json!({
            "version": "1.0",
            "timestamp": at,
            "requestContext": {
                "requestId": ids::fresh(),
                "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"),
                "condition": condition,
                "approximateInvokeCount": retries.saturating_add(1),
            },
            "responseContext": {
                "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled",
            },
            "DDBStreamBatchInfo": {
                "shardId": self.engine.shard(),
                "startSequenceNumber": sequence(changes.first()),
                "endSequenceNumber": sequence(changes.last()),
                "approximateArrivalOfFirstRecord": arrival(changes.first()),
                "approximateArrivalOfLastRecord": arrival(changes.last()),
                "batchSize": changes.len(),
                "streamArn": self.engine.stream_arn(),
            },
        })
    }
}

fn reported(places: &[usize]) -> String {
    format!("the function reported {} failed", places.len())
}
