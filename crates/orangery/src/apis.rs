//! What stands in for the providers' own APIs at the local stack: it says what it was told, as
//! `send` does before it delivers, and is silent about everything else.

use crate::authority::CERTIFICATE;
use crate::delivery::{agent, nobody, shift_times, time};
use crate::stack::guard;
use anyhow::{Context, bail};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::post;
use axum::{Json, Router};
use providers::{Answer, Call, Method, Provider, To};
use runtime::api::{Api, HttpApi};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Documents by path and query, `/payments/PM1`; null where there is none.
pub type Documents = BTreeMap<String, Value>;

/// What stands in for all that nothing else does; clones share what they were told.
#[derive(Clone, Default)]
pub(crate) struct StandIns(Arc<Mutex<BTreeMap<&'static str, Documents>>>);

/// Whom a function of the local stack asks.
pub(crate) enum Asked {
    /// Whatever answers at an address.
    Http(Box<HttpApi>),
    /// What this process was told of that provider.
    StandIn(StandIns, &'static str),
    /// Nobody: the provider says everything in its events.
    Nobody,
}

impl Api for Asked {
    async fn call(&self, call: &Call) -> Option<Answer> {
        match self {
            Self::Http(api) => api.call(call).await,
            Self::StandIn(stand_ins, provider) => stand_ins.answer(provider, call),
            Self::Nobody => None,
        }
    }
}

impl StandIns {
    /// Where it is told what to say, by provider.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/_stack/apis/{provider}", post(take_in))
            .layer(from_fn(guard::own_pages_only))
            .with_state(self.clone())
    }

    /// It answers for this provider from now on.
    pub(crate) fn stand_in_for(&self, provider: &'static str) -> Asked {
        self.known().entry(provider).or_default();
        Asked::StandIn(self.clone(), provider)
    }

    fn answer(&self, provider: &str, call: &Call) -> Option<Answer> {
        let path = match (&call.to, call.method) {
            (To::Api(path), Method::Get) => path,
            (To::Certificate(_), Method::Get) => {
                return Some(Answer {
                    status: 200,
                    body: CERTIFICATE.as_bytes().into(),
                });
            }
            (To::Api(_) | To::Certificate(_), Method::Post) => return None,
        };
        let known = self.known();
        let document = known.get(provider)?.get(&**path)?;
        Some(Answer {
            status: if document.is_null() { 404 } else { 200 },
            body: document.to_string().into_bytes().into(),
        })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Documents>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The later document stands.
async fn take_in(
    State(stand_ins): State<StandIns>,
    Path(provider): Path<String>,
    Json(documents): Json<Documents>,
) -> StatusCode {
    match stand_ins.known().get_mut(provider.as_str()) {
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
pub fn tell(gateway: &str, provider: &Provider, documents: &Documents) -> anyhow::Result<bool> {
    let url = format!("{gateway}/_stack/apis/{}", provider.name());
    let answer = agent(&url).post(&url).send_json(documents);
    let answer = answer.with_context(|| nobody(gateway))?;
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
pub fn documents(provider: &Provider, name: &str) -> anyhow::Result<Documents> {
    let mut documents = Documents::new();
    for text in provider.answers(name) {
        let more: Documents = serde_json::from_str(text)?;
        documents.extend(more);
    }
    Ok(documents)
}

/// The same by so many seconds later.
pub fn later(mut documents: Documents, seconds: i64) -> Documents {
    let all = documents.values_mut();
    all.for_each(|document| shift_times(document, seconds));
    documents
}

/// When what a body tells of happened, in Unix seconds. A form names an object, and its API says
/// when something last happened to it.
pub fn moment(provider: &Provider, body: &str, documents: &Documents) -> Option<i64> {
    if let Ok(body) = serde_json::from_str(body) {
        return time(&body, provider.time_path());
    }
    let (_, id) = body.rsplit_once('=')?;
    let named = documents.iter().filter(|(path, _)| path.contains(id));
    let (_, field) = provider
        .time_path()
        .rsplit_once('.')
        .unwrap_or(("", provider.time_path()));
    named
        .filter_map(|(_, document)| latest(document, field))
        .max()
}

/// The latest time in a field of this name, however deep.
fn latest(document: &Value, field: &str) -> Option<i64> {
    match document {
        Value::Array(values) => values.iter().filter_map(|value| latest(value, field)).max(),
        Value::Object(fields) => {
            let own = time(document, field);
            let deeper = fields.values().filter_map(|value| latest(value, field));
            deeper.chain(own).max()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
