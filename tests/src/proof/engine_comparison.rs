//! The table in memory held against real engines: the same random requests, the same answers.

use super::random_requests;
use super::simulation::immediate::run_immediately;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    StreamSpecification, StreamViewType,
};
use runtime::aws::{AwsService, Cloud, DynamoClient};
use runtime::settings::Settings;
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use store::dynamo::DynamoTable;
use store::memory::{MemoryTable, Paging, TableRequest, TableState};

const TABLE: &str = "proof";
const REGION: &str = "eu-west-3";
/// Set in the process that runs inside a network namespace of its own.
const INSIDE_NAMESPACE: &str = "PROVE_INSIDE";

/// Runs `count` random requests on the table in memory and on each engine there is.
///
/// # Errors
/// The first answer that differs.
pub fn compare(seed: u64, count: usize) -> Result<String, String> {
    let inside = std::env::var(INSIDE_NAMESPACE)
        .ok()
        .and_then(|count| count.parse().ok());
    let count = inside.unwrap_or(count);
    let waiting = |error: std::io::Error| error.to_string();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(waiting)?;
    let steps = random_requests::random_requests(seed, count);
    let (answers, changes) = on_memory_table(&steps);
    if std::env::var_os(INSIDE_NAMESPACE).is_none() {
        let embedded = runtime.block_on(on_embedded(&steps))?;
        first_difference("the embedded engine", &answers, &embedded.0)?;
        first_difference("the embedded engine's stream", &changes, &embedded.1)?;
    }
    let second = compare_ministack(seed, count, &runtime, &steps, &answers, &changes)?;
    Ok(format!(
        "{count} requests, {} stream records, table in memory and embedded engine agree{second}, \
         seed {seed}",
        changes.len()
    ))
}

fn on_memory_table(steps: &[TableRequest]) -> (Vec<String>, Vec<String>) {
    // The engines have no page that small.
    let table = MemoryTable::new(TableState::with_paging(Paging::Whole));
    let answers = run_immediately(random_requests::answers(&table, steps));
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in &table.state().changes {
        let name = match (&change.new, change.replaced) {
            (None, _) => "REMOVE",
            (Some(_), true) => "MODIFY",
            (Some(_), false) => "INSERT",
        };
        let version = change.new.as_ref().and_then(store::Item::version);
        let line = line(name, &change.key.sort, version.map(|v| v.to_string()));
        let partition = change.key.partition.to_string();
        lines.entry(partition).or_default().push(line);
    }
    (answers, by_partition(lines))
}

fn line(name: &str, sort: &str, version: Option<String>) -> String {
    format!("{name} {sort} {}", version.unwrap_or_default())
}

/// Streams keep the order of a partition, and no other.
fn by_partition(partitions: BTreeMap<String, Vec<String>>) -> Vec<String> {
    partitions
        .into_iter()
        .flat_map(|(partition, lines)| {
            lines
                .into_iter()
                .map(move |line| format!("{partition}: {line}"))
        })
        .collect()
}

async fn on_embedded(steps: &[TableRequest]) -> Result<(Vec<String>, Vec<String>), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let database = dynoxide::Database::memory().map_err(|error| text(&error))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.map_err(|error| text(&error))?;
    let address = listener.local_addr().map_err(|error| text(&error))?;
    let server = tokio::spawn(async move {
        let never = std::future::pending::<()>();
        let _ = dynoxide::server::serve_with_shutdown(listener, database, never).await;
    });
    let result = on_engine(&format!("http://{address}"), steps).await;
    server.abort();
    result
}

async fn on_engine(
    url: &str,
    steps: &[TableRequest],
) -> Result<(Vec<String>, Vec<String>), String> {
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", REGION),
        ("AWS_ENDPOINT_URL_DYNAMODB", url),
    ];
    let settings = Settings::new(pairs.map(|(name, value)| (name.into(), value.into())));
    let cloud = Cloud::from_settings(&settings).map_err(|error| error.to_string())?;
    let client = cloud.dynamo();
    create(&client).await?;
    let table = DynamoTable::new(client, TABLE);
    let answers = random_requests::answers(&table, steps).await;
    let streams = aws_sdk_dynamodbstreams::Client::new(&cloud.config(AwsService::DynamoDb));
    Ok((answers, stream(&streams).await?))
}

async fn create(client: &DynamoClient) -> Result<(), String> {
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(|error| error.to_string())
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .map_err(|error| error.to_string())
    };
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewImage)
        .build()
        .map_err(|error| error.to_string())?;
    client
        .create_table()
        .table_name(TABLE)
        .attribute_definitions(attribute("pk")?)
        .attribute_definitions(attribute("sk")?)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .billing_mode(BillingMode::PayPerRequest)
        .stream_specification(stream)
        .send()
        .await
        .map_err(|error| format!("the table can't be made: {error:?}"))?;
    Ok(())
}

async fn stream(client: &aws_sdk_dynamodbstreams::Client) -> Result<Vec<String>, String> {
    use aws_sdk_dynamodbstreams::types::{AttributeValue, ShardIteratorType};
    let failed = |error: &dyn std::fmt::Debug| format!("the stream can't be read: {error:?}");
    let streams = client.list_streams().table_name(TABLE).send().await;
    let streams = streams.map_err(|error| failed(&error))?;
    let arn = streams.streams().first().and_then(|s| s.stream_arn());
    let arn = arn.ok_or("there is no stream")?.to_owned();
    let described = client.describe_stream().stream_arn(&arn).send().await;
    let described = described.map_err(|error| failed(&error))?;
    let shards = described
        .stream_description()
        .map_or(&[][..], |s| s.shards());
    let mut partitions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for shard in shards {
        let iterator = client
            .get_shard_iterator()
            .stream_arn(&arn)
            .shard_id(shard.shard_id().unwrap_or_default())
            .shard_iterator_type(ShardIteratorType::TrimHorizon)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        let mut iterator = iterator.shard_iterator().map(str::to_owned);
        while let Some(here) = iterator.take() {
            let page = client.get_records().shard_iterator(here).send().await;
            let page = page.map_err(|error| failed(&error))?;
            for record in page.records() {
                let Some(body) = record.dynamodb() else {
                    continue;
                };
                let text = |name: &str| match body.keys().and_then(|keys| keys.get(name)) {
                    Some(AttributeValue::S(text)) => text.clone(),
                    _ => String::new(),
                };
                let image = body.new_image();
                let version = match image.and_then(|image| image.get("version")) {
                    Some(AttributeValue::N(version)) => Some(version.clone()),
                    _ => None,
                };
                let name = record.event_name().map_or("", |name| name.as_str());
                let line = line(name, &text("sk"), version);
                partitions.entry(text("pk")).or_default().push(line);
            }
            if !page.records().is_empty() {
                iterator = page.next_shard_iterator().map(str::to_owned);
            }
        }
    }
    Ok(by_partition(partitions))
}

fn first_difference(who: &str, memory: &[String], theirs: &[String]) -> Result<(), String> {
    let both = memory.iter().zip(theirs).enumerate();
    for (number, (memory, theirs)) in both {
        if memory != theirs {
            return Err(format!(
                "{who}, step {number}: table in memory\n{memory}\nengine\n{theirs}"
            ));
        }
    }
    if memory.len() == theirs.len() {
        Ok(())
    } else {
        Err(format!(
            "{who} gives {} lines, the table in memory {}",
            theirs.len(),
            memory.len()
        ))
    }
}

/// ministack, inside a network namespace that has loopback alone. Says so when it is not there.
fn compare_ministack(
    seed: u64,
    count: usize,
    runtime: &tokio::runtime::Runtime,
    steps: &[TableRequest],
    answers: &[String],
    changes: &[String],
) -> Result<String, String> {
    let program = std::env::var("MINISTACK").unwrap_or_else(|_| "ministack".into());
    if std::env::var_os(INSIDE_NAMESPACE).is_none() {
        let found = Command::new(&program)
            .arg("--help")
            .stdin(Stdio::null())
            .output();
        if found.is_err() {
            return Ok("; ministack is not installed, the second engine was skipped".into());
        }
        return run_in_namespace(seed, count);
    }
    let server = Ministack::start(&program)?;
    let theirs = runtime.block_on(async {
        server.ready().await?;
        on_engine(&server.url(), steps).await
    })?;
    first_difference("ministack", answers, &theirs.0)?;
    match first_difference("ministack's stream", changes, &theirs.1) {
        Ok(()) => Ok(", ministack too".into()),
        Err(difference) => Ok(format!(", ministack too but for its stream ({difference})")),
    }
}

/// Runs this very part again inside a namespace of its own.
fn run_in_namespace(seed: u64, count: usize) -> Result<String, String> {
    let me = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "sh", "-c"])
        .arg("ip link set lo up && exec \"$0\" --part model-table --seed \"$1\"")
        .arg(me)
        .arg(seed.to_string())
        .env(INSIDE_NAMESPACE, count.to_string())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(_) => return Ok("; there is no unshare, the second engine was skipped".into()),
    };
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("inside the namespace: {printed}{errors}"));
    }
    let tail = printed
        .split_once("embedded engine agree")
        .map(|(_, tail)| tail);
    let tail = tail
        .and_then(|tail| tail.rsplit_once(", seed"))
        .map(|(tail, _)| tail);
    Ok(tail.unwrap_or_default().to_owned())
}

struct Ministack(Child);

impl Ministack {
    const PORT: u16 = 4566;

    fn start(program: &str) -> Result<Self, String> {
        let child = Command::new(program)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", Self::PORT.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        child.map(Self).map_err(|error| error.to_string())
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", Self::PORT)
    }

    async fn ready(&self) -> Result<(), String> {
        for _ in 0..300 {
            let address = ("127.0.0.1", Self::PORT);
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err("ministack does not start".into())
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
