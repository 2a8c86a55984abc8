//! Which function answers what in the local stack: the template's wiring, over loopback.

use crate::authority;
use crate::chaos::Chaos;
use crate::console;
use crate::provider_stubs::{LocalApi, StubApis};
use crate::stack::filter::Filter;
use crate::stack::queue_mapping::QueueMapping;
use crate::stack::routes::Route;
use crate::stack::schedules::Schedule;
use crate::stack::streams::StreamMapping;
use crate::stack::{StackEndpoints, Wiring};
use crate::table;
use axum::http::Method;
use calendar::{Calendar, Enrichment};
use dispatch::Dispatch;
use domain::catalog::Catalog;
use domain::ids::Mode;
use domain::partner::notice::MAX_ATTEMPTS;
use engagement_email::mailer::SesMailer;
use engagement_email::{EngagementEmail, Sender};
use journal_fold::JournalFold;
use partner_notice::PartnerNotice;
use partner_referral::PartnerReferral;
use payment_webhook::{PaymentWebhook, endpoint_secrets};
use providers::{EndpointConfig, PROVIDERS, Provider};
use runtime::api::{HttpApi, api_key};
use runtime::aws::{AwsService, Cloud};
use runtime::post::Poster;
use runtime::queue::SqsQueue;
use runtime::secrets::{SecretCache, SecretSource, master, person_key};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Function};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::Table;
use store::dynamo::DynamoTable;

/// The master key of every local stack: known to all, so that a partner's secret is the same
/// at every start. A deployed stage has its own, in Parameter Store.
pub const LOCAL_MASTER: &str = "orangery-local-stack-master-key-not-a-secret";

/// The key by which the local stack asks what stands in for a provider's API.
const LOCAL_API_KEY: &str = "local:stack";

/// The queue that letters wait in.
pub const LETTERS: &str = "letters";

/// The queue that orders of partners' notices wait in.
pub const NOTICES: &str = "notices";

/// The schedule of the sweep.
pub const DUE_SCAN: &str = "due_scan";

/// The schedule of the audit.
pub const AUDIT: &str = "audit";

/// The shop whose stack it is.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Webhook secrets in force, by provider; a provider without any has [`local_secret`].
    pub secrets: BTreeMap<String, Vec<String>>,
    /// What is asked in place of a provider's own API, by provider: an address on loopback. Of a
    /// provider without any, what this process is told ([`crate::apis`]).
    pub api_urls: BTreeMap<String, String>,
    /// From which partner and person keys are derived.
    pub master: String,
    /// What the shop calls its prices.
    pub catalog: Catalog,
    /// Who writes letters.
    pub sender: Sender,
    /// Which nets are up: tests take one away to see the others suffice.
    pub fallbacks: Fallbacks,
    /// What goes wrong on purpose with what the pages send.
    pub chaos: Chaos,
    /// Whether what is known outlives the process.
    pub persistent: bool,
}

/// Which nets are up.
#[derive(Clone, Copy, Debug)]
pub struct Fallbacks {
    /// The stream's two readers.
    pub stream: bool,
    /// The audit's schedule.
    pub audit: bool,
}

impl Default for Shop {
    fn default() -> Self {
        let sender = Sender {
            shop: "Grove".into(),
            from: "grove@example.com".into(),
            account_url: Some("https://grove.example.com/account".into()),
            ..Sender::default()
        };
        Self {
            secrets: BTreeMap::new(),
            api_urls: BTreeMap::new(),
            master: LOCAL_MASTER.into(),
            catalog: Catalog::default(),
            sender,
            fallbacks: Fallbacks {
                stream: true,
                audit: true,
            },
            chaos: Chaos::default(),
            persistent: false,
        }
    }
}

/// The secret that a provider's door of the local stack takes when none is given: stable, so
/// that a script written yesterday works today.
pub fn local_secret(provider: &str) -> String {
    // Base64 behind its prefix, for those who decode it.
    let text = format!("LocalStackOfOrangery{provider}");
    let whole = text.len().next_multiple_of(4);
    format!("whsec_{text:A<whole$}")
}

/// All that makes a door of the local stack believe what `send` sends.
fn local_secrets(provider: &Provider) -> Vec<String> {
    let root = authority::root_secret().filter(|_| provider.signs_with_certificate());
    root.into_iter()
        .chain([local_secret(provider.name())])
        .collect()
}

/// The clients' settings for a stack: its endpoints, and credentials that open nothing.
pub fn settings(endpoints: &StackEndpoints) -> Settings {
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", table::LOCAL_REGION),
        ("AWS_ENDPOINT_URL", &endpoints.aws_url),
        ("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.table_url),
    ];
    Settings::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// The wiring of all functions over the stack's table, through the real SDK.
///
/// # Errors
/// [`BadSetting`].
pub fn wire(endpoints: &StackEndpoints, shop: &Shop) -> Result<Wiring, BadSetting> {
    let table = dynamo_table(endpoints)?;
    wire_with_table(endpoints, shop, table.clone(), table)
}

/// The same with a table of its own for the receiving functions, so that a test can stand in
/// their way.
///
/// # Errors
/// [`BadSetting`].
pub fn wire_with_table<R>(
    endpoints: &StackEndpoints,
    shop: &Shop,
    receivers: R,
    table: DynamoTable,
) -> Result<Wiring, BadSetting>
where
    R: Table + Clone + 'static,
{
    let settings = settings(endpoints);
    let stack_clock = endpoints.clock.clone();
    let clock = Clock::new(move || stack_clock.now());
    let cloud = Cloud::from_settings(&settings)?;
    let letters = SqsQueue::new(cloud.sqs(), endpoints.queue_url(LETTERS));
    let notices = SqsQueue::new(cloud.sqs(), endpoints.queue_url(NOTICES));
    let email = EngagementEmail {
        table: table.clone(),
        mailer: SesMailer::new(&cloud.config(AwsService::Ses), Some("contract".into())),
        catalog: shop.catalog.clone(),
        sender: shop.sender.clone(),
        clock: clock.clone(),
    };
    let source = given_source(&[&shop.master]);
    let notice = PartnerNotice {
        table: table.clone(),
        notices: notices.clone(),
        poster: poster()?,
        master: SecretCache::new(source.clone(), master, clock.clone()),
        clock: clock.clone(),
    };
    let stand_ins = StubApis::default();
    let calendar = Calendar {
        table: table.clone(),
        letters: letters.clone(),
        notices: notices.clone(),
        enrichments: Enrichment::of_all(Mode::Test, |provider| {
            provider_api(shop, provider, &stand_ins, &clock)
        })?,
        person_key: SecretCache::new(source, person_key, clock.clone()),
        clock: clock.clone(),
    };
    let fold = JournalFold {
        table,
        clock: clock.clone(),
    };
    let mut wiring = Wiring {
        routes: routes(shop, receivers, &stand_ins, &clock)?,
        queues: vec![
            letters_queue(Arc::new(email)),
            notices_queue(Arc::new(notice)),
        ],
        pages: console::router(endpoints, shop)?.merge(stand_ins.router()),
        ..Wiring::default()
    };
    if shop.fallbacks.stream {
        wiring.streams = streams(Arc::new(fold), Arc::new(Dispatch { letters, notices }));
    }
    let calendar: Arc<dyn Function> = Arc::new(calendar);
    let every_minute = |name: &str| Schedule {
        name: name.into(),
        interval: Duration::from_secs(60),
        function: calendar.clone(),
    };
    wiring.schedules.push(every_minute(DUE_SCAN));
    if shop.fallbacks.audit {
        wiring.schedules.push(every_minute(AUDIT));
    }
    Ok(wiring)
}

/// The stack's table through the real SDK.
///
/// # Errors
/// [`BadSetting`].
pub fn dynamo_table(endpoints: &StackEndpoints) -> Result<DynamoTable, BadSetting> {
    let settings = settings(endpoints);
    let client = Cloud::from_settings(&settings)?.dynamo();
    Ok(DynamoTable::new(client, &endpoints.table_name))
}

fn routes<R>(
    shop: &Shop,
    table: R,
    stand_ins: &StubApis,
    clock: &Clock,
) -> Result<Vec<Route>, BadSetting>
where
    R: Table + Clone + 'static,
{
    let master = given_source(&[&shop.master]);
    let mut routes = Vec::new();
    for provider in PROVIDERS.iter().copied() {
        let texts = shop.secrets.get(provider.name()).cloned();
        let texts = texts.unwrap_or_else(|| local_secrets(provider));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let webhook = PaymentWebhook {
            provider,
            endpoint: EndpointConfig::new(Mode::Test),
            secrets: endpoint_secrets(provider, given_source(&texts), clock.clone()),
            person_key: SecretCache::new(master.clone(), person_key, clock.clone()),
            api: provider_api(shop, provider, stand_ins, clock)?,
            table: table.clone(),
            clock: clock.clone(),
        };
        routes.push(post(
            format!("/webhooks/{}", provider.name()),
            Arc::new(webhook),
        ));
    }
    let referral = PartnerReferral::new(&master, table, clock.clone());
    routes.extend(partners(Arc::new(referral)));
    Ok(routes)
}

/// What answers for a provider's own API: the stack never asks a real one.
fn provider_api(
    shop: &Shop,
    provider: &Provider,
    stand_ins: &StubApis,
    clock: &Clock,
) -> Result<LocalApi, BadSetting> {
    let Some(base) = shop.api_urls.get(provider.name()) else {
        return Ok(match provider.api() {
            Some(_) => stand_ins.stub_for(provider.name()),
            None => LocalApi::Absent,
        });
    };
    let key = SecretCache::new(given_source(&[LOCAL_API_KEY]), api_key, clock.clone());
    let api = HttpApi::of(provider, Mode::Test, Some(base), key, clock.clone());
    let api = api.map_err(|error| BadSetting {
        name: "--api",
        what: error.to_string(),
    })?;
    Ok(api.map_or(LocalApi::Absent, |api| LocalApi::Http(Box::new(api))))
}

fn given_source(texts: &[&str]) -> SecretSource {
    SecretSource::Given(texts.iter().copied().map(Into::into).collect())
}

fn partners(function: Arc<dyn Function>) -> [Route; 3] {
    let asked = |path: &str| Route {
        method: Method::GET,
        path: path.into(),
        function: function.clone(),
    };
    [
        post("/partners/{partner}/events".into(), function.clone()),
        asked("/partners/{partner}/referrals/{referral}"),
        asked("/partners/{partner}/postback"),
    ]
}

fn post(path: String, function: Arc<dyn Function>) -> Route {
    Route {
        method: Method::POST,
        path,
        function,
    }
}

/// As the template sets them: the first waits a moment, so that it does not race the receiver.
fn streams(fold: Arc<dyn Function>, dispatch: Arc<dyn Function>) -> Vec<StreamMapping> {
    let written = || Some(vec!["INSERT".to_owned(), "MODIFY".to_owned()]);
    let entries = |prefix: &str| Filter {
        sort_key_prefix: Some(prefix.into()),
        event_names: written(),
    };
    let mapping = |name: &str, function, window, filters| StreamMapping {
        name: name.into(),
        function,
        batch_size: 100,
        batching_window: window,
        maximum_retry_attempts: Some(10),
        maximum_record_age: Some(Duration::from_secs(23 * 60 * 60)),
        bisect_on_error: true,
        on_failure: Some("stream-failures".into()),
        filters,
    };
    vec![
        mapping(
            "journal-fold",
            fold,
            Duration::from_secs(1),
            vec![entries("journal#"), entries("parked#"), entries("record")],
        ),
        mapping(
            "dispatch",
            dispatch,
            Duration::ZERO,
            ["letter#", "commission#", "referral#", "payout#"]
                .map(entries)
                .to_vec(),
        ),
    ]
}

/// The stack tells this machine alone: what a partner's real endpoint would be told stays here.
fn poster() -> Result<Poster, BadSetting> {
    Poster::loopback().map_err(|error| BadSetting {
        name: "the root certificates",
        what: format!("can't be read ({error})"),
    })
}

fn letters_queue(email: Arc<dyn Function>) -> QueueMapping {
    QueueMapping {
        queue: LETTERS.into(),
        function: email,
        batch_size: 10,
        batching_window: Duration::ZERO,
        visibility: Duration::from_secs(180),
        maximum_receives: 40,
    }
}

fn notices_queue(notice: Arc<dyn Function>) -> QueueMapping {
    QueueMapping {
        queue: NOTICES.into(),
        function: notice,
        batch_size: 10,
        batching_window: Duration::ZERO,
        visibility: Duration::from_secs(360),
        maximum_receives: MAX_ATTEMPTS,
    }
}
