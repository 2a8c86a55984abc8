//! A request as a refusal's page saves it, and why it was refused.

use crate::shop::{LOCAL_MASTER, local_secret};
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ids::{Mode, PartnerId};
use jiff::Timestamp;
use local_cloud::name_value::NameValue;
use local_cloud::recorded_requests::RecordedRequest;
use providers::diagnose::{self, Diagnosis, EndpointKind};
use providers::{EndpointConfig, Headers, Request, Secret, partner_secret};
use serde::{Deserialize, Serialize};

/// A request as it is saved: the page's JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SavedRequest {
    /// When it was refused, RFC 3339.
    #[serde(default)]
    pub at: Option<String>,
    /// `POST`.
    pub method: String,
    /// Where it was sent.
    pub path: String,
    /// As they came.
    pub headers: Vec<NameValue>,
    /// The exact bytes, in base64.
    pub body_base64: String,
}

/// What the operator knows besides.
#[derive(Clone, Default)]
pub struct DiagnosisContext {
    /// Secrets in force at the endpoint; none given means the local stack's.
    pub secrets_in_force: Vec<String>,
    /// Secrets in force elsewhere: where, and the secret.
    pub other_secrets: Vec<(String, String)>,
    /// Whether the endpoint takes live events.
    pub live: bool,
    /// When it was refused, where the file does not say.
    pub at: Option<Timestamp>,
}

impl From<&RecordedRequest> for SavedRequest {
    fn from(recorded: &RecordedRequest) -> Self {
        Self {
            at: Some(recorded.at.clone()),
            method: recorded.method.clone(),
            path: recorded.path.clone(),
            headers: recorded.headers.clone(),
            body_base64: STANDARD.encode(&recorded.body),
        }
    }
}

impl SavedRequest {
    /// Reads the page's JSON, or a request as it went over the wire.
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        if bytes.trim_ascii_start().starts_with(b"{") {
            return serde_json::from_slice(bytes).context("this JSON is no saved request");
        }
        let (head, body) = split_head(bytes).context(
            "this is neither a saved request's JSON nor HTTP: a line `POST /path HTTP/1.1`, \
             headers, an empty line, the body",
        )?;
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(path)) = (first.next(), first.next()) else {
            bail!("the first line is not `POST /path HTTP/1.1`");
        };
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| NameValue {
                name: name.trim().to_ascii_lowercase(),
                value: value.trim().to_owned(),
            });
        Ok(Self {
            at: None,
            method: method.to_owned(),
            path: path.split('?').next().unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body_base64: STANDARD.encode(body),
        })
    }

    /// Why it was refused. None where its path leads to no endpoint that checks signatures.
    ///
    /// # Errors
    /// When the body is not base64.
    pub fn diagnosis(
        &self,
        context: &DiagnosisContext,
        now: Timestamp,
    ) -> anyhow::Result<Option<Diagnosis>> {
        let Some((endpoint, local)) = endpoint_at(&self.path, context.live) else {
            return Ok(None);
        };
        let body = STANDARD
            .decode(&self.body_base64)
            .context("body_base64 is not base64")?;
        let pairs = self.headers.iter().map(|named| (&named.name, &named.value));
        let headers = Headers::new(pairs)?;
        let request = Request {
            method: &self.method,
            path: &self.path,
            query: "",
            headers: &headers,
            body: &body,
        };
        let in_force: Vec<&str> = match context.secrets_in_force.as_slice() {
            [] => vec![&local],
            given => given.iter().map(String::as_str).collect(),
        };
        let mut elsewhere: Vec<(&str, &str)> = Vec::new();
        if !in_force.contains(&local.as_str()) {
            elsewhere.push(("the local stack's own secret", &local));
        }
        let others = context.other_secrets.iter();
        elsewhere.extend(others.map(|(place, text)| (place.as_str(), text.as_str())));
        let at = self.at.as_deref().and_then(|at| at.parse().ok());
        let now = at.or(context.at).unwrap_or(now);
        let context = diagnose::KnownSecrets {
            in_force: &in_force,
            elsewhere: &elsewhere,
        };
        Ok(Some(diagnose::diagnose(endpoint, &request, context, now)))
    }
}

/// The endpoint that a path leads to, and its secret in the local stack.
fn endpoint_at(path: &str, live: bool) -> Option<(EndpointKind, String)> {
    if let Some(name) = path.strip_prefix("/webhooks/") {
        let provider = providers::provider(name)?;
        let mode = if live { Mode::Live } else { Mode::Test };
        let endpoint = EndpointKind::Provider(provider, EndpointConfig::new(mode));
        return Some((endpoint, local_secret(provider.name())));
    }
    let name = path.strip_prefix("/partners/")?.strip_suffix("/events")?;
    let partner = PartnerId::parse(name).ok()?;
    let master = Secret::new(LOCAL_MASTER).ok()?;
    let secret = partner_secret(&master, &partner, 1).ok()?;
    Some((EndpointKind::Partner, secret.reveal_standard()))
}

/// Head and body of a request on the wire.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = |mark: &[u8]| {
        let found = bytes.windows(mark.len()).position(|window| window == mark);
        found.map(|at| (at, at.saturating_add(mark.len())))
    };
    let (end, begin) = match (at(b"\r\n\r\n"), at(b"\n\n")) {
        (Some(crlf), Some(lf)) => crlf.min(lf),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => (bytes.len(), bytes.len()),
    };
    let head = bytes.get(..end)?;
    let is_request = head
        .split(|byte| *byte == b'\n')
        .next()
        .is_some_and(|line| line.windows(6).any(|window| window == b" HTTP/"));
    is_request.then_some((head, bytes.get(begin..).unwrap_or_default()))
}
