//! The port inside a world: every request is a question the scheduler answers when, and how,
//! it likes.

use super::twin::{Answer, Op, table_of_requests};
use domain::record::Entry;
use jiff::{SignedDuration, Timestamp};
use runtime::post::{self, Post};
use runtime::queue::{Later, Queue, QueueError};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use store::{Item, Key, Page, Put, StoreError, Table, When, Write};

/// What a process asks of the world.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// Something of the table.
    Table(Op),
    /// That the mail service send this letter.
    Send(Key),
    /// What a provider's API knows of this.
    Api(Wanted),
    /// That a partner take this.
    Notice(Sent),
    /// Something of the notices' queue.
    Queue(Asked),
}

/// A notice on its way to a partner.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Where to.
    pub(super) url: String,
    /// Its message id.
    pub(super) id: String,
    /// What it says.
    pub(super) body: Vec<u8>,
}

/// What the notices' queue is asked for.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// To take a message.
    Send(String),
    /// To hide the message of this receipt for so long.
    Hide(String, SignedDuration),
}

/// What a provider's API is asked about.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// A request at a door.
    Request {
        /// Which.
        request: usize,
        /// The process's version of the normalizer.
        version: u16,
        /// The process's clock.
        now: Timestamp,
        /// The process's own mark.
        receipt: Arc<str>,
    },
    /// An event that waits.
    Waiting(Arc<Entry>),
}

/// What the world answers.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// The table's answer.
    Table(Answer),
    /// The mail service's.
    Mail(Posted),
    /// What is to be journaled by what an API said; nothing while that proves nothing.
    Api(Option<Vec<Arc<Entry>>>),
    /// A partner's.
    Notice(post::Posted),
    /// The queue's.
    Queue(Result<(), QueueError>),
}

/// What the mail service made of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Posted {
    /// Accepted.
    Accepted,
    /// Not accepted for now.
    Throttled,
    /// Refused for good.
    Rejected,
    /// No answer: it may be accepted or not.
    Unknown,
}

/// One question and one answer at a time: the world polls one process at a time.
#[derive(Debug, Default)]
struct Slot {
    ask: Option<Ask>,
    reply: Option<Reply>,
}

/// A process's view of the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Port(Arc<Mutex<Slot>>);

impl Port {
    /// What the process that was just polled asks.
    pub(super) fn take_ask(&self) -> Option<Ask> {
        self.slot().ask.take()
    }

    /// Answers the process that is polled next.
    pub(super) fn answer(&self, reply: Reply) {
        self.slot().reply = Some(reply);
    }

    /// Sends a letter.
    pub(super) async fn send_letter(&self, letter: Key) -> Posted {
        match self.question(Ask::Send(letter)).await {
            Reply::Mail(posted) => posted,
            _ => Posted::Unknown,
        }
    }

    /// Asks a provider's API.
    pub(super) async fn enrich(&self, wanted: Wanted) -> Option<Vec<Arc<Entry>>> {
        match self.question(Ask::Api(wanted)).await {
            Reply::Api(entries) => entries,
            _ => None,
        }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Slot> {
        self.0.lock().expect("no panic while the slot is locked")
    }

    fn question(&self, ask: Ask) -> Question<'_> {
        Question {
            port: self,
            ask: Some(ask),
        }
    }

    async fn queue(&self, asked: Asked) -> Result<(), QueueError> {
        match self.question(Ask::Queue(asked)).await {
            Reply::Queue(answer) => answer,
            _ => Err(QueueError("asked for something else".into())),
        }
    }

    async fn ask(&self, op: Op) -> Answer {
        match self.question(Ask::Table(op)).await {
            Reply::Table(answer) => answer,
            _ => Answer::Deleted,
        }
    }
}

table_of_requests!(Port, ask);

impl Queue for Port {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        self.queue(Asked::Send(body)).await
    }
}

impl Later for Port {
    async fn later(&self, receipt: &str, wait: SignedDuration) -> Result<(), QueueError> {
        self.queue(Asked::Hide(receipt.into(), wait)).await
    }
}

impl Post for Port {
    async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        _: Timestamp,
    ) -> post::Posted {
        let mut ids = headers.iter().filter(|(name, _)| *name == "webhook-id");
        let sent = Sent {
            url: url.into(),
            id: ids.next().map(|(_, id)| id.clone()).unwrap_or_default(),
            body,
        };
        match self.question(Ask::Notice(sent)).await {
            Reply::Notice(answer) => answer,
            _ => post::Posted::Gone,
        }
    }
}

struct Question<'a> {
    port: &'a Port,
    ask: Option<Ask>,
}

impl Future for Question<'_> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Reply> {
        let mut slot = self.port.slot();
        if let Some(ask) = self.ask.take() {
            slot.ask = Some(ask);
            return Poll::Pending;
        }
        match slot.reply.take() {
            Some(reply) => Poll::Ready(reply),
            None => Poll::Pending,
        }
    }
}
