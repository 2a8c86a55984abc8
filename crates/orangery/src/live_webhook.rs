//! A webhook endpoint of the local stack that takes a further secret while it runs: what a
//! provider's forwarding tool prints is in force without a restart.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use providers::Provider;
use runtime::settings::BadSetting;
use runtime::{Function, Invocation, Warming};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Makes the endpoint's function with these secrets in force.
pub(crate) type BuildWebhook =
    Box<dyn Fn(&[String]) -> Result<Arc<dyn Function>, BadSetting> + Send + Sync>;

/// The endpoint of one provider; clones share it.
#[derive(Clone)]
pub(crate) struct LiveWebhook(Arc<LiveInner>);

struct LiveInner {
    provider: &'static Provider,
    build: BuildWebhook,
    current: Mutex<(Vec<String>, Arc<dyn Function>)>,
}

impl LiveWebhook {
    /// With these secrets to begin with.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub(crate) fn new(
        provider: &'static Provider,
        secrets: Vec<String>,
        build: BuildWebhook,
    ) -> Result<Self, BadSetting> {
        let function = build(&secrets)?;
        Ok(Self(Arc::new(LiveInner {
            provider,
            build,
            current: Mutex::new((secrets, function)),
        })))
    }

    /// Puts one more in force; the oldest that was given so is forgotten where there are too many.
    fn add(&self, secret: &str) -> Result<(), String> {
        let inner = &self.0;
        if let Some(what) = inner.provider.setup().mistaken_for(secret) {
            return Err(format!("it is {what}"));
        }
        let mut current = inner.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0.iter().any(|known| known == secret) {
            return Ok(());
        }
        let mut secrets = current.0.clone();
        secrets.push(secret.to_owned());
        let texts = secrets.iter().map(String::as_str);
        inner
            .provider
            .secrets(texts)
            .map_err(|weak| weak.to_string())?;
        let function = (inner.build)(&secrets).map_err(|bad| bad.to_string())?;
        *current = (secrets, function);
        Ok(())
    }

    fn current(&self) -> Arc<dyn Function> {
        let current = self
            .0
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        current.1.clone()
    }
}

impl Function for LiveWebhook {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        let current = self.current();
        Box::pin(async move { current.invoke(payload).await })
    }

    fn warm(&self) -> Warming<'_> {
        let current = self.current();
        Box::pin(async move { current.warm().await })
    }
}

/// A secret on its way to the stack.
#[derive(Serialize, Deserialize)]
pub(crate) struct GivenSecret {
    /// Its text.
    pub(crate) secret: String,
}

/// Where `connect --secret` gives it: `POST /_stack/secrets/{provider}`, from this machine alone.
pub(crate) fn router(webhooks: BTreeMap<&'static str, LiveWebhook>) -> Router {
    Router::new()
        .route(&format!("{PATH}/{{provider}}"), post(give))
        .with_state(Arc::new(webhooks))
}

async fn give(
    State(webhooks): State<Arc<BTreeMap<&'static str, LiveWebhook>>>,
    Path(provider): Path<String>,
    Json(given): Json<GivenSecret>,
) -> Result<StatusCode, (StatusCode, String)> {
    let webhook = webhooks.get(provider.as_str());
    let webhook = webhook.ok_or_else(|| (StatusCode::NOT_FOUND, NO_PROVIDER.to_owned()))?;
    match webhook.add(&given.secret) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(why) => Err((StatusCode::BAD_REQUEST, why)),
    }
}

/// Where secrets are given.
pub(crate) const PATH: &str = "/_stack/secrets";
const NO_PROVIDER: &str = "no provider is called so\n";
