//! The port inside a world: every request is a question the scheduler answers when, and how,
//! it likes.

use super::twin::{Answer, Op, table_of_requests};
use domain::record::Entry;
use jiff::Timestamp;
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
    pub(super) async fn send(&self, letter: Key) -> Posted {
        match self.question(Ask::Send(letter)).await {
            Reply::Mail(posted) => posted,
            Reply::Table(_) | Reply::Api(_) => Posted::Unknown,
        }
    }

    /// Asks a provider's API.
    pub(super) async fn enrich(&self, wanted: Wanted) -> Option<Vec<Arc<Entry>>> {
        match self.question(Ask::Api(wanted)).await {
            Reply::Api(entries) => entries,
            Reply::Table(_) | Reply::Mail(_) => None,
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

    async fn ask(&self, op: Op) -> Answer {
        match self.question(Ask::Table(op)).await {
            Reply::Table(answer) => answer,
            Reply::Mail(_) | Reply::Api(_) => Answer::Deleted,
        }
    }
}

table_of_requests!(Port, ask);

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
