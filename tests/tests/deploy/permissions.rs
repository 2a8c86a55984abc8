//! What the roles allow is what the functions were seen to call: no more, no less.

use crate::deployed_harness::{
    DeployedFunctions, SAMPLED_FUNCTION, add_notice_endpoint, add_partner_with_program,
    ask_everything, deliver_story, deliver_to_crashing, invoke, open, park_usage,
};
use crate::template::{DeployedFunction, Template, texts};
use domain::event::{About, NormalizedEvent};
use domain::ids::{Mode, ObjectId, PartnerId};
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::tiers::ProgramTerms;
use domain::record::Entry;
use jiff::SignedDuration;
use local_shop::delivery::agent;
use local_shop::samples::sample_story;
use local_shop::shop::LOCAL_MASTER;
use providers::{
    ApiResponses, FetchStep, ItemOutcome, PROVIDERS, PersonKey, Provider, ReceivedItem, Secret,
    partner, partner_secret, read_again, standard,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::ingest::ingest_entries;
use tests::harness::aws_recorder::AwsCall;
use tests::harness::{TestHarness, start_time};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_allows_what_its_function_calls_and_nothing_else() {
    let template = Template::read();
    let (harness, functions) = open(&template).await;
    exercise_all_functions(&harness, &functions).await;
    let seen = harness.recorder().calls();
    let mut faults = Vec::new();
    let endpoints =
        |f: &DeployedFunction<'_>| f.folder == "payment-webhook" && f.id != SAMPLED_FUNCTION;
    for function in template.functions().into_iter().filter(|f| !endpoints(f)) {
        let granted = permissions(&template, &function);
        let mut made: BTreeSet<&AwsCall> =
            seen.iter().filter(|c| c.caller == function.id).collect();
        let lambdas = lambda_calls(&template, &function);
        made.extend(&lambdas);
        println!("{}: {} different calls", function.id, made.len());
        for call in &made {
            if !granted.iter().any(|right| right.allows(call)) {
                faults.push(format!("{} makes {call:?}, which it may not", function.id));
            }
        }
        for right in granted {
            if !made.iter().any(|call| right.allows(call)) {
                faults.push(format!("{} may {right:?}, and never does", function.id));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_right_reaches_its_own_partitions_and_no_others() {
    let template = Template::read();
    let functions = template.functions();
    let endpoint = functions.iter().find(|f| f.id == SAMPLED_FUNCTION).unwrap();
    let granted = permissions(&template, endpoint);
    let put = |key: &str| {
        let call = call(endpoint, "dynamodb:PutItem", "Table.Arn", Some(key));
        granted.iter().any(|right| right.allows(&call))
    };
    assert!(put("customer#stripe/test/cus_1") && put("reference#stripe/test/pi_1"));
    assert!(put("ledger#acme"));
    for key in [
        "customer#stripe/live/cus_1",
        "customer#other/test/cus_1",
        "partners",
    ] {
        assert!(!put(key), "{key}");
    }
}

/// An endpoint that asks its provider's own API may read the key to it; else all are alike.
#[test]
fn every_providers_door_has_the_rights_of_the_others_under_its_own_name() {
    let template = Template::read();
    let functions = template.functions();
    let sampled = functions.iter().find(|f| f.id == SAMPLED_FUNCTION).unwrap();
    let (pattern, role) = (sampled.properties.to_string(), template.statements(sampled));
    let role = Value::Array(role).to_string();
    for endpoint in functions.iter().filter(|f| f.folder == "payment-webhook") {
        let name = endpoint.properties["Environment"]["Variables"]["PROVIDER"].as_str();
        let name = name.unwrap();
        let provider = providers::provider(name).unwrap();
        let brand = endpoint.id.strip_suffix("Webhook").unwrap();
        let alike = |text: &str| text.replace("stripe", name).replace("Stripe", brand);
        let mut properties = endpoint.properties.clone();
        if provider.has_path_secret() {
            let events = properties["Events"].as_object_mut().unwrap();
            let own = events
                .remove("OwnAddress")
                .expect("a path secret has its route");
            let path = format!("/webhooks/{name}/{{segment}}");
            assert_eq!(own["Properties"]["Path"], path);
        }
        // Who may have to ask before anything is proven is called by few at once.
        let asks_first = provider.has_path_secret() || provider.signs_with_certificate();
        let concurrency = &mut properties["ReservedConcurrentExecutions"];
        if asks_first {
            assert_eq!(*concurrency, 10, "{name}");
            *concurrency = 40.into();
        }
        assert_eq!(properties.to_string(), alike(&pattern));
        let mut rights = template.statements(endpoint);
        if provider.api().is_some() {
            let secrets = rights
                .iter_mut()
                .find(|right| right["Sid"] == "Secrets")
                .unwrap();
            let named = secrets["Resource"].as_array_mut().unwrap();
            let key = named.iter().position(|arn| {
                let arn = arn.as_str().unwrap();
                arn.ends_with(&format!("/orangery/try/{name}/api-key"))
            });
            named.remove(key.expect("an endpoint that asks may read the key"));
        }
        assert_eq!(Value::Array(rights).to_string(), alike(&role));
    }
}

/// Scan and stream of the one table show everything in it, so bank accounts stand in another.
#[test]
fn no_function_reaches_the_bank_accounts() {
    let template = Template::read();
    let accounts = template.properties("Accounts");
    assert!(accounts.get("StreamSpecification").is_none());
    for function in template.functions() {
        let properties = function.properties.to_string();
        assert!(!properties.contains("Accounts"), "{}", function.id);
        for right in permissions(&template, &function) {
            let table = right.resource.split(['.', '/']).next();
            assert_ne!(table, Some("Accounts"), "{}: {right:?}", function.id);
            let anything = right.resource == "*";
            assert!(
                !anything || right.action == "dynamodb:ListStreams",
                "{right:?}"
            );
        }
    }
}

/// Lives in which every function has everything to do that it is there for.
async fn exercise_all_functions(harness: &TestHarness, functions: &DeployedFunctions) {
    // A partner that earns; one of its customers is known before anything is heard of him.
    // A partner with tiers, the first of which its one customer reaches, and a code.
    let offer = ProgramTerms {
        program: earning(),
        tiers: vec!["1:25%".parse().unwrap()],
    };
    add_partner_with_program(harness, "acme", offer, "spring").await;
    add_notice_endpoint(harness, "acme").await;
    deliver_story(harness, &a_report("r-early", "bruno@example.com")).await;
    // Usage of somebody who is not known yet: the stream brings it home once she is.
    park_usage(harness, "early").await;
    for name in ["ada", "bruno", "dana", "guest"] {
        deliver_story(harness, sample_story(name).unwrap()).await;
    }
    deliver_story(harness, &a_report("r-late", "ada@example.com")).await;
    assert_eq!(ask_status(harness, "r-late", None).await, 200);
    ask_everything(harness).await;
    // Only a list of keys can tell that this is nobody's.
    let forged = format!("v1a,{}==", "A".repeat(86));
    assert_eq!(ask_status(harness, "r-late", Some(forged)).await, 401);
    let waits = waiting_entries();
    assert!(waits.len() >= 3, "providers have an API to ask");
    ingest_entries(&harness.table, &waits, start_time())
        .await
        .unwrap();
    // Letters and notices that nobody handed over, and what a receiver left behind when it died.
    // The clock alone moves: the stack would first deliver what waits.
    let clock = harness.stack().clock();
    clock.advance(SignedDuration::from_mins(20)).unwrap();
    deliver_story(harness, &a_refund(0)).await;
    deliver_to_crashing(harness, &a_payment(0), 0).await;
    // And the audit what the stream was never told of.
    park_usage(harness, "left").await;
    invoke(functions, "Calendar", r#"{"job":"audit"}"#).await;
    // A partner's report finds it.
    deliver_story(harness, &a_refund(1)).await;
    deliver_to_crashing(harness, &a_payment(1), 1).await;
    deliver_story(harness, &a_report("r-again", "ada@example.com")).await;
    // The stream finds it.
    deliver_story(harness, &a_refund(2)).await;
    deliver_to_crashing(harness, &a_payment(2), 2).await;
    park_usage(harness, "streamed").await;
    harness.settle().await;
    harness.advance(SignedDuration::from_hours(24 * 20)).await;
    invoke(functions, "Calendar", r#"{"job":"due_scan"}"#).await;
    harness.settle().await;
}

/// A partner, or a forger, asks how a referral stands.
async fn ask_status(harness: &TestHarness, referral: &str, forged: Option<String>) -> u16 {
    let acme = PartnerId::parse("acme").unwrap();
    let secret = partner_secret(&Secret::new(LOCAL_MASTER).unwrap(), &acme, 1).unwrap();
    let (text, now) = (partner::status_request_text(&acme, referral), harness.now());
    let mut headers = standard::sign("ask", text.as_bytes(), &secret, now);
    headers[2].1 = forged.unwrap_or_else(|| headers[2].1.clone());
    let gateway = harness.stack().gateway_url();
    let url = format!("{gateway}/partners/acme/referrals/{referral}");
    let ask = move || {
        let mut request = agent(&url).get(&url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.call().unwrap().status().as_u16()
    };
    tokio::task::spawn_blocking(ask).await.unwrap()
}

/// A program for which every payment made in these lives counts.
fn earning() -> Program {
    Program {
        reward: Reward::BasisPoints(2_000),
        duration: CommissionDuration::Life,
        hold_days: 10,
        window_days: 365,
        attribution_model: AttributionModel::First,
    }
}

/// An event of each provider whose API was silent.
fn waiting_entries() -> Vec<Arc<Entry>> {
    let master = Secret::new(LOCAL_MASTER).unwrap();
    let keys = PersonKey::derive(&master).unwrap();
    let mut all = Vec::new();
    for provider in PROVIDERS.iter().filter(|one| one.api().is_some()) {
        let mut waits = provider.samples().iter().filter_map(|(_, body)| {
            let body: Value = serde_json::from_str(body).ok()?;
            let item = body.pointer("/events/0").unwrap_or(&body).to_string();
            let unread = unnormalized_entry(provider, item.as_bytes());
            let silent = ApiResponses::closed();
            match read_again(provider, Mode::Test, &unread, &silent, &keys) {
                FetchStep::Done(ReceivedItem {
                    outcome: ItemOutcome::Event(reading),
                    raw,
                }) if reading.is_waiting() => {
                    let entry = Entry::new(reading, raw, 1, start_time(), "silent".into());
                    Some(Arc::new(entry))
                }
                FetchStep::Done(_) | FetchStep::Fetch(_) => None,
            }
        });
        let waits = waits.next();
        all.push(waits.unwrap_or_else(|| panic!("nothing of {provider:?} is ever asked for")));
    }
    all
}

fn unnormalized_entry(provider: &Provider, raw: &[u8]) -> Entry {
    let reading = NormalizedEvent {
        id: provider
            .account(Mode::Test)
            .event(&ObjectId::parse("unread").unwrap()),
        kind: "unread".into(),
        occurred_at: start_time(),
        rank: 0,
        about: About::ByReference(Vec::new()),
        facts: Vec::new(),
        references: Vec::new(),
    };
    Entry::new(reading, raw.into(), 0, start_time(), "unread".into())
}

/// Parked, until somebody knows whose payment it is of.
fn a_refund(number: usize) -> String {
    story(number, "sample = \"refund.created\"")
}

fn a_payment(number: usize) -> String {
    story(number, "sample = \"charge.succeeded\"")
}

fn story(number: usize, lines: &str) -> String {
    format!(
        "title = \"t\"\nbegins = \"2m\"\n\
         rename = {{ Grove0 = \"Left{number}\", Valencia01 = \"ada\" }}\n[[events]]\n{lines}\n"
    )
}

fn a_report(id: &str, email: &str) -> String {
    format!(
        "title = \"t\"\nbegins = \"2m\"\n[[events]]\nsample = \"referral.created\"\n\
         partner = \"acme\"\nset = {{ \"data.occurred_at\" = \"@@-3d\", \
         \"data.referral_id\" = \"{id}\", \"data.customer\" = {{ email = \"{email}\" }} }}\n"
    )
}

/// One action on one resource, and on which partitions.
#[derive(Debug)]
struct Permission {
    action: String,
    resource: String,
    key: Option<String>,
}

impl Permission {
    fn allows(&self, call: &AwsCall) -> bool {
        self.action == call.action
            && self.resource == call.resource
            && match (&self.key, &call.leading_key) {
                (None, _) => true,
                (Some(pattern), Some(key)) => match pattern.strip_suffix('*') {
                    Some(prefix) => key.starts_with(prefix),
                    None => key == pattern,
                },
                (Some(_), None) => false,
            }
    }
}

/// A role's statements, taken apart.
fn permissions(template: &Template, function: &DeployedFunction<'_>) -> Vec<Permission> {
    let mut rights = Vec::new();
    for statement in template.statements(function) {
        let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        let keys: Vec<Option<String>> = match keys {
            Value::Null => vec![None],
            keys => texts(keys).iter().map(|key| Some((*key).into())).collect(),
        };
        for action in texts(&statement["Action"]) {
            for resource in texts(&statement["Resource"]) {
                for key in &keys {
                    rights.push(Permission {
                        action: action.to_owned(),
                        resource: resource.to_owned(),
                        key: key.clone(),
                    });
                }
            }
        }
    }
    rights
}

/// What Lambda itself does in a function's name: log lines, and reading what calls it.
fn lambda_calls(template: &Template, function: &DeployedFunction<'_>) -> Vec<AwsCall> {
    let of = |kind: &str| {
        let mut events = template.events(kind).into_iter();
        events.find(|(called, _)| called.id == function.id)
    };
    let call = |action: &str, resource: &str| call(function, action, resource, None);
    let mut calls = vec![
        call("logs:CreateLogStream", "Logs.Arn"),
        call("logs:PutLogEvents", "Logs.Arn"),
    ];
    if of("DynamoDB").is_some() {
        calls.extend(STREAM.map(|action| call(action, "Table.StreamArn")));
        calls.push(call("dynamodb:ListStreams", "*"));
        calls.push(call("sqs:SendMessage", "StreamFailures.Arn"));
    }
    if let Some((_, mapping)) = of("SQS") {
        let queue = mapping["Queue"].as_str().unwrap();
        calls.extend(QUEUE.map(|action| call(action, queue)));
    }
    calls
}

fn call(who: &DeployedFunction<'_>, action: &str, resource: &str, key: Option<&str>) -> AwsCall {
    AwsCall {
        caller: who.id.to_owned(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        leading_key: key.map(str::to_owned),
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>
const STREAM: [&str; 3] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
];

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
const QUEUE: [&str; 3] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
];
