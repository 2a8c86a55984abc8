//! Lambda's Runtime API, as much of it as a function asks for: `next`, `response`, `error`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

/// One process's Runtime API; clones are the same.
#[derive(Clone, Debug)]
pub struct RuntimeApi {
    address: String,
    events: mpsc::UnboundedSender<QueuedEvent>,
    inner: Arc<RuntimeApiInner>,
}

/// What a process made of one event.
#[derive(Clone, Debug)]
pub struct InvocationResult {
    /// When it came.
    pub completed_at: Instant,
    /// What it says.
    pub outcome: InvocationOutcome,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq)]
pub enum InvocationOutcome {
    /// The function's answer.
    Response(Value),
    /// The function's error: Lambda would log it and, of a stream or a queue, try again.
    Error {
        /// `errorType`.
        kind: String,
        /// `errorMessage`.
        message: String,
    },
}

#[derive(Debug)]
struct QueuedEvent {
    id: String,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct RuntimeApiInner {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<QueuedEvent>>,
    first_poll: watch::Sender<Option<Instant>>,
    waiting: Mutex<PendingResults>,
}

#[derive(Debug, Default)]
struct PendingResults {
    handed_out: u64,
    senders: BTreeMap<String, oneshot::Sender<InvocationResult>>,
}

impl RuntimeApi {
    /// Serves on a free port; a process that asks waits until there is an event.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (events, to_hand_out) = mpsc::unbounded_channel();
        let api = Self {
            address: listener.local_addr()?.to_string(),
            events,
            inner: Arc::new(RuntimeApiInner {
                events: tokio::sync::Mutex::new(to_hand_out),
                first_poll: watch::Sender::new(None),
                waiting: Mutex::default(),
            }),
        };
        let inside = api.inner.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let inside = inside.clone();
                let service = service_fn(move |request| {
                    let inside = inside.clone();
                    async move { inside.answer(request).await }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Ok(api)
    }

    /// For `AWS_LAMBDA_RUNTIME_API`: host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// When the process first asked for an event: its INIT is over.
    ///
    /// # Errors
    /// Never while this value lives.
    pub async fn first_poll(&self) -> Result<Instant> {
        let mut asked = self.inner.first_poll.subscribe();
        let first = asked.wait_for(Option::is_some).await?;
        first.context("nobody has asked")
    }

    /// Hands out one event, and gives what the process makes of it.
    ///
    /// # Errors
    /// When this process's API is gone.
    pub async fn invoke(&self, payload: Vec<u8>) -> Result<InvocationResult> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut waiting = self.inner.waiting();
            waiting.handed_out = waiting.handed_out.saturating_add(1);
            let id = format!("00000000-0000-0000-0000-{:012}", waiting.handed_out);
            waiting.senders.insert(id.clone(), answer);
            id
        };
        self.events.send(QueuedEvent { id, payload })?;
        Ok(answered.await?)
    }
}

impl RuntimeApiInner {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
        let path = request.uri().path().to_owned();
        if path.ends_with("/next") {
            let now = Instant::now();
            self.first_poll.send_if_modified(|asked| {
                let first = asked.is_none();
                asked.get_or_insert(now);
                first
            });
            let event = self.events.lock().await.recv().await;
            let event = event.context("no event will come any more")?;
            return Ok(Response::builder()
                .header("lambda-runtime-aws-request-id", event.id)
                .header("lambda-runtime-deadline-ms", "9999999999999")
                .header("lambda-runtime-invoked-function-arn", ARN)
                .header("lambda-runtime-trace-id", "Root=1-0-0;Sampled=0")
                .body(Full::from(event.payload))?);
        }
        let body = request.into_body().collect().await?.to_bytes();
        self.record_result(&path, &body);
        Ok(Response::builder().status(202).body(Full::default())?)
    }

    fn record_result(&self, path: &str, body: &[u8]) {
        let diagnostic: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| {
            let text = diagnostic.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let outcome = if path.ends_with("/response") {
            InvocationOutcome::Response(diagnostic)
        } else {
            InvocationOutcome::Error {
                kind: text("errorType"),
                message: text("errorMessage"),
            }
        };
        let at = Instant::now();
        let id = path.rsplit('/').nth(1).unwrap_or_default();
        if let Some(waiting) = self.waiting().senders.remove(id) {
            // Who asked may have lost patience.
            let _ = waiting.send(InvocationResult {
                completed_at: at,
                outcome,
            });
        }
    }

    fn waiting(&self) -> MutexGuard<'_, PendingResults> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const ARN: &str = "arn:aws:lambda:eu-west-3:123456789012:function:built";
