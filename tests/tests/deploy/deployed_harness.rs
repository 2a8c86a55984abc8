//! The deployed functions in this process: each made from the template's own environment, over
//! the local stack, through the gate.

use crate::template::{DeployedFunction, Template};
use calendar::Calendar;
use dispatch::Dispatch;
use domain::catalog::Catalog;
use domain::ids::{MeterEventId, MeterName, PartnerId, Reference, ReferralCode};
use domain::partner::tiers::ProgramTerms;
use domain::shop_key::KeyScope;
use domain::usage::meter::{Meter, MeterKind};
use domain::usage::meter_event::MeterEvent;
use domain::usage::page::UsagePage;
use engagement_email::EngagementEmail;
use jiff::Timestamp;
use journal_fold::JournalFold;
use local_cloud::routes::Route;
use local_cloud::{StackEndpoints, Wiring};
use local_shop::delivery::DeliveryResponse;
use local_shop::shop::{LOCAL_MASTER, Shop};
use local_shop::story::Story;
use orangery::wiring::{NOTICES, wire};
use partner_notice::PartnerNotice;
use partner_referral::PartnerReferral;
use payment_webhook::PaymentWebhook;
use providers::{Secret, StageName, shop_key};
use runtime::post::Poster;
use runtime::settings::Settings;
use runtime::{Clock, Function};
use shop_api::ShopApi;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::items::ParkedUsage;
use store::partners::{self, DatedProgram, PartnerRow};
use store::{InsertOutcome, Table as _, shop_keys};
use tests::harness::aws_recorder::{CRASHING, secrets};
use tests::harness::notice_receiver::NoticeReceiver;
use tests::harness::{TestHarness, start_time};

/// The endpoint at which the sample lives are told; all others are made as it is.
pub(crate) const SAMPLED_FUNCTION: &str = "StripeWebhook";

/// How many requests of a run find a receiver that dies.
pub(crate) const CRASHES: usize = 3;

/// The functions by their logical ids.
pub(crate) type DeployedFunctions = BTreeMap<String, Arc<dyn Function>>;

/// A stage at work: the local stack, with these functions in it and a recorder behind them.
pub(crate) async fn open(template: &Template) -> (TestHarness, DeployedFunctions) {
    let mut kept = None;
    let options = TestHarness::local_stack().shop(Shop::default());
    let options = options.recorded(secrets("try"));
    let harness = options.wired(|endpoints, _| {
        let functions = functions(template, endpoints);
        let wiring = deployed_wiring(template, endpoints, &functions);
        kept = Some(functions);
        wiring
    });
    let harness = harness.open().await;
    (harness, kept.unwrap())
}

/// Calls a function as its schedule does.
pub(crate) async fn invoke(functions: &DeployedFunctions, function: &str, input: &str) {
    functions[function].invoke(input.as_bytes()).await.unwrap();
}

/// A partner with a program that was in force before anything happened here.
pub(crate) async fn add_partner_with_program(
    harness: &TestHarness,
    partner: &str,
    terms: ProgramTerms,
    code: &str,
) {
    let mut row = PartnerRow::new(PartnerId::parse(partner).unwrap());
    let since = Timestamp::UNIX_EPOCH;
    row.programs.push(DatedProgram::new(since, terms, 0));
    row.codes.insert(ReferralCode::parse(code).unwrap());
    let put = partners::put_new(&harness.table, row);
    assert!(put.await.unwrap().is_none());
}

/// An endpoint of a partner's that fails once before it takes what it is told.
pub(crate) async fn add_notice_endpoint(harness: &TestHarness, partner: &str) {
    let receiver = NoticeReceiver::open();
    receiver.set_answers(&[503]);
    harness.set_endpoint(partner, &receiver.url).await;
}

/// The shop's own code asks whatever it can ask; of a stage that is called `try`.
pub(crate) async fn ask_everything(harness: &TestHarness) {
    let key = make_shop_key(harness, "backend", KeyScope::Read).await;
    let ada = "/v1/customers/stripe%2Ftest%2Fcus_ada";
    let find = r#"{"email":"ada@example.com"}"#;
    for (method, path, body) in [
        ("GET", format!("{ada}?payments=1"), ""),
        ("GET", "/v1/customers/shop-ada/entitlements".to_owned(), ""),
        ("POST", format!("{ada}/tokens"), ""),
        ("POST", "/v1/customers/find".to_owned(), find),
    ] {
        let answer = ask(harness, &key, method, &path, body).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    }
    // Usage of her, and of somebody who is not known yet.
    let key = make_shop_key(harness, "meter", KeyScope::Write).await;
    let told = |id: &str, customer: &str| {
        let at = harness.now().to_string();
        serde_json::json!({
            "id": id, "customer": customer, "meter": "requests", "occurred_at": at,
        })
    };
    let events = [told("hers", "shop-ada"), told("nobodys", "shop-nobody")];
    let body = serde_json::json!({ "events": events }).to_string();
    let answer = ask(harness, &key, "POST", "/v1/usage", &body).await;
    assert_eq!(answer.body.matches("\"accepted\"").count(), 2, "{answer:?}");
}

/// Leaves usage under Ada's id at the shop, as one who died before looking whose it is.
pub(crate) async fn park_usage(harness: &TestHarness, event: &str) {
    let event = MeterEvent {
        id: MeterEventId::parse(event).unwrap(),
        meter: MeterName::parse("requests").unwrap(),
        quantity: None,
        occurred_at: start_time(),
        properties: [].into(),
    };
    let mut page = UsagePage::default();
    let entry = Meter::of_kind(MeterKind::Sum).entry(&event);
    page.insert(event.hash(), entry.unwrap());
    let row = Arc::new(ParkedUsage {
        reference: Reference::shop("shop-ada").unwrap(),
        meter: event.meter.clone(),
        page,
        owner: None,
        version: 1,
    });
    let inserted = harness.table.insert(row).await.unwrap();
    assert!(matches!(inserted, InsertOutcome::Inserted));
}

/// One question of the shop's own code.
pub(crate) async fn ask(
    harness: &TestHarness,
    key: &str,
    method: &'static str,
    path: &str,
    body: &str,
) -> DeliveryResponse {
    let headers = [("authorization", format!("Bearer {key}"))];
    harness.post(method, path, &headers, body.into()).await
}

/// A key of the shop's own code at the stage `try`.
pub(crate) async fn make_shop_key(harness: &TestHarness, name: &str, scope: KeyScope) -> String {
    let (name, stage) = (name.parse().unwrap(), StageName::parse("try").unwrap());
    let made = shop_keys::create(&harness.table, &name, scope, harness.now());
    made.await.unwrap();
    let root = Secret::new(LOCAL_MASTER).unwrap();
    shop_key(&root, &stage, &name, scope, 1).unwrap()
}

/// Delivers what a story tells; all of it must be taken in.
pub(crate) async fn deliver_story(harness: &TestHarness, story: &str) {
    deliver_story_to(harness, story, None).await;
}

/// Delivers it to a receiver that dies once its entry is written.
pub(crate) async fn deliver_to_crashing(harness: &TestHarness, story: &str, crash: usize) {
    deliver_story_to(harness, story, Some(crash)).await;
}

async fn deliver_story_to(harness: &TestHarness, story: &str, crash: Option<usize>) {
    let story = Story::parse(story).unwrap();
    for partner in story.partners() {
        partners::add(&harness.table, &partner).await.unwrap();
    }
    let mut deliveries = story.deliveries(&harness.signers(), start_time()).unwrap();
    if let Some(crash) = crash {
        for delivery in &mut deliveries {
            delivery.path = format!("/{CRASHING}-{crash}");
        }
    }
    harness.send_all(&deliveries).await;
}

/// Every function of the template by its logical id, and receivers that will die.
fn functions(template: &Template, endpoints: &StackEndpoints) -> DeployedFunctions {
    let clock = endpoints.clock.clone();
    let clock = Clock::new(move || clock.now());
    let mut functions = BTreeMap::new();
    for deployed in template.functions() {
        let settings = settings(template, &deployed, endpoints, deployed.id);
        let made = function(deployed.folder, &settings, &clock);
        functions.insert(deployed.id.to_owned(), made);
        if deployed.id == SAMPLED_FUNCTION {
            for death in 0..CRASHES {
                let name = format!("{CRASHING}-{death}");
                let settings = self::settings(template, &deployed, endpoints, &name);
                functions.insert(name, function(deployed.folder, &settings, &clock));
            }
        }
    }
    functions
}

/// A catalog that counts what the shop's code tells.
const CATALOG: &str = "[meters.requests]\nname = \"Requests\"\nkind = \"sum\"\n";

/// Made as its `main` makes it, but for the clock.
fn function(folder: &str, settings: &Settings, clock: &Clock) -> Arc<dyn Function> {
    let clock = clock.clone();
    match folder {
        "payment-webhook" => Arc::new(PaymentWebhook {
            clock,
            ..PaymentWebhook::from_settings(settings).unwrap()
        }),
        "partner-referral" => Arc::new(PartnerReferral {
            clock,
            ..PartnerReferral::from_settings(settings).unwrap()
        }),
        "journal-fold" => Arc::new(JournalFold {
            clock,
            ..JournalFold::from_settings(settings).unwrap()
        }),
        "dispatch" => Arc::new(Dispatch::from_settings(settings).unwrap()),
        "engagement-email" => Arc::new(EngagementEmail {
            clock,
            ..EngagementEmail::from_settings(settings).unwrap()
        }),
        // To this machine alone: what it would reach in the cloud is held by tests of its own.
        "partner-notice" => Arc::new(PartnerNotice {
            clock,
            poster: Poster::loopback().unwrap(),
            ..PartnerNotice::from_settings(settings).unwrap()
        }),
        "shop-api" => Arc::new(ShopApi {
            clock,
            catalog: Catalog::parse(CATALOG).unwrap(),
            ..ShopApi::from_settings(settings).unwrap()
        }),
        "calendar" => Arc::new(Calendar {
            clock,
            ..Calendar::from_settings(settings).unwrap()
        }),
        other => panic!("the template deploys `{other}`, which this test does not know"),
    }
}

/// The environment that the template gives a function, and credentials in its name.
fn settings(
    template: &Template,
    deployed: &DeployedFunction<'_>,
    endpoints: &StackEndpoints,
    key: &str,
) -> Settings {
    let mut pairs = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID".to_owned(), key.to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "none".to_owned()),
        ("AWS_REGION".to_owned(), "eu-west-3".to_owned()),
        ("AWS_ENDPOINT_URL".to_owned(), endpoints.aws_url.clone()),
    ]);
    for of in [template.globals(), deployed.properties] {
        for (name, value) in of["Environment"]["Variables"].as_object().unwrap() {
            let value = match value.as_str().unwrap() {
                "Table" => endpoints.table_name.clone(),
                "Letters" => endpoints.queue_url("letters"),
                "Notices" => endpoints.queue_url("notices"),
                value => value.to_owned(),
            };
            pairs.insert(name.clone(), value);
        }
    }
    Settings::new(pairs)
}

/// The local stack's wiring with the deployed functions in it. What waits, waits until asked.
fn deployed_wiring(
    template: &Template,
    endpoints: &StackEndpoints,
    functions: &DeployedFunctions,
) -> Wiring {
    let mut wiring = wire(endpoints, &Shop::default()).unwrap();
    let id = |folder: &str| {
        let of = template.functions();
        let found = of.iter().find(|deployed| deployed.folder == folder);
        found.unwrap().id.to_owned()
    };
    for stream in &mut wiring.streams {
        stream.function = functions[&id(&stream.name)].clone();
        // A batch that is full, or waited long enough, would go out unasked.
        stream.batch_size = 10_000;
        stream.batching_window = Duration::from_secs(3600);
    }
    for queue in &mut wiring.queues {
        let folder = match queue.queue.as_str() {
            NOTICES => "partner-notice",
            _ => "engagement-email",
        };
        queue.function = functions[&id(folder)].clone();
    }
    wiring.schedules.clear();
    wiring.routes.clear();
    let mut route = |method: &str, path: &str, id: &str| {
        wiring.routes.push(Route {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            function: functions[id].clone(),
        });
    };
    for (deployed, endpoint) in template.events("HttpApi") {
        let text = |name: &str| endpoint[name].as_str().unwrap();
        route(text("Method"), text("Path"), deployed.id);
    }
    for death in 0..CRASHES {
        let name = format!("{CRASHING}-{death}");
        route("POST", &format!("/{name}"), &name);
    }
    wiring
}
