//! Stands between functions and the local stack's AWS, notes who calls what, and keeps the
//! secrets that Parameter Store would.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use local_cloud::StackEndpoints;
use local_shop::delivery::agent;
use local_shop::shop::local_secret;
use providers::PROVIDERS;
use runtime::secrets::KeyPurpose;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Callers whose name begins so die after their first write: all that is later is refused.
pub const CRASHING: &str = "Dying";

/// One call as a policy would see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AwsCall {
    /// The access key, for which each function has its logical id.
    pub caller: String,
    /// `dynamodb:PutItem`.
    pub action: String,
    /// As the template's resources name it: `Table.Arn`, `Letters.Arn`, or an ARN.
    pub resource: String,
    /// The partition, where one is named.
    pub leading_key: Option<String>,
}

/// The gate; clones share what was seen.
#[derive(Clone)]
pub struct AwsRecorder {
    /// Where it listens.
    pub url: String,
    calls: Arc<Mutex<BTreeSet<AwsCall>>>,
    capacity: CapacityUsage,
}

/// By caller and action: how many calls, and halves of capacity units.
type CapacityUsage = Arc<Mutex<BTreeMap<(String, String), (u64, u64)>>>;

impl AwsRecorder {
    /// Listens on a port of its own before a stack's endpoints.
    pub fn in_front_of(endpoints: &StackEndpoints, secrets: Vec<(String, String)>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let gate = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            calls: Arc::default(),
            capacity: CapacityUsage::default(),
        };
        let through = RecorderState {
            table_url: endpoints.table_url.clone(),
            aws_url: endpoints.aws_url.clone(),
            secrets: Arc::new(secrets),
            calls: Arc::clone(&gate.calls),
            capacity: Arc::clone(&gate.capacity),
            agent: agent(&endpoints.table_url),
        };
        let router = Router::new().fallback(forward).with_state(through);
        tokio::spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        gate
    }

    /// The stack's endpoints as they are reached through it.
    pub(super) fn recorded_endpoints(&self, endpoints: &StackEndpoints) -> StackEndpoints {
        StackEndpoints {
            table_url: self.url.clone(),
            aws_url: self.url.clone(),
            ..endpoints.clone()
        }
    }

    /// What was called so far, each once.
    pub fn calls(&self) -> BTreeSet<AwsCall> {
        self.calls.lock().unwrap().clone()
    }

    /// What was spent since this was last asked.
    pub fn take_capacity(&self) -> BTreeMap<(String, String), (u64, u64)> {
        std::mem::take(&mut *self.capacity.lock().unwrap())
    }
}

#[derive(Clone)]
struct RecorderState {
    table_url: String,
    aws_url: String,
    secrets: Arc<Vec<(String, String)>>,
    calls: Arc<Mutex<BTreeSet<AwsCall>>>,
    capacity: CapacityUsage,
    agent: ureq::Agent,
}

async fn forward(
    State(through): State<RecorderState>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut document: Value = serde_json::from_slice(&body).unwrap();
    let target = headers.get("x-amz-target").map(|t| t.to_str().unwrap());
    let who = caller(&headers);
    let calls = calls(&who, target, &document);
    let first = {
        let mut seen = through.calls.lock().unwrap();
        let first = !seen.iter().any(|call| call.caller == who && is_write(call));
        seen.extend(calls);
        first
    };
    if target == Some("AmazonSSM.GetParameter") {
        return parameter(&through.secrets, document["Name"].as_str().unwrap());
    }
    let to = match target {
        Some(target) if target.starts_with("DynamoDB") => {
            if who.starts_with(CRASHING) && !first {
                let refusal = json!({ "__type": "AccessDeniedException" });
                return answered(StatusCode::BAD_REQUEST, refusal.to_string().into());
            }
            through.table_url.clone()
        }
        _ => format!("{}{}", through.aws_url, uri.path()),
    };
    let of_table = target.is_some_and(|target| target.starts_with("DynamoDB"));
    if of_table {
        document["ReturnConsumedCapacity"] = "TOTAL".into();
    }
    let action = target.unwrap_or("SES.SendEmail").to_owned();
    let body = serde_json::to_vec(&document).unwrap();
    let asked = move || {
        let mut request = through.agent.post(&to);
        for (name, value) in &headers {
            if !["host", "content-length", "connection"].contains(&name.as_str()) {
                request = request.header(name.as_str(), value.as_bytes());
            }
        }
        let mut answer = request.send(&body[..]).unwrap();
        let document = answer.body_mut().read_to_vec().unwrap();
        let (_, action) = action.rsplit_once('.').unwrap();
        let mut spent = through.capacity.lock().unwrap();
        let spent = spent.entry((who, action.to_owned())).or_default();
        spent.0 += 1;
        spent.1 += halves(&document);
        answered(
            StatusCode::from_u16(answer.status().as_u16()).unwrap(),
            document,
        )
    };
    tokio::task::spawn_blocking(asked).await.unwrap()
}

/// Capacity that an answer says was used, in halves of a unit.
fn halves(answer: &[u8]) -> u64 {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
        return 0;
    };
    let used = &answer["ConsumedCapacity"];
    let used = used
        .as_array()
        .map_or(vec![used], |all| all.iter().collect());
    let of = |used: &&Value| {
        let units = used["CapacityUnits"].to_string();
        let (whole, part) = units.split_once('.').unwrap_or((&units, "0"));
        whole.parse::<u64>().unwrap_or(0) * 2 + u64::from(part.starts_with('5'))
    };
    used.iter().map(of).sum()
}

fn is_write(call: &AwsCall) -> bool {
    call.action == "dynamodb:PutItem"
}

fn answered(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = "application/x-amz-json-1.0".parse().unwrap();
    response.headers_mut().insert("content-type", json);
    response
}

fn parameter(secrets: &[(String, String)], name: &str) -> Response<Body> {
    match secrets.iter().find(|(known, _)| known == name) {
        Some((_, value)) => {
            let parameter = json!({ "Parameter": { "Name": name, "Value": value } });
            answered(StatusCode::OK, parameter.to_string().into())
        }
        None => {
            let refusal = json!({ "__type": "ParameterNotFound" });
            answered(StatusCode::BAD_REQUEST, refusal.to_string().into())
        }
    }
}

/// Who signed: the access key of the credential.
fn caller(headers: &HeaderMap) -> String {
    let authorization = headers["authorization"].to_str().unwrap();
    let (_, credential) = authorization.split_once("Credential=").unwrap();
    credential.split('/').next().unwrap().to_owned()
}

fn calls(who: &str, target: Option<&str>, document: &Value) -> Vec<AwsCall> {
    let call = |action: &str, resource: String, leading_key: Option<&str>| AwsCall {
        caller: who.to_owned(),
        action: action.to_owned(),
        resource,
        leading_key: leading_key.map(str::to_owned),
    };
    let Some(target) = target else {
        return email_calls(document, call);
    };
    let (service, operation) = target.split_once('.').unwrap();
    match service {
        "AmazonSSM" => {
            let arn = format!(
                "arn:aws:ssm:eu-west-3:000000000000:parameter{}",
                document["Name"].as_str().unwrap()
            );
            vec![call(&format!("ssm:{operation}"), arn, None)]
        }
        "AmazonSQS" => {
            let url = document["QueueUrl"].as_str().unwrap();
            let queue = match url.rsplit('/').next() {
                Some("letters") => "Letters.Arn",
                Some("notices") => "Notices.Arn",
                _ => panic!("no queue of the template: {url}"),
            };
            vec![call(&format!("sqs:{operation}"), queue.into(), None)]
        }
        _ if operation == "TransactWriteItems" => {
            let parts = document["TransactItems"].as_array().unwrap();
            parts
                .iter()
                .map(|part| transaction_call(part, &call))
                .collect()
        }
        _ => {
            let resource = match document["IndexName"].as_str() {
                Some(index) => format!("Table.Arn/index/{index}"),
                None => "Table.Arn".to_owned(),
            };
            let key = [
                &document["Key"]["pk"]["S"],
                &document["Item"]["pk"]["S"],
                &document["ExpressionAttributeValues"][":pk"]["S"],
            ];
            let key = key.iter().find_map(|key| key.as_str());
            vec![call(&format!("dynamodb:{operation}"), resource, key)]
        }
    }
}

/// Each part of a transaction needs its own right.
fn transaction_call(
    part: &Value,
    call: &impl Fn(&str, String, Option<&str>) -> AwsCall,
) -> AwsCall {
    let (action, key) = match (&part["Put"], &part["ConditionCheck"]) {
        (Value::Object(put), _) => ("dynamodb:PutItem", &put["Item"]["pk"]["S"]),
        (_, Value::Object(check)) => ("dynamodb:ConditionCheckItem", &check["Key"]["pk"]["S"]),
        _ => panic!("a transaction holds something new: {part}"),
    };
    call(action, "Table.Arn".into(), key.as_str())
}

/// Mail: asked of the sender's identity and of the configuration set.
fn email_calls(
    document: &Value,
    call: impl Fn(&str, String, Option<&str>) -> AwsCall,
) -> Vec<AwsCall> {
    let from = document["FromEmailAddress"].as_str().unwrap();
    let (_, domain) = from.split_once('@').unwrap();
    let set = document["ConfigurationSetName"].as_str().unwrap();
    let arn = |kind: &str, name: &str| format!("arn:aws:ses:eu-west-3:000000000000:{kind}/{name}");
    vec![
        call("ses:SendEmail", arn("identity", domain), None),
        call("ses:SendEmail", arn("configuration-set", set), None),
    ]
}

/// What a stage's Parameter Store holds.
pub fn secrets(stage: &str) -> Vec<(String, String)> {
    let keys = KeyPurpose::ALL.map(|purpose| {
        let name = format!("/orangery/{stage}/keys/{}", purpose.as_str());
        (name, local_shop::shop::LOCAL_MASTER.to_owned())
    });
    let mut secrets = Vec::from(keys);
    for provider in PROVIDERS {
        let name = format!("/orangery/{stage}/{}/webhook-secrets", provider.name());
        secrets.push((name, local_secret(provider.name())));
    }
    secrets
}
