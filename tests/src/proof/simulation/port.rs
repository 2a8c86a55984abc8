//! The port inside a simulation: every request is a question the scheduler answers when, and how,
//! it likes.

use domain::record::Entry;
use engagement_email::mailer::{Mailer, RenderedLetter, SendError};
use jiff::{SignedDuration, Timestamp};
use runtime::post::{self, Post};
use runtime::queue::{DelayableQueue, Queue, QueueError};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use store::Key;
use store::memory::{RequestTable, TableAnswer, TableRequest};

/// What a process asks of the simulation.
#[derive(Clone, Debug)]
pub(crate) enum PortRequest {
    /// Something of the table.
    Table(TableRequest),
    /// That the mail service send this letter.
    SendLetter(Key),
    /// What a provider's API knows of this.
    Api(ApiQuestion),
    /// That a partner take this.
    Notice(SentNotice),
    /// Something of a queue.
    Queue(QueueRequest),
}

/// A notice on its way to a partner.
#[derive(Clone, Debug)]
pub(crate) struct SentNotice {
    /// Where to.
    pub(crate) url: String,
    /// Its message id.
    pub(crate) id: String,
    /// What it says.
    pub(crate) body: Vec<u8>,
}

/// A queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueName {
    /// Of letters to be sent.
    Letters,
    /// Of notices to partners.
    Notices,
}

/// What a queue is asked for.
#[derive(Clone, Debug)]
pub(crate) enum QueueRequest {
    /// To take a message.
    Send(QueueName, String),
    /// To hide the notice message of this receipt for so long.
    Hide(String, SignedDuration),
}

/// What a provider's API is asked about.
#[derive(Clone, Debug)]
pub(crate) enum ApiQuestion {
    /// A request at an endpoint.
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

/// What the simulation answers.
#[derive(Clone, Debug)]
pub(crate) enum PortReply {
    /// The table's answer.
    Table(TableAnswer),
    /// The mail service's.
    Letter(EmailOutcome),
    /// What is to be journaled by what an API said; nothing while that proves nothing.
    Api(Option<Vec<Arc<Entry>>>),
    /// A partner's.
    Notice(post::PostOutcome),
    /// The queue's.
    Queue(Result<(), QueueError>),
}

/// What the mail service made of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmailOutcome {
    /// Accepted.
    Accepted,
    /// Not accepted for now.
    Throttled,
    /// Refused for good.
    Rejected,
    /// No answer: it may be accepted or not.
    Unknown,
}

/// One question and one answer at a time: the simulation polls one process at a time.
#[derive(Debug, Default)]
struct PortSlot {
    request: Option<PortRequest>,
    reply: Option<PortReply>,
}

/// A process's view of the table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Port(Arc<Mutex<PortSlot>>);

impl Port {
    /// What the process that was just polled asks.
    pub(crate) fn take_request(&self) -> Option<PortRequest> {
        self.slot().request.take()
    }

    /// Answers the process that is polled next.
    pub(crate) fn answer(&self, reply: PortReply) {
        self.slot().reply = Some(reply);
    }

    /// One of the queues, as a process sees it.
    pub(crate) fn queue(&self, name: QueueName) -> PortQueue {
        PortQueue {
            port: self.clone(),
            name,
        }
    }

    /// Sends a letter.
    async fn send_letter(&self, letter: Key) -> EmailOutcome {
        match self.send(PortRequest::SendLetter(letter)).await {
            PortReply::Letter(outcome) => outcome,
            _ => EmailOutcome::Unknown,
        }
    }

    /// Asks a provider's API.
    pub(crate) async fn ask_api(&self, wanted: ApiQuestion) -> Option<Vec<Arc<Entry>>> {
        match self.send(PortRequest::Api(wanted)).await {
            PortReply::Api(entries) => entries,
            _ => None,
        }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, PortSlot> {
        self.0.lock().expect("no panic while the slot is locked")
    }

    fn send(&self, ask: PortRequest) -> PendingReply<'_> {
        PendingReply {
            port: self,
            request: Some(ask),
        }
    }

    async fn ask_queue(&self, asked: QueueRequest) -> Result<(), QueueError> {
        match self.send(PortRequest::Queue(asked)).await {
            PortReply::Queue(answer) => answer,
            _ => Err(QueueError("asked for something else".into())),
        }
    }
}

impl RequestTable for Port {
    async fn request(&self, request: TableRequest) -> TableAnswer {
        match self.send(PortRequest::Table(request)).await {
            PortReply::Table(answer) => answer,
            _ => TableAnswer::Deleted,
        }
    }
}

/// A process's view of one queue.
#[derive(Clone, Debug)]
pub(crate) struct PortQueue {
    port: Port,
    name: QueueName,
}

impl Queue for PortQueue {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        let request = QueueRequest::Send(self.name, body);
        self.port.ask_queue(request).await
    }
}

impl DelayableQueue for PortQueue {
    async fn delay(&self, receipt: &str, wait: SignedDuration) -> Result<(), QueueError> {
        let request = QueueRequest::Hide(receipt.into(), wait);
        self.port.ask_queue(request).await
    }
}

/// The mail service, as the process sees it that was asked for one letter.
#[derive(Clone, Debug)]
pub(crate) struct PortMailer {
    /// The process's port.
    pub(crate) port: Port,
    /// The letter that its message asks for.
    pub(crate) letter: Key,
    /// Sends once more what was not answered: a mutation.
    pub(crate) retries: bool,
}

impl Mailer for PortMailer {
    async fn send(&self, _: &RenderedLetter) -> Result<Arc<str>, SendError> {
        let mut outcome = self.port.send_letter(self.letter.clone()).await;
        if self.retries && outcome == EmailOutcome::Unknown {
            outcome = self.port.send_letter(self.letter.clone()).await;
        }
        match outcome {
            EmailOutcome::Accepted => Ok("m".into()),
            EmailOutcome::Throttled => Err(SendError::Busy("simulated".into())),
            EmailOutcome::Rejected => Err(SendError::Refused("simulated".into())),
            EmailOutcome::Unknown => Err(SendError::Unknown("simulated".into())),
        }
    }
}

impl Post for Port {
    async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        _: Timestamp,
    ) -> post::PostOutcome {
        let mut ids = headers.iter().filter(|(name, _)| *name == "webhook-id");
        let sent = SentNotice {
            url: url.into(),
            id: ids.next().map(|(_, id)| id.clone()).unwrap_or_default(),
            body,
        };
        match self.send(PortRequest::Notice(sent)).await {
            PortReply::Notice(answer) => answer,
            _ => post::PostOutcome::Gone,
        }
    }
}

struct PendingReply<'a> {
    port: &'a Port,
    request: Option<PortRequest>,
}

impl Future for PendingReply<'_> {
    type Output = PortReply;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<PortReply> {
        let mut slot = self.port.slot();
        if let Some(ask) = self.request.take() {
            slot.request = Some(ask);
            return Poll::Pending;
        }
        match slot.reply.take() {
            Some(reply) => Poll::Ready(reply),
            None => Poll::Pending,
        }
    }
}
