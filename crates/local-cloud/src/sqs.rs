//! The SQS API on loopback, in the JSON protocol that the SDK speaks.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::engine::ACCOUNT;
use crate::error::StackError;
use crate::queue_mapping::{md5_of, queue_arn, system_attributes};
use crate::queues::{QueueMessage, Queues, ReceiveScope};

/// The queues behind the address that queue URLs begin with.
#[derive(Clone)]
pub(crate) struct Sqs {
    pub(crate) queues: Queues,
    pub(crate) address: String,
}

/// The URL of a queue at this address.
pub(crate) fn queue_url(address: &str, name: &str) -> String {
    format!("{address}/{ACCOUNT}/{name}")
}

impl Sqs {
    /// Answers one call; `X-Amz-Target` names the operation.
    pub(crate) async fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        let target = headers
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.strip_prefix("AmazonSQS."));
        let answered = match serde_json::from_slice(body) {
            Ok(call) => self.dispatch(operation.unwrap_or_default(), call).await,
            Err(cause) => Err(SqsError::new("InvalidParameterValue", &cause.to_string())),
        };
        match answered {
            Ok(value) => json_answer(StatusCode::OK, &value, None),
            Err(refused) => refused.into_response(),
        }
    }

    async fn dispatch(&self, operation: &str, call: SqsCall) -> Result<Value, SqsError> {
        match operation {
            "SendMessage" => self.send(&self.name(&call)?, call.message),
            "SendMessageBatch" => self.batch(call, |name, entry| self.send(name, entry.message)),
            "ReceiveMessage" => self.receive(call).await,
            "DeleteMessage" => self.delete(&self.name(&call)?, &call.receipt_handle),
            "DeleteMessageBatch" => {
                self.batch(call, |name, entry| self.delete(name, &entry.receipt_handle))
            }
            "ChangeMessageVisibility" => self.change_visibility(&call),
            "GetQueueUrl" => self.url(&call),
            "GetQueueAttributes" => self.attributes(&self.name(&call)?),
            "ListQueues" => Ok(json!({ "QueueUrls": self.urls() })),
            "StartMessageMoveTask" => self.redrive(&call),
            other => Err(SqsError::new(
                "InvalidAction",
                &format!("`{other}` is not spoken here"),
            )),
        }
    }

    fn send(&self, name: &str, message: SqsMessageFields) -> Result<Value, SqsError> {
        let Some(body) = message.message_body else {
            return Err(SqsError::new("MissingParameter", "a message needs a body"));
        };
        if body.len() > BODY_LIMIT {
            return Err(SqsError::new(
                "InvalidParameterValue",
                "a message holds at most 1 MiB",
            ));
        }
        let delay = Duration::from_secs(message.delay_seconds.unwrap_or(0));
        let attributes = Value::Object(message.message_attributes);
        let id = self.queues.send(name, &body, &attributes, delay)?;
        Ok(json!({ "MessageId": id, "MD5OfMessageBody": md5_of(&body) }))
    }

    async fn receive(&self, call: SqsCall) -> Result<Value, SqsError> {
        let name = self.name(&call)?;
        let most = call
            .max_number_of_messages
            .unwrap_or(1)
            .clamp(1, BATCH_LIMIT);
        let visibility = call.visibility_timeout.map(Duration::from_secs);
        let wait = Duration::from_secs(call.wait_time_seconds.unwrap_or(0).min(MAX_WAIT_SECONDS));
        let begun = Instant::now();
        loop {
            let arrival = self.queues.arrivals.notified();
            let received = self
                .queues
                .receive(&name, most, visibility, ReceiveScope::Visible)?;
            let left = wait.saturating_sub(begun.elapsed());
            if !received.messages.is_empty() || left.is_zero() {
                let messages: Vec<Value> = received.messages.iter().map(message_json).collect();
                return Ok(json!({ "Messages": messages }));
            }
            // What becomes visible again announces itself to nobody, so look from time to time.
            let _ = timeout(left.min(POLL_INTERVAL), arrival).await;
        }
    }

    fn delete(&self, name: &str, receipt: &str) -> Result<Value, SqsError> {
        self.queues.delete(name, receipt)?;
        Ok(json!({}))
    }

    fn change_visibility(&self, call: &SqsCall) -> Result<Value, SqsError> {
        let time = Duration::from_secs(call.visibility_timeout.unwrap_or(0));
        self.queues
            .change_visibility(&self.name(call)?, &call.receipt_handle, time)?;
        Ok(json!({}))
    }

    /// Each entry has its own fate; the call itself fails only for its shape.
    fn batch(
        &self,
        call: SqsCall,
        work: impl Fn(&str, SqsBatchEntry) -> Result<Value, SqsError>,
    ) -> Result<Value, SqsError> {
        let name = self.name(&call)?;
        if call.entries.is_empty() {
            return Err(SqsError::new("EmptyBatchRequest", "a batch needs an entry"));
        }
        if call.entries.len() > BATCH_LIMIT {
            return Err(SqsError::new(
                "TooManyEntriesInBatchRequest",
                "a batch holds at most ten",
            ));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in call.entries {
            let id = entry.id.clone();
            match work(&name, entry) {
                Ok(mut done) => {
                    if let Some(fields) = done.as_object_mut() {
                        fields.insert("Id".to_owned(), json!(id));
                    }
                    successful.push(done);
                }
                Err(SqsError { code, message }) => failed.push(json!({
                    "Id": id, "Code": code, "Message": message, "SenderFault": true,
                })),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }

    fn url(&self, call: &SqsCall) -> Result<Value, SqsError> {
        self.queues.queue(&call.queue_name)?;
        Ok(json!({ "QueueUrl": queue_url(&self.address, &call.queue_name) }))
    }

    fn urls(&self) -> Vec<String> {
        self.queues
            .all()
            .map(|(name, _)| queue_url(&self.address, name))
            .collect()
    }

    /// All that are kept, whichever were asked for: a caller picks by name.
    fn attributes(&self, name: &str) -> Result<Value, SqsError> {
        let queue = self.queues.queue(name)?;
        let depth = self.queues.depth(name)?;
        let mut attributes = json!({
            "QueueArn": queue_arn(name),
            "ApproximateNumberOfMessages": depth.visible.to_string(),
            "ApproximateNumberOfMessagesNotVisible": depth.in_flight.to_string(),
            "ApproximateNumberOfMessagesDelayed": depth.delayed.to_string(),
            "VisibilityTimeout": queue.visibility.as_secs().to_string(),
        });
        if let (Some((dead, most)), Some(fields)) =
            (&queue.dead_letters, attributes.as_object_mut())
        {
            let policy = json!({ "deadLetterTargetArn": queue_arn(dead), "maxReceiveCount": most });
            fields.insert("RedrivePolicy".to_owned(), json!(policy.to_string()));
        }
        Ok(json!({ "Attributes": attributes }))
    }

    fn redrive(&self, call: &SqsCall) -> Result<Value, SqsError> {
        let name = call.source_arn.rsplit(':').next().unwrap_or_default();
        self.queues.redrive(name)?;
        Ok(json!({ "TaskHandle": name }))
    }

    fn name(&self, call: &SqsCall) -> Result<String, SqsError> {
        let name = call.queue_url.rsplit('/').next().unwrap_or_default();
        self.queues.queue(name)?;
        Ok(name.to_owned())
    }
}

/// Every operation's parameters; each reads its own.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct SqsCall {
    queue_url: String,
    queue_name: String,
    source_arn: String,
    receipt_handle: String,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u64>,
    wait_time_seconds: Option<u64>,
    entries: Vec<SqsBatchEntry>,
    #[serde(flatten)]
    message: SqsMessageFields,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SqsBatchEntry {
    id: String,
    receipt_handle: String,
    #[serde(flatten)]
    message: SqsMessageFields,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SqsMessageFields {
    message_body: Option<String>,
    message_attributes: Map<String, Value>,
    delay_seconds: Option<u64>,
}

/// A refusal by its code and its words.
struct SqsError {
    code: &'static str,
    message: String,
}

impl SqsError {
    fn new(code: &'static str, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
        }
    }
}

impl From<StackError> for SqsError {
    fn from(cause: StackError) -> Self {
        let code = if matches!(cause, StackError::UnknownQueue(_)) {
            "QueueDoesNotExist"
        } else {
            "InternalError"
        };
        Self::new(code, &cause.to_string())
    }
}

impl IntoResponse for SqsError {
    fn into_response(self) -> Response {
        let status = match self.code {
            "InternalError" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let kind = format!("com.amazonaws.sqs#{}", self.code);
        json_answer(
            status,
            &json!({ "__type": kind, "message": self.message }),
            Some(self.code),
        )
    }
}

fn message_json(message: &QueueMessage) -> Value {
    json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "MD5OfBody": md5_of(&message.body),
        "Attributes": system_attributes(message),
        "MessageAttributes": message.attributes,
    })
}

fn json_answer(status: StatusCode, value: &Value, code: Option<&str>) -> Response {
    let content = [("content-type", "application/x-amz-json-1.0")];
    let mut response = (status, content, value.to_string()).into_response();
    if let Some(kind) = code.and_then(|code| query_error(code).parse().ok()) {
        response.headers_mut().insert("x-amzn-query-error", kind);
    }
    response
}

/// The code that the older query protocol has for this, which is what the SDK goes by.
fn query_error(code: &str) -> String {
    match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned(),
        "EmptyBatchRequest" | "TooManyEntriesInBatchRequest" => {
            format!("AWS.SimpleQueueService.{code};Sender")
        }
        "InternalError" => "InternalError;Receiver".to_owned(),
        other => format!("{other};Sender"),
    }
}

const BATCH_LIMIT: usize = 10;
/// The limit since August 2025.
const BODY_LIMIT: usize = 1024 * 1024;
const MAX_WAIT_SECONDS: u64 = 20;
const POLL_INTERVAL: Duration = Duration::from_millis(200);
