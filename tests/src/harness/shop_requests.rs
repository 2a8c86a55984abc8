//! What the shop's own code asks, and what it is answered.

use super::{InProcess, TestHarness};
use domain::ids::CustomerKey;
use domain::shop_key::{KeyName, KeyScope};
use jiff::Timestamp;
use local_shop::shop::LOCAL_STAGE;
use local_shop::story::Story;
use providers::{Secret, StageName, customer_token, shop_key};
use runtime::http::answer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::shop_keys::create;

/// One request of the shop's code, or of a browser.
#[derive(Clone, Debug)]
pub struct ShopRequest {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query, percent-encoded.
    pub address: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, empty for a GET.
    pub body: String,
}

impl ShopRequest {
    /// A question by GET, with a credential.
    pub fn get(credential: &str, address: &str) -> Self {
        Self {
            method: "GET",
            address: address.to_owned(),
            headers: vec![("authorization".into(), format!("Bearer {credential}"))],
            body: String::new(),
        }
    }

    /// A question by POST, with a credential.
    pub fn post(credential: &str, address: &str, body: &Value) -> Self {
        Self {
            method: "POST",
            body: body.to_string(),
            ..Self::get(credential, address)
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As API Gateway hands it on.
    pub fn event(&self) -> Value {
        let (path, query) = self.address.split_once('?').unwrap_or((&self.address, ""));
        let mut parts = path.trim_start_matches('/').split('/').skip(2);
        let reference = parts
            .next()
            .map(|part| ("reference", percent_decoded(part)));
        let parameters: BTreeMap<_, _> = reference.into_iter().collect();
        let headers: BTreeMap<_, _> = self.headers.iter().cloned().collect();
        json!({
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "pathParameters": parameters,
            "body": self.body,
            "requestContext": {
                "requestId": "r-1",
                "http": { "method": self.method, "path": path },
            },
        })
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ShopAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body, read; `null` where there is none.
    pub body: Value,
}

impl ShopAnswer {
    /// The status and the word for programs.
    pub fn verdict(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or("-"))
    }
}

impl TestHarness<InProcess> {
    /// Makes a key of the shop's and gives its text.
    pub async fn shop_key(&self, name: &str, scope: KeyScope) -> String {
        let name: KeyName = name.parse().unwrap();
        create(&self.table, &name, scope, self.now()).await.unwrap();
        self.shop_key_text(&name, scope, 1)
    }

    /// The text of a key, given out or not.
    pub fn shop_key_text(&self, name: &KeyName, scope: KeyScope, version: u32) -> String {
        let root = Secret::new(&self.shop.master).unwrap();
        shop_key(&root, &local_stage(), name, scope, version).unwrap()
    }

    /// A token for a customer's browser.
    pub fn shop_token(&self, customer: &str, expires_at: Timestamp) -> String {
        let root = Secret::new(&self.shop.master).unwrap();
        let customer = CustomerKey::parse(customer).unwrap();
        customer_token(&root, &local_stage(), &customer, expires_at).unwrap()
    }

    /// Asks the shop's endpoint.
    pub async fn ask(&self, request: &ShopRequest) -> ShopAnswer {
        self.ask_event(&request.event()).await
    }

    /// Hands the shop's endpoint an event.
    pub async fn ask_event(&self, event: &Value) -> ShopAnswer {
        let api = self.functions().shop_api();
        let answered = answer(api, event.to_string().as_bytes()).await;
        let answered: Value = serde_json::from_slice(&answered).unwrap();
        let body = answered["body"].as_str();
        ShopAnswer {
            status: answered["statusCode"].as_u64().unwrap().try_into().unwrap(),
            headers: serde_json::from_value(answered["headers"].clone()).unwrap(),
            body: body.map_or(Value::Null, |text| serde_json::from_str(text).unwrap()),
        }
    }

    /// Takes in what a story's senders send, signed and verified as at the endpoints.
    pub async fn ingest_story(&self, story: &str) {
        let signers = local_shop::shop::signers(&self.shop).unwrap();
        let deliveries = Story::parse(story).unwrap();
        let deliveries = deliveries.deliveries(&signers, self.now()).unwrap();
        for delivery in &deliveries {
            self.ingest_all(&super::entries::entries(delivery)).await;
        }
    }
}

/// The stage of every local stack.
pub fn local_stage() -> StageName {
    StageName::parse(LOCAL_STAGE).unwrap()
}

/// A reference as it stands in an address.
pub fn percent_encoded(reference: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encoded = reference.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    encoded.collect()
}

fn percent_decoded(part: &str) -> String {
    let mut parts = part.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}
