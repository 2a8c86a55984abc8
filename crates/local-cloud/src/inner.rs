//! What runs inside a stack, shared by its handle, its pages and its tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::Notify;

use crate::clock::{ClockMove, StackClock};
use crate::engine::Engine;
use crate::error::StackError;
use crate::mail::StackMailbox;
use crate::queues::{Depth, Queues};
use crate::schedules::Scheduler;
use crate::state::{CountedTable, StackState};
use crate::streams::StreamWorker;
use crate::worker::{self, Worker};

/// Everything behind the ports; clones share it.
#[derive(Clone)]
pub(crate) struct StackInner {
    pub(crate) clock: StackClock,
    pub(crate) state: StackState,
    pub(crate) engine: Engine,
    /// Where the table answers.
    pub(crate) table_url: Arc<str>,
    pub(crate) queues: Queues,
    pub(crate) mailbox: StackMailbox,
    pub(crate) streams: Arc<Vec<Arc<StreamWorker>>>,
    /// The stream mappings and the queue mappings.
    pub(crate) workers: Arc<Vec<Arc<dyn Worker>>>,
    pub(crate) schedulers: Arc<Vec<Arc<Scheduler>>>,
    /// Wakes the workers before their next look.
    pub(crate) nudge: Arc<Notify>,
}

/// How much of everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackCounts {
    /// Stream records that a mapping has not behind it, by mapping; at most a thousand.
    pub stream_lag: BTreeMap<String, usize>,
    /// What each queue holds, the dead-letter queues apart.
    pub queues: BTreeMap<String, Depth>,
    /// What each dead-letter queue holds.
    pub dead_letters: BTreeMap<String, u64>,
    /// Batches that were given up, and scheduled calls that failed.
    pub failed_batches: u64,
    /// Mails that were accepted.
    pub mails: u64,
    /// Requests that were refused, of the last thousand.
    pub refusals: u64,
}

impl StackInner {
    /// Delivers everything that is in the streams and the queues, and what follows from it.
    pub(crate) async fn settle(&self) -> Result<(), StackError> {
        worker::settle(&self.workers).await
    }

    /// Runs one schedule now.
    pub(crate) async fn run_schedule(&self, name: &str) -> Result<(), StackError> {
        let named = self
            .schedulers
            .iter()
            .find(|scheduler| scheduler.schedule.name == name);
        let scheduler = named.ok_or_else(|| StackError::UnknownSchedule(name.to_owned()))?;
        let ran = scheduler.run().await;
        self.nudge.notify_waiters();
        ran
    }

    /// Moves the clock. What happened before is delivered at its own time; then items expire, and
    /// schedules find what fell due. What waits for a time does not wait longer when it goes back.
    pub(crate) async fn move_clock(&self, to: ClockMove) -> Result<(), StackError> {
        worker::deliver_waiting(&self.workers).await?;
        let before = self.clock.offset();
        self.clock.turn(to)?;
        let back = before.saturating_sub(self.clock.offset());
        if back > 0 {
            self.queues.clock_went_back(back)?;
        }
        self.engine.expire()?;
        let mut outcome = Ok(());
        for scheduler in self.schedulers.iter() {
            // One that fails keeps none of the others from its turn.
            outcome = outcome.and(scheduler.run().await);
        }
        self.nudge.notify_waiters();
        outcome
    }

    /// How much of everything there is now.
    pub(crate) fn counts(&self) -> Result<StackCounts, StackError> {
        let mut counts = StackCounts {
            stream_lag: BTreeMap::new(),
            queues: BTreeMap::new(),
            dead_letters: BTreeMap::new(),
            failed_batches: self.state.count(CountedTable::FailedBatches)?,
            mails: self.state.count(CountedTable::Mails)?,
            refusals: self.state.count(CountedTable::Refusals)?,
        };
        for stream in self.streams.iter() {
            counts
                .stream_lag
                .insert(stream.name().to_owned(), stream.lag()?);
        }
        let dead: Vec<&str> = self
            .queues
            .all()
            .filter_map(|(_, queue)| queue.dead_letters.as_ref().map(|(dead, _)| dead.as_str()))
            .collect();
        for (name, _) in self.queues.all() {
            let depth = self.queues.depth(name)?;
            if dead.contains(&name) {
                let held = [depth.visible, depth.in_flight, depth.delayed];
                counts
                    .dead_letters
                    .insert(name.to_owned(), held.iter().sum());
            } else {
                counts.queues.insert(name.to_owned(), depth);
            }
        }
        Ok(counts)
    }
}
