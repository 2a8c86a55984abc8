//! What pulls from a stream or a queue: one step at a time, by itself or because someone waits.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::error::StackError;

/// An event source mapping: it reads, calls its function, and keeps how far it came.
pub(crate) trait Worker: Send + Sync {
    /// Its name, for people.
    fn name(&self) -> &str;
    /// At most one invocation; steps of one worker never overlap.
    fn step(&self, pace: Pace) -> StepFuture<'_>;
}

/// A step under way.
pub(crate) type StepFuture<'a> =
    Pin<Box<dyn Future<Output = Result<StepOutcome, StackError>> + Send + 'a>>;

/// How patient a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As in Lambda: batching windows and visibility time-outs are waited for.
    Natural,
    /// Someone waits for quiet: windows close and failed messages come back at once.
    AtOnce,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StepOutcome {
    /// Nothing to do now.
    Idle,
    /// Something was delivered, skipped or given up: less is left than before.
    Progress,
    /// The function failed and the same will be tried again.
    Failed,
}

/// Steps until told to stop; wakes by itself, and at once when nudged.
pub(crate) async fn run(
    worker: Arc<dyn Worker>,
    nudge: Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    let mut failures: u32 = 0;
    while !*stop.borrow() {
        let wait = match worker.step(Pace::Natural).await {
            Ok(StepOutcome::Progress) => {
                failures = 0;
                continue;
            }
            Ok(StepOutcome::Idle) => {
                failures = 0;
                IDLE_INTERVAL
            }
            Ok(StepOutcome::Failed) => {
                failures = failures.saturating_add(1);
                backoff(failures)
            }
            Err(StackError::Closed) => return,
            Err(cause) => {
                tracing::error!(worker = worker.name(), %cause, "a mapping could not step");
                failures = failures.saturating_add(1);
                backoff(failures)
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = nudge.notified(), if failures == 0 => {}
            _ = stop.changed() => {}
        }
    }
}

/// Steps all workers until a whole round finds nothing to do.
///
/// # Errors
/// [`StackError::Busy`] if something still fails after every bounded try.
pub(crate) async fn settle(workers: &[Arc<dyn Worker>]) -> Result<(), StackError> {
    let mut fruitless: usize = 0;
    for _ in 0..MAX_ROUNDS {
        let (mut idle, mut progress) = (true, false);
        let mut failing = "";
        for worker in workers {
            match worker.step(Pace::AtOnce).await? {
                StepOutcome::Idle => {}
                StepOutcome::Progress => (idle, progress) = (false, true),
                StepOutcome::Failed => (idle, failing) = (false, worker.name()),
            }
        }
        if idle {
            return Ok(());
        }
        fruitless = if progress {
            0
        } else {
            fruitless.saturating_add(1)
        };
        if fruitless >= MAX_FRUITLESS_ROUNDS {
            return Err(StackError::Busy(format!(
                "`{failing}` fails again and again"
            )));
        }
    }
    Err(StackError::Busy(format!(
        "work came in for {MAX_ROUNDS} rounds"
    )))
}

/// Delivers what can be delivered; what fails is tried once and keeps its other tries.
pub(crate) async fn deliver_waiting(workers: &[Arc<dyn Worker>]) -> Result<(), StackError> {
    let mut failing = vec![false; workers.len()];
    for _ in 0..MAX_ROUNDS {
        let mut progress = false;
        for (worker, failing) in workers.iter().zip(&mut failing) {
            if *failing {
                continue;
            }
            match worker.step(Pace::AtOnce).await? {
                StepOutcome::Idle => {}
                StepOutcome::Progress => progress = true,
                StepOutcome::Failed => *failing = true,
            }
        }
        if !progress {
            break;
        }
    }
    Ok(())
}

fn backoff(failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures.min(6)).unwrap_or(u32::MAX);
    FIRST_RETRY.saturating_mul(factor).min(LAST_RETRY)
}

const IDLE_INTERVAL: Duration = Duration::from_millis(50);
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);
/// More rounds than any sensible backlog has batches.
const MAX_ROUNDS: usize = 100_000;
/// A mapping that retries for ever never gets quiet: this many tries in a row say so.
const MAX_FRUITLESS_ROUNDS: usize = 200;
