//! Queues as a function sees them: one message out, and one that came left for later.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use jiff::SignedDuration;
use std::future::Future;

/// Something that takes messages and delivers each at least once.
pub trait Queue: Send + Sync {
    /// Sends one message; when this returns it is durable.
    fn send(&self, body: String) -> impl Future<Output = Result<(), QueueError>> + Send;
}

/// Something whose messages can be left for later.
pub trait DelayableQueue: Send + Sync {
    /// Makes a received message come again after `wait`, and not before; at most twelve hours after
    /// it was received. If this fails, the queue's own delay counts.
    fn delay(
        &self,
        receipt: &str,
        wait: SignedDuration,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;
}

/// The queue did not say that it has the message; it may have it all the same.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the queue did not do what was asked ({0}); its message comes again")]
pub struct QueueError(pub String);

/// An SQS queue.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// A queue by its address.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }
}

impl Queue for SqsQueue {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .send()
            .await;
        sent.map(|_| ()).map_err(|error| queue_error(&error))
    }
}

impl DelayableQueue for SqsQueue {
    async fn delay(&self, receipt: &str, wait: SignedDuration) -> Result<(), QueueError> {
        let hidden = self
            .client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .visibility_timeout(i32::try_from(wait.as_secs()).unwrap_or(i32::MAX))
            .send()
            .await;
        hidden.map(|_| ()).map_err(|error| queue_error(&error))
    }
}

fn queue_error(error: &impl ProvideErrorMetadata) -> QueueError {
    QueueError(error.code().unwrap_or("no answer").into())
}
