//! A payment provider speaks: verify, normalize, append, fold, answer.

use domain::ids::Mode;
use domain::record::Entry;
use providers::{Arrival, Endpoint, Outcome, PersonKey, Provider, Received, Secrets, provider};
use runtime::api::{Api, Bounds, HttpApi, api_key, settled};
use runtime::http::{HttpHandler, HttpRequest, HttpResponse, answer};
use runtime::secrets::{SecretCache, Source, person_key};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Function, Invocation, Warming, aws};
use serde::Serialize;
use std::sync::Arc;
use store::accept::Verdict;
use store::dynamo::DynamoTable;
use store::{Key, Table};

/// The door of one provider in one mode.
#[derive(Debug)]
pub struct PaymentWebhook<T, A = Option<HttpApi>> {
    /// Who speaks here.
    pub provider: &'static Provider,
    /// Which money may come in.
    pub endpoint: Endpoint,
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
        let mode = match settings.required("MODE")? {
            "live" => Mode::Live,
            "test" => Mode::Test,
            _ => {
                return Err(BadSetting {
                    name: "MODE",
                    what: "is not live or test".into(),
                });
            }
        };
        let stage = settings.required("STAGE")?;
        let ssm = aws::SsmClient::new(&aws::config(settings, aws::Service::Ssm)?);
        let parameter = |name: String| Source::Parameter {
            client: ssm.clone(),
            name,
        };
        let clock = Clock::system();
        let secrets = parameter(format!("/orangery/{stage}/{name}/webhook-secrets"));
        let master = parameter(format!("/orangery/{stage}/master-key"));
        let key = parameter(format!("/orangery/{stage}/{name}/api-key"));
        let key = SecretCache::new(key, api_key, clock.clone());
        let base = settings.optional("API_URL");
        let api = HttpApi::of(provider, mode, base, key, clock.clone());
        let api = api.map_err(|error| BadSetting {
            name: "API_URL",
            what: error.to_string(),
        })?;
        let dynamo = aws::DynamoClient::new(&aws::config(settings, aws::Service::DynamoDb)?);
        Ok(Self {
            provider,
            endpoint: endpoint(settings, mode)?,
            secrets: door_secrets(provider, secrets, clock.clone()),
            person_key: SecretCache::new(master, person_key, clock.clone()),
            api,
            table: DynamoTable::new(dynamo, settings.required("TABLE")?),
            clock,
        })
    }
}

fn endpoint(settings: &Settings, mode: Mode) -> Result<Endpoint, BadSetting> {
    let endpoint = Endpoint::new(mode);
    let Some(seconds) = settings.optional("TOLERANCE_SECONDS") else {
        return Ok(endpoint);
    };
    endpoint.tolerating(seconds).ok_or_else(|| BadSetting {
        name: "TOLERANCE_SECONDS",
        what: "is no number of seconds from 1 to 65535".into(),
    })
}

/// The secrets of one provider's door from any source.
pub fn door_secrets(
    provider: &'static Provider,
    source: Source,
    clock: Clock,
) -> SecretCache<Secrets> {
    SecretCache::new(
        source,
        |texts| provider.secrets(texts.iter().copied()),
        clock,
    )
}

impl<T: Table, A: Api> Function for PaymentWebhook<T, A> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move { Ok(answer(self, payload).await) })
    }

    fn warm(&self) -> Warming<'_> {
        Box::pin(async move {
            let _ = self.keys().await;
            let nobody = self.provider.account(self.endpoint.mode).customer("warm");
            let _ = self.table.get(Key::record(&nobody)).await;
        })
    }
}

impl<T: Table, A: Api> HttpHandler for PaymentWebhook<T, A> {
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
        let received = settled(&self.api, Bounds::default(), |fetched| {
            let arrival = Arrival {
                request: request.as_request(),
                endpoint: self.endpoint,
                secrets,
                fetched,
                now,
            };
            providers::receive(self.provider, &arrival, person_key)
        });
        match received.await {
            Ok(received) => self.take_in(received, &request.id).await,
            Err(refused) => {
                let provider = self.provider.name();
                tracing::warn!(provider, verdict = "refused", why = %refused, metrics = "refused");
                HttpResponse::error(self.provider.refused(&refused), &refused)
            }
        }
    }
}

impl<T: Table, A> PaymentWebhook<T, A> {
    async fn keys(&self) -> Result<(Secrets, PersonKey), runtime::secrets::NoSecrets> {
        Ok((
            self.secrets.in_force().await?,
            self.person_key.in_force().await?,
        ))
    }

    async fn take_in(&self, received: Vec<Received>, receipt: &str) -> HttpResponse {
        let now = self.clock.now();
        let receipt: Arc<str> = receipt.into();
        let mut answered = Answered::default();
        let mut entries = Vec::new();
        for Received { raw, outcome } in received {
            match outcome {
                Outcome::Reading(reading) => {
                    let normalizer = self.provider.normalizer();
                    let entry = Entry::new(reading, raw, normalizer, now, receipt.clone());
                    entries.push(Arc::new(entry));
                }
                Outcome::Ignored { kind, .. } => {
                    self.decided(None, &kind, "ignored");
                    answered.ignored = answered.ignored.saturating_add(1);
                }
                Outcome::WrongMode { kind } => {
                    self.decided(None, &kind, "wrong_mode");
                    answered.wrong_mode = answered.wrong_mode.saturating_add(1);
                }
            }
        }
        let verdicts = match store::accept::receive(&self.table, &entries, now).await {
            Ok(verdicts) => verdicts,
            Err(error) => return HttpResponse::not_durable(&error),
        };
        for (entry, verdict) in entries.iter().zip(verdicts) {
            let verdict = answered.count(entry, verdict);
            let id = entry.reading.id.as_str();
            self.decided(Some(id), &entry.reading.kind, verdict);
        }
        let ignored_only = entries.is_empty();
        let status = if ignored_only {
            self.provider.ignored()
        } else {
            self.provider.accepted()
        };
        HttpResponse::json(status, &answered)
    }

    /// The decision line: one an event.
    fn decided(&self, id: Option<&str>, kind: &str, verdict: &'static str) {
        let counted = ["quarantined", "wrong_mode"].contains(&verdict);
        let metrics = counted.then_some(verdict);
        tracing::info!(provider = self.provider.name(), id, kind, verdict, metrics);
    }
}

/// What became of the items of one request.
#[derive(Default, Serialize)]
struct Answered {
    applied: u32,
    repeated: u32,
    parked: u32,
    quarantined: u32,
    #[serde(skip_serializing_if = "is_zero")]
    waiting: u32,
    ignored: u32,
    wrong_mode: u32,
}

impl Answered {
    fn count(&mut self, entry: &Entry, verdict: Verdict) -> &'static str {
        let (count, name) = match verdict {
            Verdict::Repeated => (&mut self.repeated, "repeated"),
            Verdict::Appended | Verdict::Parked if entry.reading.is_waiting() => {
                (&mut self.waiting, "waiting")
            }
            Verdict::Appended | Verdict::Parked if entry.reading.is_unclear() => {
                (&mut self.quarantined, "quarantined")
            }
            Verdict::Appended => (&mut self.applied, "applied"),
            Verdict::Parked => (&mut self.parked, "parked"),
        };
        *count = count.saturating_add(1);
        name
    }
}

/// Most providers never have us wait.
fn is_zero(count: &u32) -> bool {
    *count == 0
}
