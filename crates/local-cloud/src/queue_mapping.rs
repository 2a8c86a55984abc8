//! Lambda's event source mapping for a queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use runtime::function::Function;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::batch::{BatchOutcome, batch_outcome};
use crate::engine::{ACCOUNT, REGION};
use crate::error::StackError;
use crate::invoke::invoke;
use crate::queues::{QueueMessage, QueueSettings, Queues, ReceiveScope};
use crate::worker::{Pace, StepFuture, StepOutcome, Worker};

/// The settings of one queue and of the mapping that empties it.
#[derive(Clone)]
pub struct QueueMapping {
    /// The queue; its dead letters go to `<queue>-dead`.
    pub queue: String,
    /// The function that is called.
    pub function: Arc<dyn Function>,
    /// At most this many messages a call.
    pub batch_size: usize,
    /// How long a first message waits for others; `settle` does not wait.
    pub batching_window: Duration,
    /// How long a message is hidden while a call has it, and after the call failed.
    pub visibility: Duration,
    /// After this many receives a message is dead.
    pub maximum_receives: u32,
}

impl QueueMapping {
    /// The queue of its dead letters.
    pub fn dead_letter_queue(&self) -> String {
        format!("{}-dead", self.queue)
    }

    /// The queue and its dead-letter queue, as settings by name.
    pub(crate) fn declare(&self, queues: &mut BTreeMap<String, QueueSettings>) {
        let dead_letters = Some((self.dead_letter_queue(), self.maximum_receives));
        queues.insert(
            self.queue.clone(),
            QueueSettings {
                visibility: self.visibility,
                dead_letters,
            },
        );
        queues.insert(
            self.dead_letter_queue(),
            QueueSettings {
                visibility: self.visibility,
                dead_letters: None,
            },
        );
    }
}

/// A mapping at work.
pub(crate) struct QueueWorker {
    mapping: QueueMapping,
    queues: Queues,
    /// Held for a whole step, so that a waiter sees a call through.
    step_lock: Mutex<()>,
}

impl QueueWorker {
    pub(crate) fn new(mapping: QueueMapping, queues: Queues) -> Self {
        Self {
            mapping,
            queues,
            step_lock: Mutex::new(()),
        }
    }

    async fn deliver(&self, messages: &[QueueMessage]) -> Result<StepOutcome, StackError> {
        let mapping = &self.mapping;
        let arn = queue_arn(&mapping.queue);
        let records: Vec<Value> = messages
            .iter()
            .map(|message| record(message, &arn))
            .collect();
        let payload = serde_json::to_vec(&json!({ "Records": records }))?;
        let identifiers: Vec<&str> = messages.iter().map(|message| &*message.id).collect();
        let (failed, cause) = match invoke(&mapping.function, payload).await {
            Ok(answer) => match batch_outcome(&answer, &identifiers) {
                BatchOutcome::Done => (Vec::new(), String::new()),
                BatchOutcome::Failed(places) => {
                    let cause = format!("the function reported {} failed", places.len());
                    (places, cause)
                }
                BatchOutcome::Unreadable(cause) => ((0..messages.len()).collect(), cause),
            },
            Err(failure) => ((0..messages.len()).collect(), failure.to_string()),
        };
        for (place, message) in messages.iter().enumerate() {
            if !failed.contains(&place) {
                self.queues.delete(&mapping.queue, &message.receipt)?;
            }
        }
        if failed.is_empty() {
            return Ok(StepOutcome::Progress);
        }
        tracing::warn!(queue = mapping.queue, cause, "messages stay in their queue");
        Ok(if failed.len() < messages.len() {
            StepOutcome::Progress
        } else {
            StepOutcome::Failed
        })
    }
}

impl Worker for QueueWorker {
    fn name(&self) -> &str {
        &self.mapping.queue
    }

    fn step(&self, pace: Pace) -> StepFuture<'_> {
        Box::pin(async move {
            let _alone = self.step_lock.lock().await;
            let mapping = &self.mapping;
            let reach = match pace {
                Pace::AtOnce => ReceiveScope::Due,
                Pace::Natural => {
                    let waiting = self.queues.waiting(&mapping.queue, mapping.batch_size)?;
                    let Some((count, waited)) = waiting else {
                        return Ok(StepOutcome::Idle);
                    };
                    if count < mapping.batch_size && waited < mapping.batching_window {
                        return Ok(StepOutcome::Idle);
                    }
                    ReceiveScope::Visible
                }
            };
            let received = self
                .queues
                .receive(&mapping.queue, mapping.batch_size, None, reach)?;
            match (received.messages.as_slice(), received.dead) {
                ([], 0) => Ok(StepOutcome::Idle),
                ([], _) => Ok(StepOutcome::Progress),
                (messages, _) => self.deliver(messages).await,
            }
        })
    }
}

/// A queue's ARN.
pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// What SQS tells about a message, as text.
pub(crate) fn system_attributes(message: &QueueMessage) -> Value {
    json!({
        "ApproximateReceiveCount": message.receive_count.to_string(),
        "SentTimestamp": message.sent_at.to_string(),
        "SenderId": ACCOUNT,
        "ApproximateFirstReceiveTimestamp": message.first_received_at.to_string(),
    })
}

/// The digest of a body, as SQS and Lambda write it.
pub(crate) fn md5_of(text: &str) -> String {
    format!("{:x}", md5::compute(text))
}

fn record(message: &QueueMessage, arn: &str) -> Value {
    json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": system_attributes(message),
        "messageAttributes": lambda_attributes(&message.attributes),
        "md5OfBody": md5_of(&message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    })
}

/// The API writes `StringValue`, a Lambda event `stringValue`, with two lists that stay empty.
fn lambda_attributes(attributes: &Value) -> Value {
    let mut turned = Map::new();
    for (name, attribute) in attributes.as_object().into_iter().flatten() {
        let mut fields = Map::new();
        for (from, to) in [
            ("StringValue", "stringValue"),
            ("BinaryValue", "binaryValue"),
            ("DataType", "dataType"),
        ] {
            if let Some(value) = attribute.get(from) {
                fields.insert(to.to_owned(), value.clone());
            }
        }
        fields.insert("stringListValues".to_owned(), json!([]));
        fields.insert("binaryListValues".to_owned(), json!([]));
        turned.insert(name.clone(), Value::Object(fields));
    }
    Value::Object(turned)
}
