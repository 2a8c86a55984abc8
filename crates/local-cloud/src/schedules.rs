//! Functions that are called by the clock on the wall, or because someone asks.

use std::sync::Arc;
use std::time::Duration;

use runtime::function::Function;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify, watch};

use crate::clock::StackClock;
use crate::engine::{ACCOUNT, REGION};
use crate::error::StackError;
use crate::ids;
use crate::invoke::invoke;
use crate::state::{FailedBatch, StackState};

/// A function and how often it is called.
#[derive(Clone)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// The time between two calls, in real time; a stack that starts waits it out once.
    pub interval: Duration,
    /// The function that is called.
    pub function: Arc<dyn Function>,
}

/// A schedule at work.
pub(crate) struct Scheduler {
    pub(crate) schedule: Schedule,
    clock: StackClock,
    state: StackState,
    /// One call at a time: two sweeps of one stack would only race each other.
    run_lock: Mutex<()>,
}

impl Scheduler {
    pub(crate) fn new(schedule: Schedule, clock: StackClock, state: StackState) -> Self {
        Self {
            schedule,
            clock,
            state,
            run_lock: Mutex::new(()),
        }
    }

    /// Calls the function now; a failure is kept as well as returned.
    pub(crate) async fn run(&self) -> Result<(), StackError> {
        let _alone = self.run_lock.lock().await;
        let event = self.event();
        let payload = serde_json::to_vec(&event)?;
        let Err(failure) = invoke(&self.schedule.function, payload).await else {
            return Ok(());
        };
        tracing::error!(schedule = self.schedule.name, %failure, "a scheduled call failed");
        self.state.record_failed_batch(&FailedBatch {
            at: self.clock.now().to_string(),
            source: self.schedule.name.clone(),
            condition: "FunctionFailed".to_owned(),
            message: failure.to_string(),
            size: 1,
            record: event,
        })?;
        Err(StackError::Function(failure))
    }

    fn event(&self) -> Value {
        let name = &self.schedule.name;
        let arn = format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{name}");
        // To the second, as EventBridge writes it.
        let time = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        json!({
            "version": "0",
            "id": ids::fresh(),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT,
            "time": time,
            "region": REGION,
            "resources": [arn],
            "detail": "{}",
            // The input that a schedule of the template adds.
            "job": name,
        })
    }
}

/// Calls by itself until told to stop.
pub(crate) async fn run(
    scheduler: Arc<Scheduler>,
    nudge: Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(scheduler.schedule.interval) => {
                // What failed was kept and logged; the next turn comes in any case.
                let _ = scheduler.run().await;
                nudge.notify_waiters();
            }
            _ = stop.changed() => {}
        }
    }
}
