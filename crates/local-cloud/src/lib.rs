//! The local stack: the table, the gateway, the stream, the queues and the mailbox in one
//! process, on loopback alone.

pub mod batch;
pub mod clock;
pub mod engine;
pub mod error;
pub mod filter;
pub mod name_value;
pub mod mail;
pub mod private_file;
pub mod queue_mapping;
pub mod queues;
pub mod routes;
pub mod schedules;
pub mod recorded_requests;
pub mod state;
pub mod streams;

mod aws;
mod control;
mod gateway;
pub mod guard;
mod http_event;
mod ids;
mod inner;
mod invoke;
mod ports;
mod ses;
mod sqs;
mod table_api;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use jiff::{SignedDuration, Timestamp};

use crate::clock::{ClockMove, StackClock};
use crate::engine::{Engine, TABLE, TABLE_FILE};
use crate::error::StackError;
use crate::gateway::Gateway;
use crate::inner::StackInner;
use crate::mail::StackMailbox;
use crate::ports::{Ports, Routers, Tasks};
use crate::queue_mapping::{QueueMapping, QueueWorker};
use crate::queues::{QueueSettings, Queues};
use crate::recorded_requests::RequestObserver;
use crate::routes::Route;
use crate::schedules::{Schedule, Scheduler};
use crate::state::{STATE_FILE, StackState};
use crate::streams::{StreamMapping, StreamWorker};
use crate::worker::Worker;

pub use crate::inner::StackCounts;

/// Where a stack listens and keeps what it knows.
#[derive(Clone, Debug, Default)]
pub struct StackSettings {
    /// The gateway's port; 0 takes any free one.
    pub port: u16,
    /// The table's port; 0 takes any free one.
    pub table_port: u16,
    /// The directory that outlives the process; without one, memory.
    pub data: Option<PathBuf>,
    /// The moment to begin at; without one, the kept offset from real time.
    pub clock: Option<Timestamp>,
}

/// What a wiring needs to know to build its functions.
#[derive(Clone)]
pub struct StackEndpoints {
    /// The gateway, without a slash at its end.
    pub gateway_url: String,
    /// The DynamoDB API.
    pub table_url: String,
    /// The one table.
    pub table_name: String,
    /// The SQS and SES APIs.
    pub aws_url: String,
    /// The clock that functions must take for now.
    pub clock: StackClock,
    /// Refused requests and failed batches, for pages.
    pub state: StackState,
    /// The mailbox, for pages.
    pub mailbox: StackMailbox,
    /// The table in process, for pages.
    pub engine: Engine,
}

impl StackEndpoints {
    /// The URL by which the SDK names a queue.
    pub fn queue_url(&self, name: &str) -> String {
        sqs::queue_url(&self.aws_url, name)
    }
}

/// Which function is called for what.
#[derive(Clone, Default)]
pub struct Wiring {
    /// HTTP routes.
    pub routes: Vec<Route>,
    /// Readers of the table's stream; at most two, as on AWS.
    pub streams: Vec<StreamMapping>,
    /// Queues and who empties them.
    pub queues: Vec<QueueMapping>,
    /// What is called by the clock.
    pub schedules: Vec<Schedule>,
    /// Further pages of the gateway, before the functions' routes.
    pub pages: Router,
    /// Who is told of requests for which there is no function.
    pub unrouted: Option<RequestObserver>,
}

/// A running stack; dropped without [`Stack::shutdown`] it stops where it is, as if killed.
pub struct Stack {
    inner: StackInner,
    endpoints: StackEndpoints,
    tasks: Tasks,
}

impl Stack {
    /// Opens the state and the table, binds the ports, and serves until [`Stack::shutdown`].
    ///
    /// # Errors
    /// A port or a directory that cannot be used, or a wiring that AWS would refuse.
    pub async fn start(
        settings: StackSettings,
        wiring: impl FnOnce(&StackEndpoints) -> Wiring,
    ) -> Result<Self, StackError> {
        let data = settings.data.as_deref();
        if let Some(path) = data {
            let unusable = |cause| StackError::Directory {
                path: path.to_owned(),
                cause,
            };
            private_file::create_folder(path).map_err(unusable)?;
            for file in [STATE_FILE, TABLE_FILE] {
                private_file::prepare_database(&path.join(file)).map_err(unusable)?;
            }
        }
        let state = StackState::open(data)?;
        let clock = StackClock::restore(state.clone())?;
        if let Some(moment) = settings.clock {
            clock.set(moment)?;
        }
        let engine = Engine::open(data, clock.clone())?;
        let ports = Ports::bind(settings.port, settings.table_port).await?;
        let endpoints = StackEndpoints {
            gateway_url: ports.gateway_url()?,
            table_url: ports.table_url()?,
            table_name: TABLE.to_owned(),
            aws_url: ports.aws_url()?,
            mailbox: StackMailbox::new(state.clone(), clock.clone()),
            clock,
            state,
            engine,
        };
        let wiring = wiring(&endpoints);
        check_wiring(&wiring)?;
        let inner = assemble(&endpoints, &wiring);
        trim_stream(&inner)?;
        let sqs = sqs::Sqs {
            queues: inner.queues.clone(),
            address: endpoints.aws_url.clone(),
        };
        let routers = Routers {
            gateway: gateway(&inner, wiring),
            table: table_api::router(inner.engine.clone()),
            aws: aws::router(sqs, inner.mailbox.clone()),
        };
        let tasks = Tasks::spawn(ports, &inner, routers);
        Ok(Self {
            inner,
            endpoints,
            tasks,
        })
    }

    /// Where everything answers.
    pub fn endpoints(&self) -> &StackEndpoints {
        &self.endpoints
    }

    /// The gateway's address, without a slash at its end.
    pub fn gateway_url(&self) -> &str {
        &self.endpoints.gateway_url
    }

    /// The address of the SQS and SES APIs.
    pub fn aws_endpoint(&self) -> &str {
        &self.endpoints.aws_url
    }

    /// The clock that everything in the stack takes for now.
    pub fn clock(&self) -> &StackClock {
        &self.inner.clock
    }

    /// The mailbox.
    pub fn mailbox(&self) -> &StackMailbox {
        &self.inner.mailbox
    }

    /// The queues.
    pub fn queues(&self) -> &Queues {
        &self.inner.queues
    }

    /// The table in process.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Refused requests and failed batches.
    pub fn state(&self) -> &StackState {
        &self.inner.state
    }

    /// How much of everything there is now.
    pub fn counts(&self) -> Result<StackCounts, StackError> {
        self.inner.counts()
    }

    /// Delivers everything that is in the stream and the queues, and what follows from it.
    ///
    /// # Errors
    /// [`StackError::Busy`] if something fails again and again.
    pub async fn settle(&self) -> Result<(), StackError> {
        self.inner.settle().await
    }

    /// Calls a scheduled function now.
    pub async fn run_schedule(&self, name: &str) -> Result<(), StackError> {
        self.inner.run_schedule(name).await
    }

    /// Delivers what waits, moves the clock, lets items expire, and runs the schedules once.
    pub async fn advance(&self, by: SignedDuration) -> Result<(), StackError> {
        self.inner.move_clock(ClockMove::By(by)).await
    }

    /// Stops accepting, lets what is under way end, and closes the files.
    pub async fn shutdown(mut self) {
        self.tasks.end().await;
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // A client's open connection outlives the tasks; the hold on the directory must not.
        self.inner.state.close();
    }
}

/// What AWS would refuse is refused here too, with words.
fn check_wiring(wiring: &Wiring) -> Result<(), StackError> {
    let refuse = |words: String| Err(StackError::Wiring(words));
    if wiring.streams.len() > STREAM_READERS {
        return refuse("a stream's shard has at most two readers".to_owned());
    }
    let mut names = BTreeSet::new();
    for mapping in &wiring.streams {
        if mapping.batch_size == 0 || !names.insert(mapping.name.as_str()) {
            return refuse(format!(
                "`{}` reads nothing, or its name is taken",
                mapping.name
            ));
        }
    }
    let mut names = BTreeSet::new();
    for mapping in &wiring.queues {
        if mapping.batch_size == 0 || !names.insert(mapping.queue.as_str()) {
            return refuse(format!(
                "`{}` reads nothing, or is mapped twice",
                mapping.queue
            ));
        }
    }
    Ok(())
}

fn assemble(endpoints: &StackEndpoints, wiring: &Wiring) -> StackInner {
    let StackEndpoints {
        clock,
        state,
        engine,
        mailbox,
        ..
    } = endpoints;
    let mut named: BTreeMap<String, QueueSettings> = BTreeMap::new();
    for queue in wiring
        .streams
        .iter()
        .filter_map(|mapping| mapping.on_failure.clone())
    {
        named.insert(queue, QueueSettings::default());
    }
    for mapping in &wiring.queues {
        mapping.declare(&mut named);
    }
    let queues = Queues::new(state.clone(), clock.clone(), named);
    let stream = |mapping: &StreamMapping| {
        let (engine, state) = (engine.clone(), state.clone());
        let (clock, queues) = (clock.clone(), queues.clone());
        Arc::new(StreamWorker::new(
            mapping.clone(),
            engine,
            state,
            clock,
            queues,
        ))
    };
    let streams: Vec<Arc<StreamWorker>> = wiring.streams.iter().map(stream).collect();
    let mut workers: Vec<Arc<dyn Worker>> = Vec::new();
    for worker in &streams {
        workers.push(Arc::<StreamWorker>::clone(worker));
    }
    for mapping in &wiring.queues {
        workers.push(Arc::new(QueueWorker::new(mapping.clone(), queues.clone())));
    }
    let scheduler = |schedule: &Schedule| {
        Arc::new(Scheduler::new(
            schedule.clone(),
            clock.clone(),
            state.clone(),
        ))
    };
    // What wakes a mapping wakes a long poll: a message that arrived, a request that was answered.
    let nudge = Arc::clone(&queues.arrivals);
    StackInner {
        clock: clock.clone(),
        state: state.clone(),
        engine: engine.clone(),
        table_url: endpoints.table_url.as_str().into(),
        mailbox: mailbox.clone(),
        queues,
        streams: Arc::new(streams),
        workers: Arc::new(workers),
        schedulers: Arc::new(wiring.schedules.iter().map(scheduler).collect()),
        nudge,
    }
}

/// The stream forgets what all its readers have behind them; without readers, nothing.
fn trim_stream(inner: &StackInner) -> Result<(), StackError> {
    let mut behind: Option<String> = None;
    for stream in inner.streams.iter() {
        let Some(checkpoint) = stream.checkpoint()? else {
            return Ok(());
        };
        behind = Some(behind.map_or(checkpoint.clone(), |earliest| earliest.min(checkpoint)));
    }
    inner.engine.trim(behind.as_deref())
}

/// The stack's own pages and levers are this machine's; the functions' endpoints are meant for the
/// world, and may stand behind a tunnel's name.
fn gateway(inner: &StackInner, wiring: Wiring) -> Router {
    let functions = gateway::router(Gateway {
        routes: Arc::new(wiring.routes),
        clock: inner.clock.clone(),
        state: inner.state.clone(),
        nudge: Arc::clone(&inner.nudge),
        unrouted: wiring.unrouted,
    });
    control::router(inner.clone())
        .merge(wiring.pages)
        .layer(from_fn(guard::own_machine_only))
        .fallback_service(functions)
}

const STREAM_READERS: usize = 2;
