//! The local stack is wired as the template wires the deployed one.

use crate::template::{Template, root, texts};
use local_cloud::{Stack, StackSettings, Wiring};
use local_shop::connection::dynamo_table;
use local_shop::shop::{LOCAL_MASTER, Shop, local_secret};
use orangery::wiring::wire;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_are_the_same_deployed_locally_and_watched() {
    let template = Template::read();
    let (_stack, wiring) = local().await;
    let endpoints = template.events("HttpApi");
    let deployed: BTreeMap<String, &str> = endpoints
        .iter()
        .map(|(function, endpoint)| {
            let key = format!(
                "{} {}",
                endpoint["Method"].as_str().unwrap(),
                path(endpoint)
            );
            (key, function.folder)
        })
        .collect();
    let locally: BTreeSet<String> = wiring.routes.iter().map(|route| route.key()).collect();
    assert_eq!(deployed.keys().cloned().collect::<BTreeSet<_>>(), locally);
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let router = &manifest["workspace"]["metadata"]["lambda"]["watch"]["router"];
    let watched = router.as_table().unwrap();
    for (route, function) in &deployed {
        let patterns = watched
            .iter()
            .filter(|(pattern, _)| is_served(route, pattern));
        let serving: Vec<_> = patterns.filter_map(|(_, name)| name.as_str()).collect();
        assert_eq!(serving, [*function], "{route}");
    }
    for pattern in watched.keys() {
        let serves = |route: &String| is_served(route, pattern);
        assert!(deployed.keys().any(serves), "{pattern} serves nothing");
    }
}

/// Whether a route is one of a pattern's; a part in braces stands for any.
fn is_served(route: &str, pattern: &str) -> bool {
    let (route, pattern) = (route.split('/').skip(1), pattern.split('/').skip(1));
    route.clone().count() == pattern.clone().count()
        && route
            .zip(pattern)
            .all(|(part, of)| part == of || of.starts_with('{'))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_the_stream_are_set_the_same() {
    let template = Template::read();
    let (_stack, wiring) = local().await;
    let mut deployed = BTreeMap::new();
    for (function, mapping) in template.events("DynamoDB") {
        let failures = mapping["DestinationConfig"]["OnFailure"]["Destination"].as_str();
        let failures = failures.unwrap().strip_suffix(".Arn").unwrap();
        let filters = mapping["FilterCriteria"]["Filters"].as_array().unwrap();
        let filters: Vec<Value> = filters
            .iter()
            .map(|filter| serde_json::from_str(filter["Pattern"].as_str().unwrap()).unwrap())
            .collect();
        assert_eq!(mapping["Stream"], "Table.StreamArn");
        assert_eq!(mapping["StartingPosition"], "TRIM_HORIZON");
        assert_eq!(mapping["ParallelizationFactor"], 1);
        assert_eq!(
            texts(&mapping["FunctionResponseTypes"]),
            ["ReportBatchItemFailures"]
        );
        let settings = json!({
            "batch": mapping["BatchSize"],
            "window": mapping["MaximumBatchingWindowInSeconds"],
            "retries": mapping["MaximumRetryAttempts"],
            "age": mapping["MaximumRecordAgeInSeconds"],
            "bisect": mapping["BisectBatchOnFunctionError"],
            "failures": name(&template, failures, "QueueName"),
            "filters": filters,
        });
        deployed.insert(function.folder.to_owned(), settings);
    }
    let mut locally = BTreeMap::new();
    for mapping in &wiring.streams {
        let filters: Vec<Value> = mapping
            .filters
            .iter()
            .map(|filter| {
                let prefix = filter.sort_key_prefix.as_deref().unwrap();
                json!({
                    "eventName": filter.event_names,
                    "dynamodb": { "Keys": { "sk": { "S": [{ "prefix": prefix }] } } },
                })
            })
            .collect();
        let settings = json!({
            "batch": mapping.batch_size,
            "window": mapping.batching_window.as_secs(),
            "retries": mapping.maximum_retry_attempts,
            "age": mapping.maximum_record_age.unwrap().as_secs(),
            "bisect": mapping.bisect_on_error,
            "failures": mapping.on_failure,
            "filters": filters,
        });
        locally.insert(mapping.name.clone(), settings);
    }
    assert_eq!(deployed, locally);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_are_set_the_same() {
    let template = Template::read();
    let (_stack, wiring) = local().await;
    let deployed: Vec<Value> = template
        .events("SQS")
        .iter()
        .map(|(function, mapping)| {
            let queue = mapping["Queue"].as_str().unwrap().strip_suffix(".Arn");
            let queue = queue.unwrap();
            let properties = template.properties(queue);
            let redrive = &properties["RedrivePolicy"];
            let dead = redrive["deadLetterTargetArn"].as_str().unwrap();
            let dead = dead.strip_suffix(".Arn").unwrap();
            let patience = properties["VisibilityTimeout"].as_u64().unwrap();
            assert!(patience >= 6 * function.properties["Timeout"].as_u64().unwrap());
            json!({
                "queue": name(&template, queue, "QueueName"),
                "dead": name(&template, dead, "QueueName"),
                "batch": mapping["BatchSize"],
                "window": mapping["MaximumBatchingWindowInSeconds"],
                "visibility": patience,
                "receives": redrive["maxReceiveCount"],
            })
        })
        .collect();
    let locally: Vec<Value> = wiring
        .queues
        .iter()
        .map(|mapping| {
            json!({
                "queue": mapping.queue,
                "dead": mapping.dead_letter_queue(),
                "batch": mapping.batch_size,
                "window": mapping.batching_window.as_secs(),
                "visibility": mapping.visibility.as_secs(),
                "receives": mapping.maximum_receives,
            })
        })
        .collect();
    assert_eq!(deployed, locally);
}

/// The local stack audits every minute, so that who tries it sees what it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_ask_for_the_same_jobs() {
    let template = Template::read();
    let (_stack, wiring) = local().await;
    let deployed: BTreeMap<String, &str> = template
        .events("ScheduleV2")
        .iter()
        .map(|(_, schedule)| {
            let input: Value = serde_json::from_str(schedule["Input"].as_str().unwrap()).unwrap();
            let job = input["job"].as_str().unwrap();
            assert_eq!(schedule["Name"], format!("orangery-try-{job}"));
            (
                job.to_owned(),
                schedule["ScheduleExpression"].as_str().unwrap(),
            )
        })
        .collect();
    let locally: BTreeMap<String, u64> = wiring
        .schedules
        .iter()
        .map(|schedule| (schedule.name.clone(), schedule.interval.as_secs()))
        .collect();
    assert_eq!(deployed["due_scan"], "rate(1 minute)");
    assert_eq!(locally["due_scan"], 60);
    assert!(
        deployed["audit"].starts_with("cron("),
        "daily, at a quiet hour"
    );
    assert!(
        deployed.keys().eq(locally.keys()),
        "{deployed:?}, {locally:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_is_the_same() {
    let template = Template::read();
    let (stack, _) = local().await;
    let request = json!({ "TableName": stack.endpoints().table_name });
    let request = serde_json::from_value(request).unwrap();
    let made = stack.engine().database().describe_table(request).unwrap();
    let made = serde_json::to_value(made).unwrap()["Table"].clone();
    let properties = template.properties("Table");
    let index = |of: &Value| {
        let index = &of["GlobalSecondaryIndexes"][0];
        json!([
            index["IndexName"],
            index["KeySchema"],
            index["Projection"]["ProjectionType"]
        ])
    };
    assert_eq!(properties["KeySchema"], made["KeySchema"]);
    assert_eq!(index(properties), index(&made));
    let attributes = |of: &Value| {
        let attributes = of["AttributeDefinitions"].as_array().unwrap().iter();
        attributes.map(Value::to_string).collect::<BTreeSet<_>>()
    };
    assert_eq!(attributes(properties), attributes(&made));
    assert_eq!(
        properties["StreamSpecification"]["StreamViewType"],
        made["StreamSpecification"]["StreamViewType"]
    );
}

#[test]
fn every_function_is_deployed_and_every_provider_has_its_endpoint() {
    let template = Template::read();
    let folders: BTreeSet<String> = std::fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let deployed = template.functions();
    let used: BTreeSet<String> = deployed.iter().map(|f| f.folder.to_owned()).collect();
    assert_eq!(folders, used);
    let with_endpoint: BTreeSet<&str> = deployed
        .iter()
        .filter_map(|f| f.properties["Environment"]["Variables"]["PROVIDER"].as_str())
        .collect();
    let known: BTreeSet<&str> = providers::PROVIDERS.iter().map(|p| p.name()).collect();
    assert_eq!(with_endpoint, known);
}

/// What `orangery send` signs with is what `infra/emulate` puts.
#[test]
fn the_emulator_is_given_the_local_stacks_secrets() {
    let script = std::fs::read_to_string(root().join("infra/emulate")).unwrap();
    assert!(script.contains(&format!("--value {LOCAL_MASTER}")));
    let (_, secret) = script.split_once("secret=").unwrap();
    let (word, _) = secret.split_once("$provider").unwrap();
    let known = local_secret("stripe");
    assert!(known.starts_with(&format!("whsec_{word}stripe")), "{known}");
    let names: Vec<&str> = providers::PROVIDERS.iter().map(|p| p.name()).collect();
    let listed = format!("for provider in {};", names.join(" "));
    assert!(script.contains(&listed), "{listed}");
}

#[test]
fn an_alarm_watches_a_metric_that_some_function_writes() {
    let template = Template::read();
    let mut sources = String::new();
    for folder in ["functions", "crates/runtime/src", "crates/store/src"] {
        read_sources(&root().join(folder), &mut sources);
    }
    let alarms = template.of_type("AWS::CloudWatch::Alarm");
    let own = alarms
        .iter()
        .filter(|alarm| alarm["Namespace"] == "Orangery");
    let own: Vec<&str> = own
        .map(|alarm| alarm["MetricName"].as_str().unwrap())
        .collect();
    assert!(own.len() >= 8, "{own:?}");
    for metric in own {
        let written = sources.split(['"', ' ']).any(|word| word == metric);
        assert!(written, "nobody writes `{metric}`");
    }
}

/// Every Rust file below a folder.
fn read_sources(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            *sources += &std::fs::read_to_string(path).unwrap();
        }
    }
}

/// A bucket that several routes shared would let a flood at one of them starve the others.
#[test]
fn every_route_has_a_bucket_of_its_own() {
    let template = Template::read();
    let buckets = template.properties("Api")["RouteSettings"].clone();
    let mut routes = BTreeSet::new();
    for (_, endpoint) in template.events("HttpApi") {
        let key = format!(
            "{} {}",
            endpoint["Method"].as_str().unwrap(),
            path(endpoint)
        );
        assert!(buckets[&key]["ThrottlingRateLimit"].is_u64(), "{key}");
        assert!(buckets[&key]["ThrottlingBurstLimit"].is_u64(), "{key}");
        routes.insert(key);
    }
    let known: BTreeSet<String> = buckets.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        known, routes,
        "a bucket without a route stops the deployment"
    );
}

async fn local() -> (Stack, Wiring) {
    let mut kept = None;
    let stack = Stack::start(StackSettings::default(), |endpoints| {
        let wiring = wire(endpoints, &Shop::default()).unwrap();
        kept = Some(wiring.clone());
        wiring
    });
    let stack = stack.await.unwrap();
    dynamo_table(stack.endpoints()).unwrap();
    (stack, kept.unwrap())
}

fn path(endpoint: &Value) -> &str {
    endpoint["Path"].as_str().unwrap()
}

/// A resource's name without what all names of a stage begin with.
fn name<'a>(template: &'a Template, id: &str, property: &str) -> &'a str {
    let name = template.properties(id)[property].as_str().unwrap();
    name.strip_prefix("orangery-try-").unwrap()
}
