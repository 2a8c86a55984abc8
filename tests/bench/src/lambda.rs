//! Lambda's Runtime API, as much of it as a function asks for: `next`, `response`, `error`.

use crate::events;
use anyhow::Result;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};

/// What one process has asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The first `next`.
    pub(crate) first_next: Option<Instant>,
    /// The first answer.
    pub(crate) first_answer: Option<Instant>,
    /// Events handed out.
    pub(crate) handed: usize,
    /// Answers taken.
    pub(crate) answers: usize,
    /// Answers that were not 2xx, and reported errors.
    pub(crate) bad: Vec<String>,
}

/// One process's Runtime API.
#[derive(Clone, Debug)]
pub(crate) struct Lambda {
    seen: Arc<Mutex<Seen>>,
    pub(crate) address: String,
    done: Arc<Notify>,
    asking: Arc<Notify>,
    /// Open once the first event may be handed out.
    gate: Arc<Semaphore>,
    calls: usize,
}

impl Lambda {
    /// Hands out so many events, then lets the process wait.
    pub(crate) async fn start(calls: usize, from: usize) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let lambda = Self {
            seen: Arc::default(),
            address: listener.local_addr()?.to_string(),
            done: Arc::default(),
            asking: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
            calls,
        };
        let serving = lambda.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let lambda = serving.clone();
                let service = service_fn(move |request| {
                    let lambda = lambda.clone();
                    async move { lambda.answer(request, from).await }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Ok(lambda)
    }

    /// When the process first asked for an event; it waits until [`Self::open`].
    pub(crate) async fn asked(&self) -> Instant {
        self.asking.notified().await;
        let seen = self.seen();
        seen.first_next.unwrap_or_else(Instant::now)
    }

    /// Events are handed out from now on.
    pub(crate) fn open(&self) {
        self.gate.close();
    }

    /// All events are answered.
    pub(crate) async fn done(&self) {
        self.done.notified().await;
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        from: usize,
    ) -> Result<Response<Full<Bytes>>> {
        let path = request.uri().path().to_owned();
        if path.ends_with("/next") {
            let handed = self.hand_out();
            // Nobody ever gives a permit: the wait ends when the gate is thrown open.
            let _ = self.gate.acquire().await;
            if handed >= self.calls {
                std::future::pending::<()>().await;
            }
            let event = events::webhook(from + handed)?;
            let id = format!("00000000-0000-0000-0000-{handed:012}");
            return Ok(Response::builder()
                .header("lambda-runtime-aws-request-id", id)
                .header("lambda-runtime-deadline-ms", "9999999999999")
                .header(
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:bench",
                )
                .header("lambda-runtime-trace-id", "Root=1-0-0;Sampled=0")
                .body(Full::from(event))?);
        }
        let body = request.into_body().collect().await?.to_bytes();
        self.take(&path, &body);
        Ok(Response::builder().status(202).body(Full::default())?)
    }

    fn hand_out(&self) -> usize {
        let mut seen = self.seen();
        seen.first_next.get_or_insert_with(Instant::now);
        seen.handed += 1;
        self.asking.notify_one();
        seen.handed - 1
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, path: &str, body: &[u8]) {
        let mut seen = self.seen();
        seen.first_answer.get_or_insert_with(Instant::now);
        seen.answers += 1;
        let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        if !path.ends_with("/response") || answer["statusCode"] != 200 {
            seen.bad.push(String::from_utf8_lossy(body).into_owned());
        }
        if seen.answers == self.calls || !path.ends_with("/response") {
            self.done.notify_one();
        }
    }
}
