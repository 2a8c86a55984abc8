//! Lambda's event source mapping for the table's stream.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runtime::function::Function;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::batch::{BatchOutcome, batch_outcome};
use crate::clock::StackClock;
use crate::engine::{ACCOUNT, Engine, REGION, StreamChange};
use crate::error::StackError;
use crate::filter::Filter;
use crate::ids;
use crate::invoke::invoke;
use crate::queues::Queues;
use crate::state::{FailedBatch, StackState};
use crate::worker::{Pace, StepFuture, StepOutcome, Worker};

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
    /// What has been tried for longer, in real time, is given up; `None` never gives up. A stack
    /// whose clock is moved on by days has not kept anything waiting for days.
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
    state: StackState,
    clock: StackClock,
    queues: Queues,
    /// Held for a whole step, so that steps do not overlap and a waiter sees a call through.
    progress: Mutex<StreamProgress>,
}

/// What was read and is not done yet, the earliest first.
#[derive(Default)]
struct StreamProgress {
    batches: VecDeque<StreamBatch>,
    /// Where the read ended that the batches are from.
    read_to: Option<String>,
    /// Since when a batch that is not full waits for more.
    waiting: Option<Instant>,
}

struct StreamBatch {
    changes: Vec<StreamChange>,
    retries: u32,
    /// When it was read, by a clock that nobody moves.
    since: Instant,
}

impl Worker for StreamWorker {
    fn name(&self) -> &str {
        &self.mapping.name
    }

    fn step(&self, pace: Pace) -> StepFuture<'_> {
        Box::pin(async move {
            let mut progress = self.progress.lock().await;
            if progress.batches.is_empty() {
                match self.read(&mut progress, pace)? {
                    ReadOutcome::Nothing => return Ok(StepOutcome::Idle),
                    ReadOutcome::Skipped => return Ok(StepOutcome::Progress),
                    ReadOutcome::Batch => {}
                }
            }
            match progress.batches.pop_front() {
                Some(batch) => self.deliver(&mut progress, batch).await,
                None => Ok(StepOutcome::Idle),
            }
        })
    }
}

enum ReadOutcome {
    Nothing,
    Skipped,
    Batch,
}

impl StreamWorker {
    pub(crate) fn new(
        mapping: StreamMapping,
        engine: Engine,
        state: StackState,
        clock: StackClock,
        queues: Queues,
    ) -> Self {
        let progress = Mutex::new(StreamProgress::default());
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

    fn save_checkpoint(&self, sequence: &str) -> Result<(), StackError> {
        self.state.set_value(&self.checkpoint_name(), sequence)
    }

    fn read(&self, progress: &mut StreamProgress, pace: Pace) -> Result<ReadOutcome, StackError> {
        let mapping = &self.mapping;
        let read = self
            .engine
            .changes(self.checkpoint()?.as_deref(), mapping.batch_size)?;
        let Some(last) = read.last().map(|change| change.sequence.clone()) else {
            return Ok(ReadOutcome::Nothing);
        };
        let full = read.len() >= mapping.batch_size;
        let wanted = |change: &StreamChange| {
            let filters = &mapping.filters;
            filters.is_empty() || filters.iter().any(|filter| filter.accepts(&change.record))
        };
        let changes: Vec<StreamChange> = read.into_iter().filter(wanted).collect();
        if changes.is_empty() {
            self.save_checkpoint(&last)?;
            return Ok(ReadOutcome::Skipped);
        }
        let since = *progress.waiting.get_or_insert_with(Instant::now);
        if pace == Pace::Natural && !full && since.elapsed() < mapping.batching_window {
            return Ok(ReadOutcome::Nothing);
        }
        progress.waiting = None;
        progress.read_to = Some(last);
        progress.batches.push_back(StreamBatch {
            changes,
            retries: 0,
            since: Instant::now(),
        });
        Ok(ReadOutcome::Batch)
    }

    async fn deliver(
        &self,
        progress: &mut StreamProgress,
        batch: StreamBatch,
    ) -> Result<StepOutcome, StackError> {
        if self.too_old(&batch) {
            let why = "older than the mapping allows";
            self.give_up(&batch, "RecordAgeExceeded", why)?;
            self.checkpoint_changes(&batch.changes)?;
            self.finish_read(progress)?;
            return Ok(StepOutcome::Progress);
        }
        let changes = &batch.changes;
        let records: Vec<&Value> = changes.iter().map(|change| &change.record).collect();
        let payload = serde_json::to_vec(&json!({ "Records": records }))?;
        let identifiers: Vec<&str> = changes.iter().map(|change| &*change.sequence).collect();
        let (failed_at, cause) = match invoke(&self.mapping.function, payload).await {
            Ok(answer) => match batch_outcome(&answer, &identifiers) {
                BatchOutcome::Done => (None, String::new()),
                BatchOutcome::Failed(places) => (places.first().copied(), reported(&places)),
                BatchOutcome::Unreadable(cause) => (Some(0), cause),
            },
            Err(failure) => (Some(0), failure.to_string()),
        };
        let Some(place) = failed_at else {
            self.checkpoint_changes(changes)?;
            self.finish_read(progress)?;
            return Ok(StepOutcome::Progress);
        };
        tracing::warn!(mapping = self.mapping.name, cause, "a batch failed");
        self.retry(progress, batch, place, &cause)
    }

    /// What was done stays done; the rest is halved, tried again or given up.
    fn retry(
        &self,
        progress: &mut StreamProgress,
        mut batch: StreamBatch,
        place: usize,
        cause: &str,
    ) -> Result<StepOutcome, StackError> {
        let mut rest = batch.changes.split_off(place);
        self.checkpoint_changes(&batch.changes)?;
        let piece = |changes: Vec<StreamChange>, retries| StreamBatch {
            changes,
            retries,
            since: batch.since,
        };
        if self.mapping.bisect_on_error && rest.len() > 1 {
            // Split where the function stopped, else in the middle; neither counts as a retry.
            let second = if place > 0 {
                Vec::new()
            } else {
                rest.split_off(rest.len() / 2)
            };
            if !second.is_empty() {
                progress.batches.push_front(piece(second, batch.retries));
            }
            progress.batches.push_front(piece(rest, batch.retries));
            return Ok(StepOutcome::Progress);
        }
        let rest = piece(rest, batch.retries);
        if self
            .mapping
            .maximum_retry_attempts
            .is_some_and(|most| rest.retries >= most)
        {
            self.give_up(&rest, "RetryAttemptsExhausted", cause)?;
            self.checkpoint_changes(&rest.changes)?;
            self.finish_read(progress)?;
            return Ok(StepOutcome::Progress);
        }
        progress.batches.push_front(StreamBatch {
            retries: rest.retries.saturating_add(1),
            ..rest
        });
        Ok(if place > 0 {
            StepOutcome::Progress
        } else {
            StepOutcome::Failed
        })
    }

    /// Kept after each piece, so that a restart repeats as little as it can.
    fn checkpoint_changes(&self, changes: &[StreamChange]) -> Result<(), StackError> {
        match changes.last() {
            Some(change) => self.save_checkpoint(&change.sequence),
            None => Ok(()),
        }
    }

    /// With the last piece of a read, what was filtered out behind it is done too.
    fn finish_read(&self, progress: &mut StreamProgress) -> Result<(), StackError> {
        if !progress.batches.is_empty() {
            return Ok(());
        }
        match progress.read_to.take() {
            Some(last) => self.save_checkpoint(&last),
            None => Ok(()),
        }
    }

    fn too_old(&self, batch: &StreamBatch) -> bool {
        let limit = self.mapping.maximum_record_age;
        limit.is_some_and(|limit| batch.since.elapsed() > limit)
    }

    fn give_up(
        &self,
        batch: &StreamBatch,
        condition: &str,
        message: &str,
    ) -> Result<(), StackError> {
        let at = self.clock.now().to_string();
        let record = self.invocation_record(batch, condition, &at);
        if let Some(queue) = &self.mapping.on_failure {
            self.queues
                .send(queue, &record.to_string(), &json!({}), Duration::ZERO)?;
        }
        self.state.record_failed_batch(&FailedBatch {
            at,
            source: self.mapping.name.clone(),
            condition: condition.to_owned(),
            message: message.to_owned(),
            size: batch.changes.len(),
            record,
        })
    }

    /// The shape that Lambda sends to an on-failure destination: places, never the items.
    fn invocation_record(&self, batch: &StreamBatch, condition: &str, at: &str) -> Value {
        let StreamBatch {
            changes, retries, ..
        } = batch;
        let sequence = |change: Option<&StreamChange>| change.map(|change| change.sequence.clone());
        let arrival = |change: Option<&StreamChange>| {
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
