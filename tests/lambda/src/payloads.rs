//! Events as AWS documents them, filled with what somebody sent. The forms lie in `payloads`;
//! names and values are as Lambda's developer guide and API Gateway's show them.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// As what an HTTP request reaches a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpEventFormat {
    /// An HTTP API's, payload format 2.0.
    HttpApi2,
    /// An HTTP API's, payload format 1.0.
    HttpApi1,
    /// A REST API's.
    RestApi,
    /// A load balancer's.
    LoadBalancer,
    /// A load balancer's with multi-value headers switched on.
    LoadBalancerMulti,
    /// A function URL's.
    FunctionUrl,
}

/// What was sent.
#[derive(Clone, Debug)]
pub struct ClientRequest<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// Its parts by name, where a gateway names them.
    pub parameters: &'a [(&'a str, &'a str)],
    /// Names and values, as often as they were sent.
    pub headers: &'a [(&'a str, String)],
    /// The body as the event has it; nothing at all is `null`.
    pub body: Option<String>,
    /// Whether the event flags it as base64.
    pub base64: bool,
}

impl HttpEventFormat {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::HttpApi2,
        Self::HttpApi1,
        Self::RestApi,
        Self::LoadBalancer,
        Self::LoadBalancerMulti,
        Self::FunctionUrl,
    ];

    /// The event.
    ///
    /// # Errors
    /// When the form is none.
    pub fn event(self, http: &ClientRequest<'_>) -> Result<Value> {
        let mut event: Value = serde_json::from_str(self.template())?;
        let fields = event.as_object_mut().context("the form is an object")?;
        let mut put = |name: &str, value: Value| {
            if fields.contains_key(name) {
                fields.insert(name.to_owned(), value);
            }
        };
        put("body", http.body.clone().into());
        put("isBase64Encoded", http.base64.into());
        put("rawPath", http.path.into());
        put("path", http.path.into());
        put("httpMethod", http.method.into());
        let mut sent = http.headers.to_vec();
        if matches!(self, Self::LoadBalancer | Self::LoadBalancerMulti) {
            let trace = format!("Root=1-67891233-abcdef012345678912{:06}", number());
            sent.push(("X-Amzn-Trace-Id", trace));
        }
        put("headers", self.headers(&sent));
        put("multiValueHeaders", self.all_headers(&sent));
        if !http.parameters.is_empty() {
            let pairs = http.parameters.iter().copied();
            put(
                "pathParameters",
                pairs.map(|(k, v)| (k, json!(v))).collect(),
            );
        }
        if let Some(of) = event.pointer_mut("/requestContext/http") {
            *of = json!({ "method": http.method, "path": http.path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "agent" });
        }
        if let Some(id) = event.pointer_mut("/requestContext/requestId") {
            *id = format!("request-{}", number()).into();
        }
        Ok(event)
    }

    fn template(self) -> &'static str {
        match self {
            Self::HttpApi2 => include_str!("../payloads/http-api-2.0.json"),
            Self::HttpApi1 => include_str!("../payloads/http-api-1.0.json"),
            Self::RestApi => include_str!("../payloads/rest-api.json"),
            Self::LoadBalancer => include_str!("../payloads/load-balancer.json"),
            Self::LoadBalancerMulti => include_str!("../payloads/load-balancer-multi-value.json"),
            Self::FunctionUrl => include_str!("../payloads/function-url.json"),
        }
    }

    /// Names as this form has them.
    fn name(self, name: &str) -> String {
        match self {
            Self::HttpApi1 | Self::RestApi => name.to_owned(),
            Self::HttpApi2 | Self::FunctionUrl | Self::LoadBalancer | Self::LoadBalancerMulti => {
                name.to_ascii_lowercase()
            }
        }
    }

    /// One value a name: all of them joined, or the last.
    fn headers(self, sent: &[(&str, String)]) -> Value {
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in sent {
            let name = self.name(name);
            let before = headers.get(&name).and_then(Value::as_str);
            let value = match (self, before) {
                (Self::HttpApi2 | Self::FunctionUrl, Some(before)) => format!("{before},{value}"),
                (_, _) => value.clone(),
            };
            headers.insert(name, value.into());
        }
        headers.into()
    }

    fn all_headers(self, sent: &[(&str, String)]) -> Value {
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in sent {
            let values = headers.entry(self.name(name)).or_insert_with(|| json!([]));
            if let Some(values) = values.as_array_mut() {
                values.push(value.clone().into());
            }
        }
        headers.into()
    }
}

/// A batch of records for a function that reads a stream or a queue.
#[derive(Clone, Debug)]
pub struct RecordBatch {
    form: Value,
    records: Vec<Value>,
}

impl RecordBatch {
    /// Of a table's stream.
    ///
    /// # Errors
    /// When the form is none.
    pub fn of_stream() -> Result<Self> {
        Self::of(include_str!("../payloads/dynamodb-stream.json"))
    }

    /// Of a queue.
    ///
    /// # Errors
    /// When the form is none.
    pub fn of_queue() -> Result<Self> {
        Self::of(include_str!("../payloads/sqs.json"))
    }

    /// One more record: the form's, with these fields of it replaced, named by JSON pointers.
    #[must_use]
    pub fn with<'a>(mut self, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let mut record = self.form.clone();
        for (place, value) in fields {
            if let Some(field) = record.pointer_mut(place) {
                *field = value;
            }
        }
        self.records.push(record);
        self
    }

    /// The event.
    pub fn event(self) -> Value {
        json!({ "Records": self.records })
    }

    fn of(form: &str) -> Result<Self> {
        let form: Value = serde_json::from_str(form)?;
        let record = form
            .pointer("/Records/0")
            .context("the form has a record")?;
        Ok(Self {
            form: record.clone(),
            records: Vec::new(),
        })
    }
}

/// What a schedule without an input of its own sends.
///
/// # Errors
/// When the form is none.
pub fn schedule() -> Result<Value> {
    Ok(serde_json::from_str(include_str!(
        "../payloads/schedule.json"
    ))?)
}

fn number() -> u64 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

static NUMBER: AtomicU64 = AtomicU64::new(0);
