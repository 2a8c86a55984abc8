//! A partner's endpoint on loopback: it proves each notice by the oracle's signature, remembers
//! it, and answers as it is told to.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use standardwebhooks::Webhook;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// The endpoint; clones share what came.
#[derive(Clone, Default)]
pub struct NoticeReceiver {
    /// Where it listens.
    pub url: String,
    received: Arc<Mutex<Vec<ReceivedNotice>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

/// A notice as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedNotice {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub at: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The body, as it came.
    pub text: String,
}

impl ReceivedNotice {
    /// The body, read.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Its type and amount.
    pub fn summary(&self) -> String {
        let body = self.body();
        let kind = body["type"].as_str().unwrap();
        format!("{kind} {}", body["data"]["amount_minor"])
    }
}

impl NoticeReceiver {
    /// Listens on a port of its own.
    pub fn open() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let receiver = Self {
            url: format!("http://{}/notices", listener.local_addr().unwrap()),
            ..Self::default()
        };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        receiver
    }

    /// Answers so in turn, then 200 for ever.
    pub fn set_answers(&self, statuses: &[u16]) {
        *self.answers.lock().unwrap() = statuses.iter().copied().collect();
    }

    /// What came since it was last asked, each proven under this secret, by what it says.
    pub fn take_received(&self, secret: &str) -> Vec<ReceivedNotice> {
        self.take_received_under(&[secret])
    }

    /// The same, each proven under all of these secrets and no other.
    pub fn take_received_under(&self, secrets: &[&str]) -> Vec<ReceivedNotice> {
        let mut came = std::mem::take(&mut *self.received.lock().unwrap());
        for notice in &came {
            let sign = |secret: &&str| {
                let oracle = Webhook::new(secret).unwrap();
                let signed = oracle.sign(&notice.id, notice.at, notice.text.as_bytes());
                signed.unwrap()
            };
            let signed: Vec<String> = secrets.iter().map(sign).collect();
            assert_eq!(signed.join(" "), notice.signature, "{notice:?}");
        }
        came.sort_by_key(ReceivedNotice::summary);
        came
    }
}

async fn receive(
    State(receiver): State<NoticeReceiver>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(text("content-type"), "application/json");
    receiver.received.lock().unwrap().push(ReceivedNotice {
        id: text("webhook-id"),
        at: text("webhook-timestamp").parse().unwrap(),
        signature: text("webhook-signature"),
        text: String::from_utf8(body.to_vec()).unwrap(),
    });
    let status = receiver.answers.lock().unwrap().pop_front().unwrap_or(200);
    // Where a redirect would lead, it is this endpoint again: one that is followed is seen.
    let elsewhere = [(header::LOCATION, receiver.url.clone())];
    let status = StatusCode::from_u16(status).unwrap();
    match status.is_redirection() {
        true => (status, elsewhere).into_response(),
        false => status.into_response(),
    }
}
