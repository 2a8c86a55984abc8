//! HTTP as Lambda carries it: an event in, bytes and headers out; an answer in, JSON out.

use crate::secrets::SecretsError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use providers::{Headers, Request, VerificationError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use store::StoreError;
use store::redacted_json_error::RedactedJsonError;

/// One HTTP request as it was sent: body undone from base64 where it was flagged, headers by
/// name in any case, repetitions kept.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The gateway's id of this delivery: no two are alike. Load balancers give none; theirs is
    /// the trace id, to which they add a part of its own for each request.
    pub id: String,
    /// The form of the event that it came in, and that its answer must have.
    pub format: EventFormat,
    /// `POST`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// Parts of the path by name.
    pub path_parameters: BTreeMap<String, String>,
    /// The headers.
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// The form of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFormat {
    /// An HTTP API's, payload 2.0, or a function URL's.
    Http,
    /// A REST API's or a load balancer's.
    Rest,
}

/// A function that answers HTTP.
pub trait HttpHandler: Send + Sync {
    /// Answers one request.
    fn handle(&self, request: HttpRequest) -> impl Future<Output = HttpResponse> + Send;
}

/// Reads an event as a request, has it answered, and writes the answer as that gateway wants it.
pub async fn answer(handler: &impl HttpHandler, payload: &[u8]) -> Vec<u8> {
    match HttpRequest::from_event(payload) {
        Ok(request) => {
            let form = request.format;
            handler.handle(request).await.into_event(form)
        }
        Err(error) => {
            tracing::warn!(verdict = "malformed", why = %error, metrics = "malformed_events");
            HttpResponse::from(&error).into_event(EventFormat::Rest)
        }
    }
}

/// Why an event can't be read as a request.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    /// Not an HTTP event at all: the function is wired to something else.
    #[error("not an HTTP event of API Gateway ({0}); the function is wired to something else")]
    NotHttp(#[from] RedactedJsonError),
    /// Flagged base64, and it is not.
    #[error("the body is flagged base64 and is not; whoever relayed it changed it on the way")]
    BadBase64,
    /// The headers can't be read.
    #[error(transparent)]
    Headers(#[from] VerificationError),
}

impl HttpRequest {
    /// Reads an event of an HTTP API (payload 2.0), a REST API or a load balancer.
    ///
    /// # Errors
    /// [`BadEvent`].
    pub fn from_event(payload: &[u8]) -> Result<Self, BadEvent> {
        let wire: WireEvent = serde_json::from_slice(payload).map_err(RedactedJsonError::from)?;
        let form = match &wire.request_context.http {
            Some(_) => EventFormat::Http,
            None => EventFormat::Rest,
        };
        let http = wire.request_context.http.unwrap_or_default();
        let body = wire.body.unwrap_or_default();
        let body = if wire.is_base64_encoded {
            STANDARD
                .decode(body.as_bytes())
                .map_err(|_| BadEvent::BadBase64)?
        } else {
            body.into_bytes()
        };
        // Where both forms are there, the plain one repeats the last of the other.
        let several = wire.multi_value_headers.unwrap_or_default();
        let headers = if several.is_empty() {
            Headers::new(wire.headers.unwrap_or_default())?
        } else {
            let flat = several.iter().flat_map(|(name, values)| {
                values
                    .iter()
                    .map(move |value| (name.as_str(), value.as_str()))
            });
            Headers::new(flat)?
        };
        let traced = || headers.all("x-amzn-trace-id").next().map(str::to_owned);
        let id = wire.request_context.request_id.or_else(traced);
        Ok(Self {
            id: id.unwrap_or_default(),
            format: form,
            method: http.method.or(wire.http_method).unwrap_or_default(),
            path: wire.raw_path.or(wire.path).unwrap_or_default(),
            query: wire.raw_query_string.unwrap_or_default(),
            path_parameters: wire.path_parameters.unwrap_or_default(),
            headers,
            body,
        })
    }

    /// As `providers::receive` takes it.
    pub fn as_request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// An answer: a status and a small JSON body for whoever reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// `Allow`, for 405.
    pub allow: Option<&'static str>,
    /// Further headers, by their names in lower case.
    pub headers: BTreeMap<&'static str, String>,
}

impl HttpResponse {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).unwrap_or_default();
        Self {
            status,
            body,
            allow: None,
            headers: BTreeMap::new(),
        }
    }

    /// The same with one more header, or another value of it.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// An answer that says what went wrong.
    pub fn error(status: u16, error: &impl ToString) -> Self {
        Self::json(
            status,
            &ErrorBody {
                error: error.to_string(),
            },
        )
    }

    /// The method is not one that this endpoint takes.
    pub fn wrong_method(allow: &'static str) -> Self {
        let message = format!("this address takes {allow} and nothing else");
        Self {
            allow: Some(allow),
            ..Self::error(405, &message)
        }
    }

    /// 503: no secret is at hand to prove anything by; the sender tries again.
    pub fn unverifiable(error: &SecretsError) -> Self {
        tracing::error!(verdict = "unverifiable", why = %error);
        Self::error(
            503,
            &"nothing can be verified at the moment; send it again later",
        )
    }

    /// 503: what was sent is not certainly durable; the sender tries again. 413: it is larger than
    /// the table takes, which no trying again mends.
    pub fn not_durable(error: &StoreError) -> Self {
        if let StoreError::TooLarge { .. } = error {
            tracing::error!(verdict = "too_large", why = %error, metrics = "too_large");
            return Self::error(
                413,
                &"this is too large to be kept; whatever else came with it is kept",
            );
        }
        tracing::error!(verdict = "not_durable", why = %error);
        Self::error(
            503,
            &"this could not be kept at the moment; send it again later",
        )
    }

    /// 503: the table did not answer a question; whoever asks tries again.
    pub fn not_readable(error: &StoreError) -> Self {
        tracing::error!(verdict = "not_readable", why = %error);
        Self::error(
            503,
            &"this could not be read at the moment; ask again later",
        )
    }

    /// As Lambda hands it to the gateway. An answer without content (204, 304) has neither a body
    /// nor a type of one.
    pub fn into_event(self, form: EventFormat) -> Vec<u8> {
        let body = (!matches!(self.status, 204 | 304)).then_some(self.body.as_str());
        let own = self.headers.iter();
        let mut headers: BTreeMap<_, _> = own.map(|(name, value)| (*name, &**value)).collect();
        headers.extend(body.map(|_| ("content-type", "application/json")));
        headers.extend(self.allow.map(|allow| ("allow", allow)));
        let event = WireAnswer {
            status_code: self.status,
            headers,
            body,
            is_base64_encoded: false,
            cookies: match form {
                EventFormat::Http => Some([]),
                EventFormat::Rest => None,
            },
        };
        serde_json::to_vec(&event).unwrap_or_default()
    }
}

impl From<&BadEvent> for HttpResponse {
    fn from(error: &BadEvent) -> Self {
        let status = match error {
            BadEvent::NotHttp(_) | BadEvent::BadBase64 => 400,
            BadEvent::Headers(refused) => refused.status(),
        };
        Self::error(status, error)
    }
}

#[derive(Serialize)]
struct ErrorBody {
    error: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEvent {
    raw_path: Option<String>,
    path: Option<String>,
    raw_query_string: Option<String>,
    http_method: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    path_parameters: Option<BTreeMap<String, String>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: WireContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireContext {
    request_id: Option<String>,
    http: Option<WireHttp>,
}

#[derive(Default, Deserialize)]
struct WireHttp {
    method: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireAnswer<'a> {
    status_code: u16,
    headers: BTreeMap<&'static str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    is_base64_encoded: bool,
    /// `cargo lambda watch` takes no answer of payload 2.0 without; a REST API none with.
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<[&'static str; 0]>,
}

#[cfg(test)]
mod tests;
