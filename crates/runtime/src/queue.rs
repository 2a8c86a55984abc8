//! Queues as a function sees them: one message out.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use std::future::Future;

/// Something that takes messages and delivers each at least once.
pub trait Queue: Send + Sync {
    /// Hands over one message; when this returns it is durable.
    fn send(&self, body: String) -> impl Future<Output = Result<(), QueueError>> + Send;
}

/// The queue did not say that it has the message; it may have it all the same.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the queue did not take a message ({0}); it will be handed over again")]
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
        sent.map(|_| ())
            .map_err(|error| QueueError(error.code().unwrap_or("no answer").into()))
    }
}
