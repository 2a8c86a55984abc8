//! Which function answers what in the local stack: the template's wiring, over loopback.

use crate::live_email::LiveEmail;
use crate::live_webhook::{self, BuildWebhook, LiveWebhook};
use crate::request_log::{PrintLine, RequestLog};
use axum::Router;
use axum::http::Method;
use calendar::{Calendar, Enrichment};
use dispatch::Dispatch;
use domain::ids::Mode;
use domain::notice::MAX_ATTEMPTS;
use engagement_email::mailer::SesMailer;
use journal_fold::JournalFold;
use local_cloud::filter::Filter;
use local_cloud::queue_mapping::QueueMapping;
use local_cloud::routes::Route;
use local_cloud::schedules::Schedule;
use local_cloud::streams::StreamMapping;
use local_cloud::{StackEndpoints, Wiring};
use local_shop::connection::{dynamo_table, settings};
use local_shop::provider_stubs::{LocalApi, StubApis};
pub use local_shop::shop::{LOCAL_MASTER, Shop, local_secret};
use local_shop::shop::{LOCAL_STAGE, local_secrets};
use local_shop::stack_catalog;
use partner_notice::PartnerNotice;
use partner_referral::PartnerReferral;
use payment_webhook::{PaymentWebhook, endpoint_secrets};
use providers::{EndpointConfig, PROVIDERS, Provider, StageName};
use runtime::api::{HttpApi, api_key};
use runtime::aws::{AwsService, Cloud};
use runtime::post::Poster;
use runtime::queue::SqsQueue;
use runtime::secrets::{SecretCache, SecretSource, person_key, roots};
use runtime::settings::BadSetting;
use runtime::{Clock, Function};
use shop_api::ShopApi;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Table;
use store::dynamo::DynamoTable;

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

/// The wiring of all functions over the stack's table, through the real SDK.
///
/// # Errors
/// [`BadSetting`].
pub fn wire(endpoints: &StackEndpoints, shop: &Shop) -> Result<Wiring, BadSetting> {
    wire_logged(endpoints, shop, None)
}

/// The same, with a line shown for each event that comes.
///
/// # Errors
/// [`BadSetting`].
pub(crate) fn wire_logged(
    endpoints: &StackEndpoints,
    shop: &Shop,
    print: Option<PrintLine>,
) -> Result<Wiring, BadSetting> {
    let table = dynamo_table(endpoints)?;
    let receivers = table.clone();
    wire_all(endpoints, shop, (receivers, table), print)
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
    wire_all(endpoints, shop, (receivers, table), None)
}

fn wire_all<R>(
    endpoints: &StackEndpoints,
    shop: &Shop,
    (receivers, table): (R, DynamoTable),
    print: Option<PrintLine>,
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
    let email = LiveEmail {
        table: table.clone(),
        mailer: SesMailer::new(&cloud.config(AwsService::Ses), Some("contract".into())),
        shop: shop.clone(),
        clock: clock.clone(),
        last: Mutex::new(shop.sender.clone()),
    };
    let source = given_source(&[&shop.master]);
    let notice = PartnerNotice {
        table: table.clone(),
        notices: notices.clone(),
        poster: poster()?,
        roots: SecretCache::new(source.clone(), roots, clock.clone()),
        clock: clock.clone(),
    };
    let stubs = StubApis::default();
    let calendar = Calendar {
        table: table.clone(),
        letters: letters.clone(),
        notices: notices.clone(),
        enrichments: Enrichment::of_all(Mode::Test, |provider| {
            provider_api(shop, provider, &stubs, &clock)
        })?,
        person_key: SecretCache::new(source, person_key, clock.clone()),
        clock: clock.clone(),
    };
    let fold = JournalFold {
        table,
        clock: clock.clone(),
    };
    let log = RequestLog::new(clock.clone(), print);
    let (routes, webhooks) = routes(shop, receivers, &stubs, &clock)?;
    let pages = own_pages(endpoints, shop, &stubs)?
        .merge(live_webhook::router(webhooks))
        .merge(log.router());
    let mut wiring = Wiring {
        routes: routes.into_iter().map(|route| log.watched(route)).collect(),
        queues: vec![
            letters_queue(Arc::new(email)),
            notices_queue(Arc::new(notice)),
        ],
        pages,
        unrouted: Some(log.unrouted()),
        ..Wiring::default()
    };
    if shop.fallbacks.stream {
        wiring.streams = streams(Arc::new(fold), Arc::new(Dispatch { letters, notices }));
    }
    wiring.schedules = schedules(shop, Arc::new(calendar));
    Ok(wiring)
}

fn schedules(shop: &Shop, calendar: Arc<dyn Function>) -> Vec<Schedule> {
    let every_minute = |name: &str| Schedule {
        name: name.into(),
        interval: Duration::from_secs(60),
        function: calendar.clone(),
    };
    let audit = shop.fallbacks.audit.then(|| every_minute(AUDIT));
    std::iter::once(every_minute(DUE_SCAN))
        .chain(audit)
        .collect()
}

/// What is this machine's alone: pages, and what commands ask of the stack or tell it.
fn own_pages(
    endpoints: &StackEndpoints,
    shop: &Shop,
    stubs: &StubApis,
) -> Result<Router, BadSetting> {
    let catalog = stack_catalog::router(shop.catalog_text.clone());
    Ok(pages::router(endpoints, shop)?
        .merge(stubs.router())
        .merge(catalog))
}

fn routes<R>(
    shop: &Shop,
    table: R,
    stubs: &StubApis,
    clock: &Clock,
) -> Result<(Vec<Route>, LiveWebhooks), BadSetting>
where
    R: Table + Clone + 'static,
{
    let master = given_source(&[&shop.master]);
    let (mut routes, mut webhooks) = (Vec::new(), LiveWebhooks::new());
    for provider in PROVIDERS.iter().copied() {
        let texts = shop.secrets.get(provider.name()).cloned();
        let texts = texts.unwrap_or_else(|| local_secrets(provider));
        let build = webhook_builder(shop, provider, table.clone(), stubs, clock);
        let live = LiveWebhook::new(provider, texts, build)?;
        webhooks.insert(provider.name(), live.clone());
        let webhook: Arc<dyn Function> = Arc::new(live);
        let path = format!("/webhooks/{}", provider.name());
        if provider.has_path_secret() {
            routes.push(post(format!("{path}/{{segment}}"), webhook.clone()));
        }
        routes.push(post(path, webhook));
    }
    let referral = PartnerReferral::new(|_| master.clone(), table.clone(), clock.clone());
    routes.extend(partners(Arc::new(referral)));
    routes.extend(shop_routes(Arc::new(shop_api(shop, table, clock)?)));
    Ok((routes, webhooks))
}

type LiveWebhooks = BTreeMap<&'static str, LiveWebhook>;

/// Makes a provider's endpoint again whenever another secret is in force.
fn webhook_builder<R>(
    shop: &Shop,
    provider: &'static Provider,
    table: R,
    stubs: &StubApis,
    clock: &Clock,
) -> BuildWebhook
where
    R: Table + Clone + 'static,
{
    let (shop, stubs, clock) = (shop.clone(), stubs.clone(), clock.clone());
    Box::new(move |secrets: &[String]| {
        let texts: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let master = given_source(&[&shop.master]);
        let webhook: Arc<dyn Function> = Arc::new(PaymentWebhook {
            provider,
            endpoint: EndpointConfig::new(Mode::Test),
            secrets: endpoint_secrets(provider, given_source(&texts), clock.clone()),
            person_key: SecretCache::new(master, person_key, clock.clone()),
            api: provider_api(&shop, provider, &stubs, &clock)?,
            table: table.clone(),
            clock: clock.clone(),
        });
        Ok(webhook)
    })
}

/// What the shop's own code asks, of a stage that is called `local`.
fn shop_api<R: Table>(shop: &Shop, table: R, clock: &Clock) -> Result<ShopApi<R>, BadSetting> {
    let stage = StageName::parse(LOCAL_STAGE).map_err(|error| BadSetting {
        name: "STAGE",
        what: error.to_string(),
    })?;
    let accounts = PROVIDERS.iter().map(|known| known.account(Mode::Test));
    let master = given_source(&[&shop.master]);
    let known = (accounts.collect(), shop.catalog.clone());
    Ok(ShopApi::new(
        &stage,
        |_| master.clone(),
        known,
        table,
        clock.clone(),
    ))
}

/// What answers for a provider's own API: the stack never asks a real one.
fn provider_api(
    shop: &Shop,
    provider: &Provider,
    stubs: &StubApis,
    clock: &Clock,
) -> Result<LocalApi, BadSetting> {
    let Some(base) = shop.api_urls.get(provider.name()) else {
        return Ok(match provider.api() {
            Some(_) => stubs.stub_for(provider.name()),
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

fn shop_routes(function: Arc<dyn Function>) -> Vec<Route> {
    [
        (Method::GET, "/v1/customers/{reference}"),
        (Method::GET, "/v1/customers/{reference}/entitlements"),
        (Method::OPTIONS, "/v1/customers/{reference}/entitlements"),
        (Method::POST, "/v1/customers/{reference}/tokens"),
        (Method::POST, "/v1/customers/find"),
        (Method::POST, "/v1/check"),
        (Method::OPTIONS, "/v1/check"),
        (Method::POST, "/v1/usage"),
    ]
    .map(|(method, path)| Route {
        method,
        path: path.into(),
        function: function.clone(),
    })
    .into()
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
