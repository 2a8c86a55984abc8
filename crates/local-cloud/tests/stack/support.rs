//! Dummy functions, bare HTTP, and the SDK's clients pointed at a stack.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use local_cloud::engine::Engine;
use local_cloud::error::StackError;
use local_cloud::queue_mapping::QueueMapping;
use local_cloud::streams::StreamMapping;
use local_cloud::{Stack, StackEndpoints, StackSettings, Wiring};
use runtime::aws::{AwsService, Cloud};
use runtime::function::{Failure, Function, Invocation};
use serde_json::{Value, json};

type DummyHandler = dyn Fn(&Value) -> Result<Value, Failure> + Send + Sync;

/// A function that remembers its events and answers as told.
pub(crate) struct Dummy {
    calls: Mutex<Vec<Value>>,
    answer: Box<DummyHandler>,
}

pub(crate) fn dummy(
    answer: impl Fn(&Value) -> Result<Value, Failure> + Send + Sync + 'static,
) -> Arc<Dummy> {
    Arc::new(Dummy {
        calls: Mutex::new(Vec::new()),
        answer: Box::new(answer),
    })
}

/// A function that has nothing to say.
pub(crate) fn silent_dummy() -> Arc<Dummy> {
    dummy(|_| Ok(Value::Null))
}

impl Dummy {
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.calls.lock().unwrap().clone()
    }

    /// What the records of each call hold at this place.
    pub(crate) fn batches(&self, pointer: &str) -> Vec<Vec<String>> {
        let text = |record: &Value| {
            record
                .pointer(pointer)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        let batch = |call: &Value| {
            call["Records"]
                .as_array()
                .unwrap()
                .iter()
                .map(text)
                .collect()
        };
        self.calls().iter().map(batch).collect()
    }
}

impl Function for Dummy {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let event: Value = serde_json::from_slice(payload).unwrap();
            self.calls.lock().unwrap().push(event.clone());
            (self.answer)(&event).map(|answer| answer.to_string().into_bytes())
        })
    }
}

pub(crate) async fn stack(wiring: impl FnOnce(&StackEndpoints) -> Wiring) -> Stack {
    Stack::start(StackSettings::default(), wiring)
        .await
        .unwrap()
}

pub(crate) async fn persistent_stack(data: &Path, wiring: Wiring) -> Result<Stack, StackError> {
    let settings = StackSettings {
        data: Some(data.to_owned()),
        ..StackSettings::default()
    };
    Stack::start(settings, |_| wiring).await
}

/// A mapping that waits for `settle`, so that a test decides what is in a batch.
pub(crate) fn stream(name: &str, function: &Arc<Dummy>) -> StreamMapping {
    StreamMapping {
        name: name.to_owned(),
        function: Arc::<Dummy>::clone(function),
        batch_size: 100,
        batching_window: Duration::from_secs(3_600),
        maximum_retry_attempts: Some(2),
        maximum_record_age: None,
        bisect_on_error: false,
        on_failure: None,
        filters: Vec::new(),
    }
}

pub(crate) fn queue(name: &str, function: &Arc<Dummy>) -> QueueMapping {
    QueueMapping {
        queue: name.to_owned(),
        function: Arc::<Dummy>::clone(function),
        batch_size: 10,
        batching_window: Duration::from_secs(3_600),
        visibility: Duration::from_secs(3_600),
        maximum_receives: 3,
    }
}

pub(crate) fn put(engine: &Engine, sort_key: &str) {
    let item = json!({ "pk": { "S": "p" }, "sk": { "S": sort_key } });
    let request = json!({ "TableName": "orangery", "Item": item });
    engine
        .database()
        .put_item(serde_json::from_value(request).unwrap())
        .unwrap();
}

/// A directory of its own for each test, gone with it.
#[derive(Debug)]
pub(crate) struct TempDirectory(PathBuf);

pub(crate) fn temp_directory() -> TempDirectory {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "orangery-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::SeqCst)
    );
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&path).unwrap();
    TempDirectory(path)
}

impl Deref for TempDirectory {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An HTTP answer as it was read.
#[derive(Debug)]
pub(crate) struct RawResponse {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl RawResponse {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// One request, byte for byte: `head` holds the lines after the request line.
pub(crate) async fn http(url: &str, line: &str, head: &str, body: &[u8]) -> RawResponse {
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let host = if head.to_ascii_lowercase().contains("host:") {
        ""
    } else {
        "Host: localhost\r\n"
    };
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\n{host}{head}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let bytes = [request.as_bytes(), body].concat();
    tokio::task::spawn_blocking(move || exchange(&address, &bytes))
        .await
        .unwrap()
}

fn exchange(address: &str, request: &[u8]) -> RawResponse {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut read = Vec::new();
    stream.read_to_end(&mut read).unwrap();
    let end = read
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let (head, body) = read.split_at(end);
    let head = String::from_utf8(head.to_vec())
        .unwrap()
        .to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    RawResponse {
        status,
        head,
        body: body[4..].to_vec(),
    }
}

pub(crate) async fn get(url: &str, path: &str) -> RawResponse {
    http(url, &format!("GET {path}"), "", b"").await
}

pub(crate) async fn post(url: &str, path: &str, body: &Value) -> RawResponse {
    let head = "Content-Type: application/json\r\n";
    http(
        url,
        &format!("POST {path}"),
        head,
        body.to_string().as_bytes(),
    )
    .await
}

pub(crate) fn dynamodb(stack: &Stack) -> aws_sdk_dynamodb::Client {
    let settings = credentials(&stack.endpoints().table_url);
    Cloud::from_settings(&settings).unwrap().dynamo()
}

pub(crate) fn sqs(url: &str) -> aws_sdk_sqs::Client {
    Cloud::from_settings(&credentials(url)).unwrap().sqs()
}

/// Without retries, as a sender of letters must be.
pub(crate) fn ses(url: &str) -> aws_sdk_sesv2::Client {
    let settings = credentials(url);
    let config = Cloud::from_settings(&settings)
        .unwrap()
        .config(AwsService::Ses);
    let config = aws_sdk_sesv2::config::Builder::from(&config);
    aws_sdk_sesv2::Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
}

/// What leads the SDK's clients to a stack.
fn credentials(url: &str) -> runtime::settings::Settings {
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", "eu-west-3"),
        ("AWS_ENDPOINT_URL", url),
    ];
    runtime::settings::Settings::new(pairs.map(|(name, value)| (name.into(), value.into())))
}
