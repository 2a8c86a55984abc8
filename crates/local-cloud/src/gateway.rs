//! The gateway: HTTP on loopback, turned into Lambda events and back.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value};
use tokio::sync::Notify;

use crate::clock::StackClock;
use crate::http_event::{self, RequestContext};
use crate::invoke::invoke;
use crate::name_value::NameValue;
use crate::recorded_requests::{RecordedRequest, RequestObserver};
use crate::routes::{Route, RouteMatch, find};
use crate::state::{Refusal, StackState};

/// What the gateway needs to answer; clones share it.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub(crate) routes: Arc<Vec<Route>>,
    pub(crate) clock: StackClock,
    pub(crate) state: StackState,
    /// Nudged after each answer: the function has likely written something to deliver.
    pub(crate) nudge: Arc<Notify>,
    pub(crate) unrouted: Option<RequestObserver>,
}

/// The routes of the functions, as a fallback behind the stack's own.
pub(crate) fn router(gateway: Gateway) -> Router {
    Router::new().fallback(answer).with_state(gateway)
}

async fn answer(
    Shared(gateway): Shared<Gateway>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(body).await;
    let (response, cause) = match &bytes {
        Ok(bytes) => gateway.call(&parts, bytes, peer).await,
        Err(BodyError::TooLarge) => text_response(
            StatusCode::PAYLOAD_TOO_LARGE,
            "A request may hold at most 6 MB, because Lambda takes no more.",
        ),
        Err(BodyError::CutShort) => {
            text_response(StatusCode::BAD_REQUEST, "The body ended too early.")
        }
    };
    gateway.nudge.notify_waiters();
    gateway
        .record(&parts, &bytes.unwrap_or_default(), response, cause)
        .await
}

/// An answer, and why it is none of success where its body does not say so.
type GatewayAnswer = (Response<Body>, Option<String>);

impl Gateway {
    async fn call(&self, parts: &Parts, body: &[u8], peer: SocketAddr) -> GatewayAnswer {
        let path = parts.uri.path();
        match find(&self.routes, &parts.method, path) {
            RouteMatch::Route(route, parameters) => {
                let (source, at) = (peer.ip(), self.clock.now());
                let arrival = RequestContext {
                    route_key: route.key(),
                    parameters,
                    source,
                    at,
                };
                let event = http_event::event(parts, body, &arrival);
                self.invoke(route, &event).await
            }
            RouteMatch::OtherMethods(methods) => {
                let allowed = methods.join(", ");
                let words = format!("{path} answers {allowed}, not {}.", parts.method);
                let (mut response, cause) = text_response(StatusCode::METHOD_NOT_ALLOWED, &words);
                if let Ok(allowed) = HeaderValue::try_from(allowed) {
                    response.headers_mut().insert(header::ALLOW, allowed);
                }
                (response, cause)
            }
            RouteMatch::Nothing => text_response(StatusCode::NOT_FOUND, &self.unknown(path)),
        }
    }

    async fn invoke(&self, route: &Route, event: &Value) -> GatewayAnswer {
        let cause = match invoke(&route.function, event.to_string().into_bytes()).await {
            Ok(payload) => match http_event::answer(&payload) {
                Ok(response) => return (response, None),
                Err(words) => format!("its answer is {words}"),
            },
            Err(failure) => failure.to_string(),
        };
        tracing::error!(route = route.path, cause, "a function failed");
        let words = format!(
            "The function behind {} failed. GET /_stack/refusals says why.",
            route.key(),
        );
        let (response, _) = text_response(StatusCode::INTERNAL_SERVER_ERROR, &words);
        (response, Some(cause))
    }

    fn unknown(&self, path: &str) -> String {
        let known: Vec<String> = self.routes.iter().map(Route::key).collect();
        format!(
            "No function answers {path}. Known here: {}.",
            known.join(", ")
        )
    }

    /// Keeps what was asked and answered; the answer itself is passed on as it is.
    async fn record(
        &self,
        parts: &Parts,
        body: &[u8],
        response: Response<Body>,
        cause: Option<String>,
    ) -> Response<Body> {
        let status = response.status().as_u16();
        let (head, response_body) = response.into_parts();
        let mut response_body = axum::body::to_bytes(response_body, usize::MAX)
            .await
            .unwrap_or_default();
        if CREDENTIAL_REFUSALS.contains(&status)
            && let Some(note) = self.clock.difference_note()
        {
            response_body = with_clock_note(response_body, note);
        }
        let cause =
            cause.unwrap_or_else(|| String::from_utf8_lossy(&response_body).trim().to_owned());
        let seen = RecordedRequest {
            id: 0,
            at: self.clock.now().to_string(),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            headers: recorded_headers(&parts.headers),
            status,
            answer: cause.clone(),
            body_bytes: body.len(),
            digest: RecordedRequest::digest_of(body),
            body: body.to_vec(),
        };
        if let Some(tell) = &self.unrouted
            && !matches!(
                find(&self.routes, &parts.method, &seen.path),
                RouteMatch::Route(..)
            )
        {
            tell(&seen);
        }
        let mut kept = self.state.record_request(&seen);
        if seen.is_refused() {
            let refusal = Refusal {
                at: seen.at,
                method: seen.method,
                path: seen.path,
                status,
                cause,
                body: String::from_utf8_lossy(body).into_owned(),
            };
            kept = kept.and_then(|()| self.state.record_refusal(&refusal));
        }
        if let Err(cause) = kept {
            tracing::error!(%cause, "a request could not be kept");
        }
        Response::from_parts(head, Body::from(response_body))
    }
}

/// A refusal that says how far the stack's clock is off: nobody else could know.
fn with_clock_note(response_body: Bytes, note: String) -> Bytes {
    match serde_json::from_slice::<Map<String, Value>>(&response_body) {
        Ok(mut fields) => {
            fields.insert("stack_clock".to_owned(), Value::String(note));
            Value::Object(fields).to_string().into()
        }
        Err(_) => [&response_body, note.as_bytes(), b"\n"].concat().into(),
    }
}

/// The headers as they came; a credential's value is left out.
fn recorded_headers(headers: &HeaderMap) -> Vec<NameValue> {
    let named = |(name, value): (&HeaderName, &HeaderValue)| {
        let opens = ["authorization", "cookie", "proxy-authorization"].contains(&name.as_str());
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        NameValue {
            name: name.to_string(),
            value: if opens { "…".to_owned() } else { text },
        }
    };
    headers.iter().map(named).collect()
}

/// Why a body is not there to be handed on.
enum BodyError {
    TooLarge,
    CutShort,
}

/// Reads a body up to the limit, and what is beyond it to the end: a sender that is cut off
/// while it still sends may never see why.
async fn read_body(mut body: Body) -> Result<Vec<u8>, BodyError> {
    let mut kept: Vec<u8> = Vec::new();
    let mut size: usize = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(frame) = frame else {
            return Err(BodyError::CutShort);
        };
        let data: Bytes = frame.into_data().unwrap_or_default();
        size = size.saturating_add(data.len());
        if size > DRAIN_LIMIT {
            break;
        }
        if size <= BODY_LIMIT {
            kept.extend_from_slice(&data);
        }
    }
    if size > BODY_LIMIT {
        Err(BodyError::TooLarge)
    } else {
        Ok(kept)
    }
}

fn text_response(status: StatusCode, words: &str) -> GatewayAnswer {
    ((status, format!("{words}\n")).into_response(), None)
}

/// What endpoints answer to a proof that does not hold, of which its time is a part.
const CREDENTIAL_REFUSALS: [u16; 3] = [400, 401, 403];
/// Lambda's limit on a request that waits for its answer.
const BODY_LIMIT: usize = 6 * 1024 * 1024;
const DRAIN_LIMIT: usize = 64 * 1024 * 1024;
