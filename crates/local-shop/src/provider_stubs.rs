//! What stands in for the providers' own APIs at the local stack: it says what it was told, as
//! `send` does before it delivers, and is silent about everything else.

use crate::authority::CERTIFICATE;
use crate::delivery::{agent, no_answer_message, shift_times, time_at};
use anyhow::{Context, bail};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use providers::{ApiCall, ApiResponse, CallTarget, Method, Provider};
use runtime::api::{ApiClient, HttpApi};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Documents by path and query, `/payments/PM1`; null where there is none.
pub type ApiDocuments = BTreeMap<String, Value>;

/// What stands in for all that nothing else does; clones share what they were told.
#[derive(Clone, Default)]
pub struct StubApis(Arc<Mutex<BTreeMap<&'static str, ApiDocuments>>>);

/// Whom a function of the local stack asks.
pub enum LocalApi {
    /// Whatever answers at an address.
    Http(Box<HttpApi>),
    /// What this process was told of that provider.
    Stub(StubApis, &'static str),
    /// Nobody: the provider says everything in its events.
    Absent,
}

impl ApiClient for LocalApi {
    async fn call(&self, call: &ApiCall) -> Option<ApiResponse> {
        match self {
            Self::Http(api) => api.call(call).await,
            Self::Stub(stubs, provider) => stubs.answer(provider, call),
            Self::Absent => None,
        }
    }

    async fn call_for_proof(&self, call: &ApiCall) -> Option<ApiResponse> {
        match self {
            Self::Http(api) => api.call_for_proof(call).await,
            Self::Stub(..) | Self::Absent => self.call(call).await,
        }
    }

    fn settle(&self, calls: &[ApiCall], proven: bool) {
        match self {
            Self::Http(api) => api.settle(calls, proven),
            Self::Stub(..) | Self::Absent => {}
        }
    }
}

impl StubApis {
    /// Where it is told what to say, by provider.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/_stack/apis/{provider}", post(add_documents))
            .with_state(self.clone())
    }

    /// It answers for this provider from now on.
    pub fn stub_for(&self, provider: &'static str) -> LocalApi {
        self.lock_documents().entry(provider).or_default();
        LocalApi::Stub(self.clone(), provider)
    }

    fn answer(&self, provider: &str, call: &ApiCall) -> Option<ApiResponse> {
        let path = match (&call.target, call.method) {
            (CallTarget::Api(path), Method::Get) => path,
            (CallTarget::Certificate(_), Method::Get) => {
                return Some(ApiResponse {
                    status: 200,
                    body: CERTIFICATE.as_bytes().into(),
                });
            }
            (CallTarget::Api(_) | CallTarget::Certificate(_), Method::Post) => return None,
        };
        let known = self.lock_documents();
        let document = known.get(provider)?.get(&**path)?;
        Some(ApiResponse {
            status: if document.is_null() { 404 } else { 200 },
            body: document.to_string().into_bytes().into(),
        })
    }

    fn lock_documents(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, ApiDocuments>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The later document stands.
async fn add_documents(
    State(stubs): State<StubApis>,
    Path(provider): Path<String>,
    Json(documents): Json<ApiDocuments>,
) -> StatusCode {
    match stubs.lock_documents().get_mut(provider.as_str()) {
        Some(known) => {
            known.extend(documents);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}

/// Tells the stand-in of the stack at this gateway. False where there is none for this provider:
/// the stage is a deployed one, or was given another to ask.
///
/// # Errors
/// When nobody answers there, or what answers does not understand.
pub fn send_documents(
    gateway: &str,
    provider: &Provider,
    documents: &ApiDocuments,
) -> anyhow::Result<bool> {
    let url = format!("{gateway}/_stack/apis/{}", provider.name());
    let answer = agent(&url).post(&url).send_json(documents);
    let answer = answer.with_context(|| no_answer_message(gateway))?;
    match answer.status().as_u16() {
        200..=299 => Ok(true),
        404 | 405 => Ok(false),
        other => bail!("the stack does not take in what an API says ({other})"),
    }
}

/// What a provider's API says to whoever reads the sample or telling of this name.
///
/// # Errors
/// When it is not recorded as documents by path.
pub fn documents(provider: &Provider, name: &str) -> anyhow::Result<ApiDocuments> {
    let mut documents = ApiDocuments::new();
    for text in provider.recorded_responses(name) {
        let more: ApiDocuments = serde_json::from_str(text)?;
        documents.extend(more);
    }
    Ok(documents)
}

/// The same by so many seconds later.
pub fn shift_documents(mut documents: ApiDocuments, seconds: i64) -> ApiDocuments {
    let all = documents.values_mut();
    all.for_each(|document| shift_times(document, seconds));
    documents
}

/// When what a body tells of happened, in Unix seconds. A form names an object, and its API says
/// when something last happened to it.
pub fn event_time(provider: &Provider, body: &str, documents: &ApiDocuments) -> Option<i64> {
    if let Ok(body) = serde_json::from_str(body) {
        return time_at(&body, provider.time_path());
    }
    let (_, id) = body.rsplit_once('=')?;
    let named = documents.iter().filter(|(path, _)| path.contains(id));
    let (_, field) = provider
        .time_path()
        .rsplit_once('.')
        .unwrap_or(("", provider.time_path()));
    named
        .filter_map(|(_, document)| latest_time(document, field))
        .max()
}

/// The latest time in a field of this name, however deep.
fn latest_time(document: &Value, field: &str) -> Option<i64> {
    match document {
        Value::Array(values) => values
            .iter()
            .filter_map(|value| latest_time(value, field))
            .max(),
        Value::Object(fields) => {
            let own = time_at(document, field);
            let deeper = fields
                .values()
                .filter_map(|value| latest_time(value, field));
            deeper.chain(own).max()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
