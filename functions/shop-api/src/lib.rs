//! The shop's own side: its code asks what is known of a customer and what
//! a customer may use, and tells what they used.

mod route;
mod refusal;
mod caller;
mod body;
mod answer;
mod customers;
mod entitlements;
mod tokens;
mod usage_event;
mod usage;
#[cfg(feature = "openapi")]
pub mod openapi;

use caller::Caller;
use domain::catalog::Catalog;
use domain::ids::{CustomerKey, ProviderAccount};
use jiff::SignedDuration;
use providers::{KeyRoots, PROVIDERS, PersonKey, StageName};
use refusal::Refusal;
use route::ShopRoute;
use runtime::aws::Cloud;
use runtime::http::{HttpHandler, HttpRequest, HttpResponse, answer};
use runtime::rate_limit::RateLimit;
use runtime::secrets::{KeyPurpose, SecretCache, SecretSource, person_key, roots};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Function, Invocation, Warming};
use store::dynamo::DynamoTable;
use store::shop_keys::ShopKeyCache;
use store::{Key, Table};

/// The shop's endpoint.
#[derive(Debug)]
pub struct ShopApi<T> {
    /// Which stage's keys it believes.
    pub stage: StageName,
    /// From which keys and tokens are derived.
    pub roots: SecretCache<KeyRoots>,
    /// Turns e-mail addresses into persons.
    pub person_key: SecretCache<PersonKey>,
    /// Keys that proved themselves lately.
    pub keys: ShopKeyCache,
    /// How often each customer's browsers may ask.
    pub browser_limit: RateLimit<CustomerKey>,
    /// In which accounts a bare id is looked for.
    pub accounts: Vec<ProviderAccount>,
    /// What the shop calls its prices, and what each gives.
    pub catalog: Catalog,
    /// The table.
    pub table: T,
    /// The clock.
    pub clock: Clock,
}

impl ShopApi<DynamoTable> {
    /// As the template's environment describes it: `STAGE`, `TABLE`, `MODE`, `PROVIDERS` (names
    /// with commas between; all there are unless said), `CATALOG` (the path of a catalog file).
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let stage = settings.required("STAGE")?;
        let stage = StageName::parse(stage).map_err(|error| BadSetting {
            name: "STAGE",
            what: error.to_string(),
        })?;
        let catalog = match settings.optional("CATALOG") {
            None => Catalog::default(),
            Some(path) => read_catalog(path)?,
        };
        let cloud = Cloud::from_settings(settings)?;
        let ssm = cloud.ssm();
        let source = |purpose| SecretSource::of_keys(&ssm, stage.as_str(), purpose);
        let table = DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?);
        let accounts = accounts(settings)?;
        Ok(Self::new(
            &stage,
            source,
            (accounts, catalog),
            table,
            Clock::system(),
        ))
    }
}

impl<T> ShopApi<T> {
    /// The endpoint of a stage over a table, with the roots of each purpose from a source.
    pub fn new(
        stage: &StageName,
        source: impl Fn(KeyPurpose) -> SecretSource,
        (accounts, catalog): (Vec<ProviderAccount>, Catalog),
        table: T,
        clock: Clock,
    ) -> Self {
        let persons = source(KeyPurpose::Persons);
        Self {
            stage: stage.clone(),
            roots: SecretCache::new(source(KeyPurpose::Shop), roots, clock.clone()),
            person_key: SecretCache::new(persons, person_key, clock.clone()),
            keys: ShopKeyCache::default(),
            browser_limit: RateLimit::new(INTERVAL, BURST),
            accounts,
            catalog,
            table,
            clock,
        }
    }
}

impl<T: Table> Function for ShopApi<T> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move { Ok(answer(self, payload).await) })
    }

    fn warm(&self) -> Warming<'_> {
        Box::pin(async move {
            let _ = self.roots.in_force().await;
            if let Ok(nobody) = "warm".parse() {
                let _ = self.table.get(Key::shop_key(&nobody)).await;
            }
        })
    }
}

impl<T: Table> HttpHandler for ShopApi<T> {
    async fn handle(&self, request: HttpRequest) -> HttpResponse {
        let route = match ShopRoute::of(&request) {
            Ok(ShopRoute::Preflight) => return answer::preflight(),
            Ok(route) => route,
            Err(refusal) => {
                refusal.log("(none)");
                return answer::finished(refusal.into());
            }
        };
        let answered = self.answer(&route, &request).await;
        answer::finished(answered.unwrap_or_else(|refusal| {
            refusal.log(route.operation());
            refusal.into()
        }))
    }
}

impl<T: Table> ShopApi<T> {
    async fn answer(
        &self,
        route: &ShopRoute,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Refusal> {
        let caller = Caller::of(self, request).await?;
        let answered = match route {
            ShopRoute::Customers(reference) => self.customers(&caller, reference, request).await,
            ShopRoute::Tokens(reference) => self.make_token(&caller, reference, request).await,
            ShopRoute::Find => self.find(&caller, request).await,
            ShopRoute::Entitlements(reference) => {
                self.entitlements(&caller, reference, request).await
            }
            ShopRoute::Check => self.check(&caller, request).await,
            ShopRoute::Usage => self.tell_usage(&caller, request).await,
            ShopRoute::Preflight => Ok(answer::preflight()),
        }?;
        let (key, operation) = (caller.name(), route.operation());
        let status = answered.status;
        tracing::info!(verdict = "answered", operation, key, status);
        Ok(answered)
    }
}

/// At this distance the questions of one customer's browsers may come for ever.
const INTERVAL: SignedDuration = SignedDuration::from_millis(200);

/// How far ahead of that rate they may be: 50 questions at once.
const BURST: SignedDuration = SignedDuration::from_secs(10);

fn read_catalog(path: &str) -> Result<Catalog, BadSetting> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let catalog = text.and_then(|text| Catalog::parse(&text).map_err(|error| error.to_string()));
    catalog.map_err(|what| BadSetting {
        name: "CATALOG",
        what,
    })
}

/// The accounts of these settings: of every provider that is named, in this stage's mode.
fn accounts(settings: &Settings) -> Result<Vec<ProviderAccount>, BadSetting> {
    let mode = settings.mode()?;
    let Some(names) = settings.optional("PROVIDERS") else {
        return Ok(PROVIDERS.iter().map(|known| known.account(mode)).collect());
    };
    let names = names.split(',').filter(|name| !name.is_empty());
    let accounts = names.map(|name| match providers::provider(name) {
        Some(known) => Ok(known.account(mode)),
        None => Err(BadSetting {
            name: "PROVIDERS",
            what: "names a provider that there is not".into(),
        }),
    });
    accounts.collect()
}
