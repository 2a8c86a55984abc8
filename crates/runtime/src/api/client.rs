//! The HTTP client: one connection reused, bounded waits, few retries, answers of bounded size.

use super::ApiClient;
use super::proof_calls::ProofCalls;
use crate::clock::Clock;
use crate::connector::HttpClient;
use crate::secrets::SecretCache;
use crate::trust::native_client;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use jiff::{SignedDuration, Timestamp};
use providers::{ApiAuth, ApiCall, ApiResponse, CallTarget, Provider, WeakSecret};
use serde::Deserialize;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// What opens a provider's API to us.
#[derive(Clone)]
pub struct ApiKey(Arc<str>);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

/// The key itself: the first text of its source.
///
/// # Errors
/// [`WeakSecret`] when there is none, or it can't stand in a header.
pub fn api_key(texts: &[&str]) -> Result<ApiKey, WeakSecret> {
    let text = texts.first().ok_or(WeakSecret::Empty)?;
    let is_allowed = |byte: u8| byte.is_ascii_graphic();
    if text.is_empty() {
        return Err(WeakSecret::Empty);
    }
    if !text.bytes().all(is_allowed) {
        return Err(WeakSecret::WhiteSpace);
    }
    Ok(ApiKey((*text).into()))
}

/// One provider's API over HTTP.
pub struct HttpApi {
    base: Arc<str>,
    is_stand_in: bool,
    key_use: ApiAuth,
    headers: &'static [(&'static str, &'static str)],
    key: SecretCache<ApiKey>,
    clock: Clock,
    client: HttpClient,
    token: Mutex<Option<AccessToken>>,
    proof_calls: ProofCalls,
}

struct AccessToken {
    authorization: HeaderValue,
    until: Timestamp,
}

/// Why a client can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ApiClientError {
    /// The address is not one that a key may be sent to.
    #[error("`{0}` is not an https address (plain http is for loopback alone)")]
    Address(String),
    /// No certificates that could vouch for anybody.
    #[error("the machine's root certificates can't be read ({0})")]
    Roots(#[from] std::io::Error),
}

impl HttpApi {
    /// The API of that provider and mode, or one that stands in for it at `base`. None for a
    /// provider that has none.
    ///
    /// # Errors
    /// `NoClient`, which says what is wrong.
    pub fn of(
        provider: &Provider,
        mode: Mode,
        base: Option<&str>,
        key: SecretCache<ApiKey>,
        clock: Clock,
    ) -> Result<Option<Self>, ApiClientError> {
        let Some(api) = provider.api() else {
            return Ok(None);
        };
        let base = base.unwrap_or_else(|| api.base(mode));
        Self::new(api, base, key, clock).map(Some)
    }

    /// An API that answers at `base`.
    ///
    /// # Errors
    /// `NoClient`, which says what is wrong.
    pub fn new(
        api: &providers::ApiConfig,
        base: &str,
        key: SecretCache<ApiKey>,
        clock: Clock,
    ) -> Result<Self, ApiClientError> {
        Self::with_client(api, base, key, clock, || Ok(native_client()?))
    }

    /// The same over a client that others may have too.
    pub(super) fn with_client(
        api: &providers::ApiConfig,
        base: &str,
        key: SecretCache<ApiKey>,
        clock: Clock,
        client: impl FnOnce() -> Result<HttpClient, ApiClientError>,
    ) -> Result<Self, ApiClientError> {
        let base = base.trim_end_matches('/');
        if !may_have_key(base) {
            return Err(ApiClientError::Address(base.to_owned()));
        }
        Ok(Self {
            base: base.into(),
            is_stand_in: base != api.live && base != api.test,
            key_use: api.auth,
            headers: api.headers,
            key,
            proof_calls: ProofCalls::new(clock.clone()),
            clock,
            client: client()?,
            token: Mutex::default(),
        })
    }

    async fn attempt(&self, call: &ApiCall) -> Option<ApiResponse> {
        let (address, authorization) = match &call.target {
            CallTarget::Api(path) => {
                let authorization = self.authorization().await?;
                (format!("{}{path}", self.base), Some(authorization))
            }
            CallTarget::Certificate(address) => (self.certificate_at(address), None),
        };
        let mut request = Request::builder()
            .method(call.method.as_str())
            .uri(address)
            .header(ACCEPT, "application/json");
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if !call.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let (status, body) = self.send(request, call.body.to_vec()).await?;
        if status == StatusCode::UNAUTHORIZED {
            self.forget_token();
        }
        let later = status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            // Our key's fault, not the object's: it says nothing about what was asked.
            || status == StatusCode::UNAUTHORIZED
            || status == StatusCode::FORBIDDEN;
        if later {
            tracing::warn!(what = "api", status = status.as_u16(), "no answer");
            return None;
        }
        Some(ApiResponse {
            status: status.as_u16(),
            body: body.into(),
        })
    }

    /// Whoever stands in for the API has its certificates too.
    fn certificate_at(&self, address: &str) -> String {
        match address.parse::<Uri>() {
            Ok(own) if self.is_stand_in => format!("{}{}", self.base, own.path()),
            Ok(_) | Err(_) => address.to_owned(),
        }
    }

    /// The header that opens the API.
    async fn authorization(&self) -> Option<HeaderValue> {
        let key = match self.key.in_force().await {
            Ok(key) => key,
            Err(error) => {
                tracing::error!(what = "api", why = %error, "no key");
                return None;
            }
        };
        match self.key_use {
            ApiAuth::Bearer => secret_header(&format!("Bearer {}", key.0)),
            ApiAuth::ClientCredentials { token_path: token } => self.token(&key, token).await,
        }
    }

    async fn token(&self, key: &ApiKey, path: &str) -> Option<HeaderValue> {
        let now = self.clock.now();
        let held = {
            let held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = held.as_ref().filter(|held| now < held.until);
            fresh.map(|held| held.authorization.clone())
        };
        if held.is_some() {
            return held;
        }
        let basic = format!("Basic {}", STANDARD.encode(key.0.as_bytes()));
        let request = Request::builder()
            .method("POST")
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, secret_header(&basic)?)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = b"grant_type=client_credentials".to_vec();
        let (status, body) = self.send(request, form).await?;
        let granted: TokenResponse = match serde_json::from_slice(&body) {
            Ok(granted) if status.is_success() => granted,
            Ok(_) | Err(_) => {
                tracing::error!(what = "api", status = status.as_u16(), "no token");
                return None;
            }
        };
        let authorization = secret_header(&format!("Bearer {}", granted.access_token))?;
        let lasts = SignedDuration::from_secs(granted.expires_in).saturating_sub(TOKEN_SLACK);
        let token = AccessToken {
            authorization: authorization.clone(),
            until: now.checked_add(lasts).unwrap_or(now),
        };
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Some(authorization)
    }

    fn forget_token(&self) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn send(
        &self,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Option<(StatusCode, Vec<u8>)> {
        let request = request.body(Full::from(body)).ok()?;
        let whole = async {
            let answer: Response<_> = self.client.request(request).await.ok()?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES)
                .collect()
                .await;
            Some((status, body.ok()?.to_bytes().to_vec()))
        };
        let answer = timeout(ATTEMPT_TIMEOUT, whole).await.ok().flatten();
        if answer.is_none() {
            tracing::warn!(what = "api", "no answer");
        }
        answer
    }
}

impl ApiClient for HttpApi {
    async fn call(&self, call: &ApiCall) -> Option<ApiResponse> {
        let mut answer = self.attempt(call).await;
        for pause in RETRY_PAUSES {
            if answer.is_some() {
                break;
            }
            sleep(pause).await;
            answer = self.attempt(call).await;
        }
        answer
    }

    async fn call_for_proof(&self, call: &ApiCall) -> Option<ApiResponse> {
        self.proof_calls.answer(call, || self.attempt(call)).await
    }

    fn settle(&self, calls: &[ApiCall], proven: bool) {
        self.proof_calls.settle(calls, proven);
    }
}

impl fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpApi").field(&self.base).finish()
    }
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    expires_in: i64,
}

/// A key goes over TLS, or to this machine itself.
fn may_have_key(base: &str) -> bool {
    let Ok(address) = base.parse::<Uri>() else {
        return false;
    };
    match (address.scheme_str(), address.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => host == "127.0.0.1" || host == "localhost",
        (Some(_) | None, _) => false,
    }
}

fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
const RETRY_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];
const MAX_ANSWER_BYTES: usize = 256 * 1024;
const TOKEN_SLACK: SignedDuration = SignedDuration::from_secs(60);

#[cfg(test)]
mod tests;
