//! A proxy before the table's port that counts what goes over the wire, by operation.

use super::requests::blocking;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use local_shop::delivery::agent;
use std::sync::{Arc, Mutex};

/// What went over the wire since it was last asked; clones share it.
#[derive(Clone)]
pub struct CountingProxy {
    /// Where it listens.
    pub url: String,
    operations: Arc<Mutex<Vec<String>>>,
}

impl CountingProxy {
    /// Listens on a port of its own and passes everything on.
    pub fn in_front_of(table_url: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let wire = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            operations: Arc::default(),
        };
        let through = ProxyState {
            to: table_url.to_owned(),
            operations: Arc::clone(&wire.operations),
            agent: agent(table_url),
        };
        let router = Router::new().fallback(forward).with_state(through);
        tokio::spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        wire
    }

    /// The operations since the last call, in order.
    pub fn take_operations(&self) -> Vec<String> {
        std::mem::take(&mut *self.operations.lock().unwrap())
    }
}

#[derive(Clone)]
struct ProxyState {
    to: String,
    operations: Arc<Mutex<Vec<String>>>,
    agent: ureq::Agent,
}

async fn forward(
    State(through): State<ProxyState>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let target = headers.get("x-amz-target").unwrap().to_str().unwrap();
    let operation = target.rsplit('.').next().unwrap().to_owned();
    through.operations.lock().unwrap().push(operation);
    let asked = move || {
        let mut request = through.agent.post(&through.to);
        for (name, value) in &headers {
            if !["host", "content-length", "connection"].contains(&name.as_str()) {
                request = request.header(name.as_str(), value.as_bytes());
            }
        }
        let mut answer = request.send(&body[..]).unwrap();
        let body = answer.body_mut().read_to_vec().unwrap();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(answer.status().as_u16()).unwrap();
        for name in ["content-type", "x-amz-crc32", "x-amzn-requestid"] {
            if let Some(value) = answer.headers().get(name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    };
    blocking(asked).await
}
