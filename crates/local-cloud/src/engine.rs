//! The table: the embedded DynamoDB engine, in memory or in one file, served on loopback.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use dynoxide::Database;
use dynoxide::actions::get_records::{GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::storage::Storage;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::clock::{StackClock, real_milliseconds};
use crate::error::StackError;
use crate::ids;

/// The name of the one table.
pub const TABLE: &str = "orangery";

/// Its file in the data directory.
pub(crate) const TABLE_FILE: &str = "table.sqlite";

/// The region that ARNs and events name.
pub const REGION: &str = "eu-west-3";

/// The account that ARNs and events name.
pub const ACCOUNT: &str = "000000000000";

/// The table and its stream, in process; clones share them.
#[derive(Clone)]
pub struct Engine {
    database: Database,
    clock: StackClock,
    /// Where the table is kept, unless in memory.
    file: Option<PathBuf>,
    /// The engine's own name of the stream, and the label in it.
    stream: String,
    label: String,
}

/// One change of an item, as the stream tells it.
#[derive(Clone, Debug)]
pub struct StreamChange {
    /// Its place in the stream: digits of one width, so that text and numbers order alike.
    pub sequence: String,
    /// When it was written, in milliseconds of the stack's time.
    pub at: i64,
    /// The record as Lambda carries it.
    pub record: Value,
}

impl Engine {
    /// Opens the table in `table.sqlite` of this directory, or an empty one in memory.
    ///
    /// In memory the engine reads the stack's clock. In a file it cannot be given one, so
    /// [`Engine::changes`] puts its stamps right and [`Engine::expire`] opens the file anew.
    pub fn open(directory: Option<&Path>, clock: StackClock) -> Result<Self, StackError> {
        let file = directory.map(|directory| directory.join(TABLE_FILE));
        let database = match &file {
            Some(file) => open_prepared(&file.to_string_lossy())?,
            None => in_memory(&clock)?,
        };
        let described = database.describe_table(parse_request(json!({ "TableName": TABLE }))?);
        let table = described.map_err(engine_error)?.table;
        let stream = table.latest_stream_arn.unwrap_or_default();
        let label = table.latest_stream_label.unwrap_or_default();
        Ok(Self {
            database,
            clock,
            file,
            stream,
            label,
        })
    }

    /// The engine itself, for pages and tests that look into the table in process.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The stream's name as events carry it.
    pub fn stream_arn(&self) -> String {
        format!(
            "arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}/stream/{}",
            self.label
        )
    }

    /// The one shard's id.
    pub fn shard(&self) -> String {
        dynoxide::streams::shard_id(TABLE)
    }

    /// At most this many changes after this place, or from the beginning.
    pub fn changes(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StreamChange>, StackError> {
        let from = match after {
            Some(_) => "AFTER_SEQUENCE_NUMBER",
            None => "TRIM_HORIZON",
        };
        let request = GetShardIteratorRequest {
            stream_arn: self.stream.clone(),
            shard_id: self.shard(),
            shard_iterator_type: from.to_owned(),
            sequence_number: after.map(str::to_owned),
        };
        let iterator = self
            .database
            .get_shard_iterator(request)
            .map_err(engine_error)?;
        let request = GetRecordsRequest {
            shard_iterator: iterator.shard_iterator.unwrap_or_default(),
            limit: Some(limit),
        };
        let read = self.database.get_records(request).map_err(engine_error)?;
        read.records
            .iter()
            .map(|record| self.change(record))
            .collect()
    }

    /// One page of everything there is, as the stream would tell it if it were written now, and
    /// the key after which the next page begins.
    pub fn scan_page(
        &self,
        after: Option<Value>,
    ) -> Result<(Vec<Value>, Option<Value>), StackError> {
        let mut request = json!({ "TableName": TABLE, "Limit": 1_000 });
        if let (Some(after), Some(fields)) = (after, request.as_object_mut()) {
            fields.insert("ExclusiveStartKey".to_owned(), after);
        }
        let page = self
            .database
            .scan(parse_request(request)?)
            .map_err(engine_error)?;
        let page = serde_json::to_value(page)?;
        let written = |image: &Value| {
            let keys = json!({ "pk": image.get("pk"), "sk": image.get("sk") });
            json!({ "dynamodb": { "Keys": keys, "NewImage": image, "SequenceNumber": "0" } })
        };
        let items = page.get("Items").and_then(Value::as_array);
        let records = items.into_iter().flatten().map(written).collect();
        let next = page.get("LastEvaluatedKey").filter(|key| !key.is_null());
        Ok((records, next.cloned()))
    }

    /// Deletes what has expired by the stack's clock, as DynamoDB does in its own time.
    pub fn expire(&self) -> Result<usize, StackError> {
        let Some(file) = &self.file else {
            return self.database.sweep_ttl().map_err(engine_error);
        };
        let clock = Arc::new(self.clock.clone());
        let storage = Storage::new(&file.to_string_lossy())
            .map_err(engine_error)?
            .with_clock(clock);
        poll_once(dynoxide::ttl::sweep_expired_items(&storage))
            .ok_or_else(|| StackError::Engine("a sweep did not end at once".to_owned()))?
            .map_err(engine_error)
    }

    /// Forgets changes older than a day that every mapping has behind it.
    ///
    /// DynamoDB forgets after 24 hours, read or not; what a stopped stack has not delivered
    /// yet is kept here, because nobody was there to read it.
    pub(crate) fn trim(&self, behind: Option<&str>) -> Result<(), StackError> {
        let (Some(file), Some(behind)) = (&self.file, behind) else {
            return Ok(());
        };
        let day_ago = real_milliseconds().saturating_sub(DAY_MS) / 1_000;
        // The last row stays: the engine counts on from it.
        Connection::open(file)?.execute(
            "DELETE FROM _stream_records WHERE created_at < ?1
             AND CAST(sequence_number AS INTEGER) <= CAST(substr(?2, 2) AS INTEGER)
             AND id < (SELECT max(id) FROM _stream_records)",
            (day_ago, behind),
        )?;
        Ok(())
    }

    fn change(&self, record: &Record) -> Result<StreamChange, StackError> {
        let mut value = serde_json::to_value(record)?;
        let at = self.written_at(record);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("awsRegion".to_owned(), json!(REGION));
            fields.insert("eventSourceARN".to_owned(), json!(self.stream_arn()));
        }
        if let Some(inner) = value.get_mut("dynamodb").and_then(Value::as_object_mut) {
            inner.insert("ApproximateCreationDateTime".to_owned(), json!(at / 1_000));
        }
        Ok(StreamChange {
            sequence: record.dynamodb.sequence_number.clone(),
            at,
            record: value,
        })
    }

    /// A file's records carry real time, except those that the sweep wrote by the stack's.
    fn written_at(&self, record: &Record) -> i64 {
        let seconds = record.dynamodb.approximate_creation_date_time as i64;
        let at = seconds.saturating_mul(1_000);
        match (&self.file, &record.user_identity) {
            (Some(_), None) => at.saturating_add(self.clock.offset()),
            (Some(_), Some(_)) | (None, _) => at,
        }
    }
}

/// The engine keeps its connection to itself, and in memory there is no second one to add the
/// index by: a template is prepared in shared memory and copied over.
fn in_memory(clock: &StackClock) -> Result<Database, StackError> {
    let template = format!("file:orangery-{}?mode=memory&cache=shared", ids::fresh());
    let kept = open_prepared(&template)?;
    let database = Database::memory_with_clock(Arc::new(clock.clone())).map_err(engine_error)?;
    database.restore_from(&template).map_err(engine_error)?;
    drop(kept);
    Ok(database)
}

fn open_prepared(path: &str) -> Result<Database, StackError> {
    let database = Database::new(path).map_err(engine_error)?;
    let names = database
        .list_tables(parse_request(json!({}))?)
        .map_err(engine_error)?
        .table_names;
    if !names.iter().any(|name| name == TABLE) {
        database
            .create_table(parse_request(table())?)
            .map_err(engine_error)?;
        let expiry = json!({
            "TableName": TABLE,
            "TimeToLiveSpecification": { "AttributeName": "expires_at", "Enabled": true },
        });
        database
            .update_time_to_live(parse_request(expiry)?)
            .map_err(engine_error)?;
    }
    // Without it the engine scans the whole stream for each write and each read of the stream.
    Connection::open(path)?.execute_batch(
        "CREATE INDEX IF NOT EXISTS orangery_stream_order
         ON _stream_records (table_name, CAST(sequence_number AS INTEGER))",
    )?;
    Ok(database)
}

fn table() -> Value {
    json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
            { "AttributeName": "due_shard", "AttributeType": "S" },
            { "AttributeName": "next_due_at", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "due",
            "KeySchema": [
                { "AttributeName": "due_shard", "KeyType": "HASH" },
                { "AttributeName": "next_due_at", "KeyType": "RANGE" },
            ],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    })
}

/// The engine's requests are read from the JSON of its API: it has no other public constructor.
fn parse_request<T: serde::de::DeserializeOwned>(request: Value) -> Result<T, StackError> {
    Ok(serde_json::from_value(request)?)
}

/// The engine's native futures never wait, so one look is enough.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn engine_error(cause: impl std::fmt::Display) -> StackError {
    StackError::Engine(cause.to_string())
}

const DAY_MS: i64 = 86_400_000;
