//! What answers in AWS's place: the local stack's table and mailbox, parameters, a queue that
//! keeps what it is sent; and what goes wrong with them on purpose.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambda::{ServiceRequest, ServiceResponder, json as says};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The services of one harness.
pub(crate) struct FakeAws {
    table_url: String,
    mail_url: String,
    parameters: BTreeMap<String, String>,
    client: Client<HttpConnector, Full<Bytes>>,
    state: Mutex<FakeAwsState>,
}

#[derive(Default)]
struct FakeAwsState {
    operations: Vec<String>,
    messages: Vec<String>,
    rules: Vec<FaultRule>,
}

/// What goes wrong, with which operation, and how often.
pub(crate) struct FaultRule {
    pub(crate) operation: &'static str,
    pub(crate) fault: AwsFault,
    pub(crate) times: usize,
}

/// How a request fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AwsFault {
    /// The service refuses, with this status and this kind of error.
    Responds(u16, &'static str),
    /// Nothing is ever said.
    Silence,
    /// Nothing is ever said to who comes over a connection that stood already.
    StaleSilence,
    /// It is done, and the connection is cut before the answer.
    LosesResponse,
}

/// A fault that lasts until it is lifted.
pub(crate) const FOR_EVER: usize = usize::MAX;

impl FakeAws {
    pub(crate) fn new(
        table_url: &str,
        mail_url: &str,
        parameters: BTreeMap<String, String>,
    ) -> Self {
        Self {
            table_url: table_url.to_owned(),
            mail_url: mail_url.to_owned(),
            parameters,
            client: Client::builder(TokioExecutor::new()).build_http(),
            state: Mutex::default(),
        }
    }

    /// The operations since the last call, in order.
    pub(crate) fn take_operations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().operations)
    }

    /// What the queue was sent since the last call.
    pub(crate) fn take_messages(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().messages)
    }

    /// From now on this goes wrong.
    pub(crate) fn inject(&self, operation: &'static str, fault: AwsFault, times: usize) {
        self.state.lock().unwrap().rules.push(FaultRule {
            operation,
            fault,
            times,
        });
    }

    /// All is well again.
    pub(crate) fn clear_faults(&self) {
        self.state.lock().unwrap().rules.clear();
    }

    /// Notes a call; gives what goes wrong with it.
    fn record_call(&self, call: &ServiceRequest) -> Option<AwsFault> {
        let mut state = self.state.lock().unwrap();
        state.operations.push(call.operation.clone());
        let rule = state.rules.iter_mut().find(|rule| {
            let stale = call.stale || !matches!(rule.fault, AwsFault::StaleSilence);
            rule.operation == call.operation && rule.times > 0 && stale
        })?;
        rule.times -= 1;
        Some(rule.fault)
    }

    async fn handle(&self, call: ServiceRequest) -> Response<Full<Bytes>> {
        match call.operation.as_str() {
            "GetParameter" => {
                let asked: Value = serde_json::from_slice(&call.body).unwrap();
                self.parameter(asked["Name"].as_str().unwrap())
            }
            "SendMessage" => {
                let asked: Value = serde_json::from_slice(&call.body).unwrap();
                let body = asked["MessageBody"].as_str().unwrap().to_owned();
                self.state.lock().unwrap().messages.push(body);
                says(200, &json!({ "MessageId": "1" })).unwrap()
            }
            path if path.starts_with('/') => self.relay(call, &self.mail_url).await,
            _ => self.relay(call, &self.table_url).await,
        }
    }

    fn parameter(&self, name: &str) -> Response<Full<Bytes>> {
        let Some(value) = self.parameters.get(name) else {
            return refusal(400, "ParameterNotFound");
        };
        let parameter = json!({ "Name": name, "Type": "SecureString", "Value": value });
        says(200, &json!({ "Parameter": parameter })).unwrap()
    }

    async fn relay(&self, call: ServiceRequest, to: &str) -> Response<Full<Bytes>> {
        let mut parts = call.parts;
        let path = parts.uri.path_and_query().unwrap().as_str();
        parts.uri = format!("{to}{path}").parse::<Uri>().unwrap();
        parts.headers.remove("host");
        let request = Request::from_parts(parts, Full::new(call.body));
        let answer = self.client.request(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        Response::from_parts(parts, Full::new(body.collect().await.unwrap().to_bytes()))
    }
}

impl ServiceResponder for FakeAws {
    async fn respond(&self, call: ServiceRequest) -> Option<Response<Full<Bytes>>> {
        match self.record_call(&call) {
            None => Some(self.handle(call).await),
            Some(AwsFault::Responds(status, kind)) => Some(refusal(status, kind)),
            Some(AwsFault::Silence | AwsFault::StaleSilence) => std::future::pending().await,
            Some(AwsFault::LosesResponse) => {
                self.handle(call).await;
                None
            }
        }
    }
}

/// As services that speak JSON refuse.
fn refusal(status: u16, kind: &str) -> Response<Full<Bytes>> {
    let document = json!({ "__type": format!("com.amazonaws#{kind}"), "message": "made to fail" });
    says(status, &document).unwrap()
}
