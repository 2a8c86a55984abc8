//! A payment provider's webhook: verify, normalize, append, fold, answer.

use domain::ids::{CustomerKey, Mode};
use providers::{
    EndpointConfig, InboundRequest, PersonKey, Provider, ReceivedItem, Secrets, provider,
};
use runtime::api::{ApiClient, AskLimits, HttpApi, StageApis, run_steps};
use runtime::aws::Cloud;
use runtime::http::{HttpHandler, HttpRequest, HttpResponse, answer};
use runtime::ingest::{Disposition, IngestItem, ingest};
use runtime::secrets::{KeyPurpose, SecretCache, SecretSource, person_key};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Function, Invocation, Warming};
use serde::Serialize;
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::{Key, Table};

/// The webhook endpoint of one provider in one mode.
#[derive(Debug)]
pub struct PaymentWebhook<T, A = Option<HttpApi>> {
    /// The provider.
    pub provider: &'static Provider,
    /// What the endpoint accepts: its mode, and how far a signed time may lie from ours.
    pub endpoint: EndpointConfig,
    /// The provider's secrets in force.
    pub secrets: SecretCache<Secrets>,
    /// Turns e-mail addresses into persons.
    pub person_key: SecretCache<PersonKey>,
    /// The provider's own API, where its events do not say everything.
    pub api: A,
    /// The table.
    pub table: T,
    /// The clock.
    pub clock: Clock,
}

impl PaymentWebhook<DynamoTable> {
    /// As the template's environment describes it: `PROVIDER`, `MODE`, `STAGE`, `TABLE`,
    /// `CONNECTED_ACCOUNTS` where events of connected accounts are ours (`ours`),
    /// `TOLERANCE_SECONDS` where the signed time may not lie five minutes from ours, and
    /// `API_URL` where something stands in for the provider's own API.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let name = settings.required("PROVIDER")?;
        let unknown = || BadSetting {
            name: "PROVIDER",
            what: format!("`{name}` is not known"),
        };
        let provider = provider(name).ok_or_else(unknown)?;
        let mode = settings.mode()?;
        let stage = settings.required("STAGE")?;
        let cloud = Cloud::from_settings(settings)?;
        let ssm = cloud.ssm();
        let clock = Clock::system();
        let secrets = SecretSource::Parameter {
            client: ssm.clone(),
            name: format!("/orangery/{stage}/{name}/webhook-secrets"),
        };
        let persons = SecretSource::of_keys(&ssm, stage, KeyPurpose::Persons);
        let base = settings.optional("API_URL");
        let api = StageApis::new(mode, stage, &ssm, &clock).api(provider, base)?;
        Ok(Self {
            provider,
            endpoint: endpoint_config(settings, mode)?,
            secrets: endpoint_secrets(provider, secrets, clock.clone()),
            person_key: SecretCache::new(persons, person_key, clock.clone()),
            api,
            table: DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?),
            clock,
        })
    }
}

fn endpoint_config(settings: &Settings, mode: Mode) -> Result<EndpointConfig, BadSetting> {
    let mut endpoint = EndpointConfig::new(mode);
    match settings.optional("CONNECTED_ACCOUNTS") {
        None | Some("others") => {}
        Some("ours") => endpoint = endpoint.with_connected_accounts(),
        Some(_) => {
            return Err(BadSetting {
                name: "CONNECTED_ACCOUNTS",
                what: "is neither `ours` nor `others`".into(),
            });
        }
    }
    let Some(seconds) = settings.optional("TOLERANCE_SECONDS") else {
        return Ok(endpoint);
    };
    endpoint.with_tolerance(seconds).ok_or_else(|| BadSetting {
        name: "TOLERANCE_SECONDS",
        what: "is not a number of seconds from 1 to 65535".into(),
    })
}

/// The secrets of one provider's endpoint, from any source.
pub fn endpoint_secrets(
    provider: &'static Provider,
    source: SecretSource,
    clock: Clock,
) -> SecretCache<Secrets> {
    SecretCache::new(
        source,
        |texts| provider.secrets(texts.iter().copied()),
        clock,
    )
}

impl<T: Table, A: ApiClient> Function for PaymentWebhook<T, A> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move { Ok(answer(self, payload).await) })
    }

    fn warm(&self) -> Warming<'_> {
        Box::pin(async move {
            let _ = self.keys().await;
            if let Ok(nobody) = CustomerKey::parse("warm") {
                let _ = self.table.get(Key::record(&nobody)).await;
            }
        })
    }
}

impl<T: Table, A: ApiClient> HttpHandler for PaymentWebhook<T, A> {
    async fn handle(&self, request: HttpRequest) -> HttpResponse {
        if request.method != "POST" {
            return HttpResponse::wrong_method("POST");
        }
        let keys = match self.keys().await {
            Ok(keys) => keys,
            Err(error) => return HttpResponse::unverifiable(&error),
        };
        let now = self.clock.now();
        let (secrets, person_key) = &keys;
        let received = run_steps(&self.api, AskLimits::default(), |fetched| {
            let arrival = InboundRequest {
                request: request.as_request(),
                endpoint: self.endpoint,
                secrets,
                fetched,
                now,
            };
            providers::receive(self.provider, &arrival, person_key)
        });
        match received.await {
            Ok(received) => self.ingest(received, &request.id).await,
            Err(refused) => {
                let provider = self.provider.name();
                tracing::warn!(provider, verdict = "refused", why = %refused, metrics = "refused");
                HttpResponse::error(self.provider.refused_status(&refused), &refused)
            }
        }
    }
}

impl<T: Table, A> PaymentWebhook<T, A> {
    async fn keys(&self) -> Result<(Secrets, PersonKey), runtime::secrets::SecretsError> {
        Ok((
            self.secrets.in_force().await?,
            self.person_key.in_force().await?,
        ))
    }

    async fn ingest(&self, received: Vec<ReceivedItem>, receipt: &str) -> HttpResponse {
        let now = self.clock.now();
        let receipt: Arc<str> = receipt.into();
        let items = received.into_iter().map(|received| IngestItem {
            received,
            received_at: now,
            receipt: receipt.clone(),
        });
        let became = match ingest(&self.table, self.provider, items.collect(), now).await {
            Ok(became) => became,
            Err(error) => return HttpResponse::not_durable(&error),
        };
        let mut answered = DispositionCounts::default();
        let mut nothing_kept = true;
        for became in became {
            nothing_kept &= !became.is_kept();
            answered.count(became);
        }
        let status = if nothing_kept {
            self.provider.ignored_status()
        } else {
            self.provider.accepted_status()
        };
        HttpResponse::json(status, &answered)
    }
}

/// What became of the items of one request.
#[derive(Default, Serialize)]
struct DispositionCounts {
    applied: u32,
    repeated: u32,
    parked: u32,
    quarantined: u32,
    #[serde(skip_serializing_if = "is_zero")]
    waiting: u32,
    ignored: u32,
    wrong_mode: u32,
    #[serde(skip_serializing_if = "is_zero")]
    other_account: u32,
}

impl DispositionCounts {
    fn count(&mut self, became: Disposition) {
        let count = match became {
            Disposition::Applied => &mut self.applied,
            Disposition::Repeated => &mut self.repeated,
            Disposition::Parked => &mut self.parked,
            Disposition::Quarantined => &mut self.quarantined,
            Disposition::Waiting => &mut self.waiting,
            Disposition::Ignored => &mut self.ignored,
            Disposition::WrongMode => &mut self.wrong_mode,
            Disposition::OtherAccount => &mut self.other_account,
        };
        *count = count.saturating_add(1);
    }
}

/// Most requests have none: few providers have an API to ask, or accounts connected to ours.
fn is_zero(count: &u32) -> bool {
    *count == 0
}
