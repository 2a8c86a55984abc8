//! DynamoDB and Parameter Store, as much of them as a webhook asks for: items in a map, conditions
//! on existence and version, requests counted.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use lambda::{ServiceRequest, ServiceResponder};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The services.
#[derive(Debug, Default)]
pub(crate) struct BenchAws {
    state: Mutex<BenchAwsState>,
}

#[derive(Debug, Default)]
struct BenchAwsState {
    items: BTreeMap<(String, String), Value>,
    requests: BTreeMap<String, u64>,
}

impl BenchAws {
    /// An empty table, nothing counted.
    pub(crate) fn reset(&self) {
        *self.state() = BenchAwsState::default();
    }

    /// Has an item in the table, and nothing counted.
    pub(crate) fn seed(&self, item: Value) {
        let mut state = self.state();
        state.items.insert(key(&item), item);
        state.requests.clear();
    }

    /// Requests since then, by name.
    pub(crate) fn requests(&self) -> BTreeMap<String, u64> {
        self.state().requests.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, BenchAwsState> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl ServiceResponder for BenchAws {
    async fn respond(&self, call: ServiceRequest) -> Option<Response<Full<Bytes>>> {
        let asked: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let (status, answer) = self.state().handle(&call.operation, &asked);
        lambda::json(status, &answer)
    }
}

impl BenchAwsState {
    fn handle(&mut self, target: &str, asked: &Value) -> (u16, Value) {
        *self.requests.entry(target.to_owned()).or_default() += 1;
        match target {
            "GetParameter" => (200, parameter(asked)),
            "GetItem" => {
                let item = self.items.get(&key(&asked["Key"]));
                (200, item.map_or(json!({}), |item| json!({"Item": item})))
            }
            "PutItem" => self.put(asked),
            "UpdateItem" => (200, json!({})),
            "DeleteItem" => {
                self.items.remove(&key(&asked["Key"]));
                (200, json!({}))
            }
            "Query" => (200, self.query(asked)),
            _ => (
                400,
                json!({"__type": "com.amazonaws#UnknownOperationException"}),
            ),
        }
    }

    fn put(&mut self, asked: &Value) -> (u16, Value) {
        let key = key(&asked["Item"]);
        let there = self.items.get(&key);
        let condition = asked["ConditionExpression"].as_str().unwrap_or_default();
        let version = &asked["ExpressionAttributeValues"][":version"];
        let holds = if condition == "#version = :version" {
            there.is_some_and(|item| item["version"] == *version)
        } else {
            condition.is_empty() || there.is_none()
        };
        if holds {
            self.items.insert(key, asked["Item"].clone());
            return (200, json!({}));
        }
        let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        let item = there.cloned().unwrap_or_default();
        (
            400,
            json!({"__type": kind, "message": "The conditional request failed", "Item": item}),
        )
    }

    fn query(&self, asked: &Value) -> Value {
        let values = asked["ExpressionAttributeValues"].as_object();
        let texts = values
            .into_iter()
            .flatten()
            .filter_map(|(_, value)| value["S"].as_str());
        let texts: Vec<&str> = texts.collect();
        let is_asked = |(partition, sort): &(String, String)| {
            texts.contains(&partition.as_str()) && texts.iter().any(|text| sort.starts_with(text))
        };
        let found = self.items.iter().filter(|(key, _)| is_asked(key));
        let items: Vec<&Value> = found.map(|(_, item)| item).collect();
        json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items})
    }
}

fn parameter(asked: &Value) -> Value {
    let name = asked["Name"].as_str().unwrap_or_default();
    let value = if name.contains("/keys/") {
        crate::events::ROOT
    } else {
        crate::events::SECRET
    };
    json!({"Parameter": {"Name": name, "Type": "SecureString", "Value": value, "Version": 1}})
}

fn key(of: &Value) -> (String, String) {
    let text = |name: &str| of[name]["S"].as_str().unwrap_or_default().to_owned();
    // The peer's table has one key, by the name its library gives it.
    let peer = text("id");
    (if peer.is_empty() { text("pk") } else { peer }, text("sk"))
}
