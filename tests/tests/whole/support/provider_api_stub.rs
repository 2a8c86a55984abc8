//! What stands in for a provider's own API: it says what is recorded, or nothing at all.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use providers::Provider;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A server on loopback; clones are the same one.
#[derive(Clone)]
pub(crate) struct ProviderApiStub {
    pub(crate) url: String,
    available: Arc<AtomicBool>,
}

impl ProviderApiStub {
    /// Knows what the API answers to these samples, and is silent.
    pub(crate) fn start_silent(provider: &Provider, samples: &[&str]) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let stand_in = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            available: Arc::default(),
        };
        let mut known = BTreeMap::new();
        for text in samples
            .iter()
            .flat_map(|name| provider.recorded_responses(name))
        {
            known.extend(serde_json::from_str::<BTreeMap<String, Value>>(text).unwrap());
        }
        let state = (Arc::clone(&stand_in.available), Arc::new(known));
        let router = Router::new().fallback(answer).with_state(state);
        tokio::spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        stand_in
    }

    pub(crate) fn set_available(&self, up: bool) {
        self.available.store(up, Ordering::SeqCst);
    }
}

type StubState = (Arc<AtomicBool>, Arc<BTreeMap<String, Value>>);

async fn answer(State((up, known)): State<StubState>, uri: Uri) -> (StatusCode, String) {
    if !up.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    let asked = uri.path_and_query().unwrap().as_str();
    match known.get(asked) {
        Some(document) if !document.is_null() => (StatusCode::OK, document.to_string()),
        Some(_) | None => (StatusCode::NOT_FOUND, "{\"status\":404}".into()),
    }
}
