//! The deployed functions in this process: each made from the template's own environment, over
//! the local stack, through the gate.

use crate::template::{DeployedFunction, Template};
use axum::Router;
use axum::http::StatusCode;
use calendar::Calendar;
use dispatch::Dispatch;
use domain::ids::PartnerId;
use domain::partner::tiers::ProgramTerms;
use engagement_email::EngagementEmail;
use jiff::{SignedDuration, Timestamp};
use journal_fold::JournalFold;
use local_cloud::routes::Route;
use local_cloud::{Stack, StackEndpoints, StackSettings, Wiring};
use local_shop::connection::dynamo_table;
use local_shop::delivery::{Delivery, DeliveryResponse};
use local_shop::shop::Shop;
use local_shop::shop::signers;
use local_shop::story::Story;
use orangery::wiring::{NOTICES, wire};
use partner_notice::PartnerNotice;
use partner_referral::PartnerReferral;
use payment_webhook::PaymentWebhook;
use runtime::post::Poster;
use runtime::settings::Settings;
use runtime::{Clock, Function};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::notice_endpoints;
use store::partners::{self, DatedProgram, PartnerRow};
use tests::harness::aws_recorder::{AwsRecorder, CRASHING, secrets};

/// The door at which the sample lives are told; all others are made as it is.
pub(crate) const SAMPLED_FUNCTION: &str = "StripeWebhook";

/// How many requests of the house's life find a receiver that dies.
pub(crate) const CRASHES: usize = 3;

/// A stage at work.
pub(crate) struct DeployedHarness {
    pub(crate) stack: Stack,
    pub(crate) recorder: AwsRecorder,
    functions: BTreeMap<String, Arc<dyn Function>>,
}

impl DeployedHarness {
    pub(crate) async fn open(template: &Template) -> Self {
        let settings = StackSettings {
            clock: Some(start_time()),
            ..StackSettings::default()
        };
        let mut kept = None;
        let stack = Stack::start(settings, |endpoints| {
            let gate = AwsRecorder::in_front_of(endpoints, secrets("try"));
            let functions = functions(template, endpoints, &gate);
            let wiring = deployed_wiring(template, endpoints, &functions);
            kept = Some((gate, functions));
            wiring
        });
        let stack = stack.await.unwrap();
        let (gate, functions) = kept.unwrap();
        Self {
            stack,
            recorder: gate,
            functions,
        }
    }

    /// A partner with a program that was in force before anything happened here.
    pub(crate) async fn add_partner_with_program(
        &self,
        partner: &str,
        offer: ProgramTerms,
        code: &str,
    ) {
        let table = dynamo_table(self.stack.endpoints()).unwrap();
        let partner = PartnerId::parse(partner).unwrap();
        let mut row = PartnerRow::new(partner);
        let since = Timestamp::UNIX_EPOCH;
        row.programs.push(DatedProgram::new(since, offer, 0));
        row.codes.insert(code.into());
        assert!(partners::put_new(&table, row).await.unwrap().is_none());
    }

    /// An endpoint of a partner's that fails once before it takes what it is told.
    pub(crate) async fn add_notice_endpoint(&self, partner: &str) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let failed = Arc::new(AtomicBool::default());
        let router = Router::new().fallback(move || async move {
            match failed.swap(true, Ordering::Relaxed) {
                true => StatusCode::OK,
                false => StatusCode::SERVICE_UNAVAILABLE,
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let table = dynamo_table(self.stack.endpoints()).unwrap();
        let partner = PartnerId::parse(partner).unwrap();
        let set = notice_endpoints::set(&table, &partner, &url, start_time());
        assert!(set.await.unwrap().is_some());
    }

    /// Delivers what a story tells; all of it must be taken in.
    pub(crate) async fn deliver_story(&self, story: &str) {
        self.deliver_story_to(story, None).await;
    }

    /// Delivers it to a receiver that dies once its entry is written.
    pub(crate) async fn deliver_to_crashing(&self, story: &str, death: usize) {
        self.deliver_story_to(story, Some(death)).await;
    }

    async fn deliver_story_to(&self, story: &str, death: Option<usize>) {
        let signers = signers(&Shop::default()).unwrap();
        let story = Story::parse(story).unwrap();
        let table = dynamo_table(self.stack.endpoints()).unwrap();
        for partner in story.partners() {
            partners::add(&table, &partner).await.unwrap();
        }
        for mut delivery in story.deliveries(&signers, start_time()).unwrap() {
            if let Some(death) = death {
                delivery.path = format!("/{CRASHING}-{death}");
            }
            let answer = self.send(&delivery).await;
            let name = &delivery.name;
            assert!((200..300).contains(&answer.status), "{name}: {answer:?}");
        }
    }

    async fn send(&self, delivery: &Delivery) -> DeliveryResponse {
        let (delivery, now) = (delivery.clone(), self.stack.clock().now());
        let gateway = self.stack.gateway_url().to_owned();
        let sent = move || delivery.send(&gateway, now).unwrap();
        tokio::task::spawn_blocking(sent).await.unwrap()
    }

    /// Calls a function as its schedule does.
    pub(crate) async fn call(&self, function: &str, input: &str) {
        self.functions[function]
            .invoke(input.as_bytes())
            .await
            .unwrap();
    }

    pub(crate) async fn advance(&self, by: SignedDuration) {
        self.stack.advance(by).await.unwrap();
    }

    pub(crate) async fn settle(&self) {
        self.stack.settle().await.unwrap();
    }
}

pub(crate) fn start_time() -> Timestamp {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

/// Every function of the template by its logical id, and receivers that will die.
fn functions(
    template: &Template,
    endpoints: &StackEndpoints,
    gate: &AwsRecorder,
) -> BTreeMap<String, Arc<dyn Function>> {
    let clock = endpoints.clock.clone();
    let clock = Clock::new(move || clock.now());
    let mut functions = BTreeMap::new();
    for deployed in template.functions() {
        let settings = settings(template, &deployed, endpoints, gate, deployed.id);
        let made = function(deployed.folder, &settings, &clock);
        functions.insert(deployed.id.to_owned(), made);
        if deployed.id == SAMPLED_FUNCTION {
            for death in 0..CRASHES {
                let name = format!("{CRASHING}-{death}");
                let settings = self::settings(template, &deployed, endpoints, gate, &name);
                functions.insert(name, function(deployed.folder, &settings, &clock));
            }
        }
    }
    functions
}

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
    gate: &AwsRecorder,
    key: &str,
) -> Settings {
    let mut pairs = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID".to_owned(), key.to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "none".to_owned()),
        ("AWS_REGION".to_owned(), "eu-west-3".to_owned()),
        ("AWS_ENDPOINT_URL".to_owned(), gate.url.clone()),
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
    functions: &BTreeMap<String, Arc<dyn Function>>,
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
    for (deployed, door) in template.events("HttpApi") {
        let text = |name: &str| door[name].as_str().unwrap();
        route(text("Method"), text("Path"), deployed.id);
    }
    for death in 0..CRASHES {
        let name = format!("{CRASHING}-{death}");
        route("POST", &format!("/{name}"), &name);
    }
    wiring
}
