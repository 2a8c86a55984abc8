//! `orangery doctor signature`: why a saved request was refused, in words one can act on.

use crate::console::diagnosis_text;
use crate::stack::mail::NameValue;
use crate::stack::recorded_requests::RecordedRequest;
use crate::wiring::{LOCAL_MASTER, local_secret};
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ids::{Mode, PartnerId};
use jiff::Timestamp;
use providers::diagnose::{self, Diagnosis, EndpointKind};
use providers::{EndpointConfig, Headers, Request, Secret, partner_secret};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

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
    /// Secrets in force at the door; none given means the local stack's.
    pub secrets_in_force: Vec<String>,
    /// Secrets in force elsewhere: where, and the secret.
    pub other_secrets: Vec<(String, String)>,
    /// Whether the door takes live events.
    pub live: bool,
    /// When it was refused, where the file does not say.
    pub at: Option<Timestamp>,
}

impl From<&RecordedRequest> for SavedRequest {
    fn from(seen: &RecordedRequest) -> Self {
        Self {
            at: Some(seen.at.clone()),
            method: seen.method.clone(),
            path: seen.path.clone(),
            headers: seen.headers.clone(),
            body_base64: STANDARD.encode(&seen.body),
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

    /// Why it was refused. None where its path leads to no door that checks signatures.
    ///
    /// # Errors
    /// When the body is not base64.
    pub fn diagnosis(
        &self,
        known: &DiagnosisContext,
        now: Timestamp,
    ) -> anyhow::Result<Option<Diagnosis>> {
        let Some((door, local)) = endpoint_at(&self.path, known.live) else {
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
            url: None,
            query: "",
            headers: &headers,
            body: &body,
        };
        let in_force: Vec<&str> = match known.secrets_in_force.as_slice() {
            [] => vec![&local],
            given => given.iter().map(String::as_str).collect(),
        };
        let mut elsewhere: Vec<(&str, &str)> = Vec::new();
        if !in_force.contains(&local.as_str()) {
            elsewhere.push(("the local stack's own secret", &local));
        }
        let others = known.other_secrets.iter();
        elsewhere.extend(others.map(|(place, text)| (place.as_str(), text.as_str())));
        let at = self.at.as_deref().and_then(|at| at.parse().ok());
        let now = at.or(known.at).unwrap_or(now);
        let known = diagnose::KnownSecrets {
            in_force: &in_force,
            elsewhere: &elsewhere,
        };
        Ok(Some(diagnose::diagnose(door, &request, known, now)))
    }
}

/// The finding on a saved request, as printed.
///
/// # Errors
/// When the file holds no request, or one to no door.
pub fn signature(bytes: &[u8], known: &DiagnosisContext) -> anyhow::Result<String> {
    let saved = SavedRequest::read(bytes)?;
    let Some(diagnosis) = saved.diagnosis(known, Timestamp::now())? else {
        bail!(
            "`{}` is no door that checks signatures: those are /webhooks/<provider> and \
             /partners/<partner>/events",
            saved.path
        );
    };
    let said = diagnosis_text("en", &diagnosis);
    let mut out = String::new();
    let sure = if diagnosis.certain {
        ""
    } else {
        " (the likeliest; nothing shows it)"
    };
    // Writing to a string can't fail.
    let _ = writeln!(out, "{}: {}{sure}", diagnosis.cause.as_str(), said.cause);
    let _ = writeln!(out, "what to do: {}", said.act);
    Ok(out)
}

/// Which door a path leads to, and the secret that the local stack's has.
fn endpoint_at(path: &str, live: bool) -> Option<(EndpointKind, String)> {
    if let Some(name) = path.strip_prefix("/webhooks/") {
        let provider = providers::provider(name)?;
        let mode = if live { Mode::Live } else { Mode::Test };
        let door = EndpointKind::Provider(provider, EndpointConfig::new(mode));
        return Some((door, local_secret(provider.name())));
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
