//! What the functions of a deployed stage ask.

use super::client::{ApiClientError, HttpApi, api_key};
use crate::aws::SsmClient;
use crate::clock::Clock;
use crate::connector::HttpClient;
use crate::secrets::{SecretCache, SecretSource};
use crate::settings::BadSetting;
use crate::trust::native_client;
use domain::ids::Mode;
use providers::Provider;
use std::cell::OnceCell;

/// The APIs that a function of a deployed stage may ask: one HTTP client for all, made with the
/// first of them, because reading the machine's root certificates is what such a client costs.
pub struct StageApis<'a> {
    mode: Mode,
    stage: &'a str,
    ssm: &'a SsmClient,
    clock: &'a Clock,
    client: OnceCell<HttpClient>,
}

impl<'a> StageApis<'a> {
    /// None of them yet.
    pub fn new(mode: Mode, stage: &'a str, ssm: &'a SsmClient, clock: &'a Clock) -> Self {
        Self {
            mode,
            stage,
            ssm,
            clock,
            client: OnceCell::new(),
        }
    }

    /// The API of that provider, or one that stands in for it at `base`. None for a provider
    /// that has none. Its key is a parameter of the stage, which is read when something is asked
    /// for the first time.
    ///
    /// # Errors
    /// [`BadSetting`] where what stands in for it is at no address that a key may be sent to.
    pub fn api(
        &self,
        provider: &Provider,
        base: Option<&str>,
    ) -> Result<Option<HttpApi>, BadSetting> {
        let Some(api) = provider.api() else {
            return Ok(None);
        };
        let key = SecretSource::Parameter {
            client: self.ssm.clone(),
            name: format!("/orangery/{}/{}/api-key", self.stage, provider.name()),
        };
        let key = SecretCache::new(key, api_key, self.clock.clone());
        let base = base.unwrap_or_else(|| api.base(self.mode));
        let made = HttpApi::with_client(api, base, key, self.clock.clone(), || self.client());
        made.map(Some).map_err(|error| BadSetting {
            name: "API_URL",
            what: error.to_string(),
        })
    }

    fn client(&self) -> Result<HttpClient, ApiClientError> {
        if let Some(made) = self.client.get() {
            return Ok(made.clone());
        }
        let made = native_client()?;
        Ok(self.client.get_or_init(|| made).clone())
    }
}
