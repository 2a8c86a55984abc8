//! Queues and a mail service in memory.

use engagement_email::mailer::{Mailer, RenderedLetter, SendError};
use jiff::SignedDuration;
use runtime::queue::{DelayableQueue, Queue, QueueError};
use std::sync::{Arc, Mutex};

/// A queue; clones share its messages.
#[derive(Clone, Default)]
pub struct MemoryQueue(Arc<Mutex<Vec<String>>>);

impl MemoryQueue {
    /// What came since it was last asked.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Queue for MemoryQueue {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        self.0.lock().unwrap().push(body);
        Ok(())
    }
}

/// The receipt of every message that is delivered in this process.
pub const RECEIPT: &str = "r-1";

/// For how many seconds each message was postponed; clones share them.
#[derive(Clone, Default)]
pub struct PostponedMessages(Arc<Mutex<Vec<i64>>>);

impl PostponedMessages {
    /// The seconds, since this was last asked.
    pub fn take(&self) -> Vec<i64> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl DelayableQueue for PostponedMessages {
    async fn delay(&self, receipt: &str, wait: SignedDuration) -> Result<(), QueueError> {
        assert_eq!(receipt, RECEIPT);
        self.0.lock().unwrap().push(wait.as_secs());
        Ok(())
    }
}

/// A mail service that accepts everything; clones share what was sent.
#[derive(Clone, Default)]
pub struct MemoryMailer(Arc<Mutex<Vec<RenderedLetter>>>);

impl MemoryMailer {
    /// How many letters were sent.
    pub fn sent_count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Mailer for MemoryMailer {
    async fn send(&self, mail: &RenderedLetter) -> Result<Arc<str>, SendError> {
        self.0.lock().unwrap().push(mail.clone());
        Ok("mail-1".into())
    }
}
