//! What the stack keeps beside the table: one small SQLite file, or the same in memory.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use serde::Serialize;

use crate::error::StackError;

/// Queues, mails, checkpoints, the clock's offset, failed batches and refused requests.
///
/// Write-ahead logging with `synchronous = NORMAL`: what was answered survives `kill -9`.
#[derive(Clone)]
pub struct StackState {
    connection: Arc<Mutex<Option<Connection>>>,
}

/// A request that was answered with 4xx or 5xx.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// The stack's time, RFC 3339.
    pub at: String,
    /// The method.
    pub method: String,
    /// The path alone: a query may carry a token.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// Why, in words.
    pub cause: String,
    /// The body as text, cut at 64 kB.
    pub body: String,
}

/// A batch that a stream mapping or a schedule gave up.
#[derive(Clone, Debug, Serialize)]
pub struct FailedBatch {
    /// The stack's time, RFC 3339.
    pub at: String,
    /// The mapping or schedule.
    pub source: String,
    /// `RetryAttemptsExhausted`, `RecordAgeExceeded` or `FunctionFailed`.
    pub condition: String,
    /// What the function last said.
    pub message: String,
    /// How many records were given up.
    pub size: usize,
    /// The invocation record as Lambda sends it to an on-failure destination.
    pub record: serde_json::Value,
}

impl StackState {
    /// Opens `stack.sqlite` in this directory, or an empty state in memory.
    ///
    /// # Errors
    /// [`StackError::InUse`] if another process has it open.
    pub fn open(directory: Option<&Path>) -> Result<Self, StackError> {
        let connection = match directory {
            Some(directory) => Connection::open(directory.join(STATE_FILE))?,
            None => Connection::open_in_memory()?,
        };
        prepare(&connection).map_err(in_use)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(Some(connection))),
        })
    }

    /// Closes the file; every later call answers [`StackError::Closed`].
    pub(crate) fn close(&self) {
        // Clones may outlive a shutdown by an instant, in connection tasks: the lock must not.
        drop(
            self.connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// Runs one piece of SQL work; alone, because the connection is shared.
    pub(crate) fn with_connection<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StackError> {
        let guard = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let connection = guard.as_ref().ok_or(StackError::Closed)?;
        Ok(work(connection)?)
    }

    /// A named value, if it was kept.
    pub fn value(&self, name: &str) -> Result<Option<String>, StackError> {
        self.with_connection(|sql| {
            sql.prepare_cached("SELECT value FROM key_values WHERE name = ?1")?
                .query_row([name], |row| row.get(0))
                .optional()
        })
    }

    /// Keeps a named value in place of the former one.
    pub fn set_value(&self, name: &str, value: &str) -> Result<(), StackError> {
        self.with_connection(|sql| {
            sql.prepare_cached("INSERT OR REPLACE INTO key_values (name, value) VALUES (?1, ?2)")?
                .execute([name, value])
                .map(drop)
        })
    }

    /// Keeps a refused request and forgets the oldest beyond a thousand.
    pub fn record_refusal(&self, refusal: &Refusal) -> Result<(), StackError> {
        let Refusal {
            at,
            method,
            path,
            status,
            cause,
            body,
        } = refusal;
        let (cause, body) = (truncated(cause, CAUSE_LIMIT), truncated(body, BODY_LIMIT));
        self.with_connection(|sql| {
            sql.prepare_cached(
                "INSERT INTO refusals (at, method, path, status, cause, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![at, method, path, status, cause, body])?;
            sql.prepare_cached("DELETE FROM refusals WHERE id <= last_insert_rowid() - ?1")?
                .execute([MAX_REFUSALS])
                .map(drop)
        })
    }

    /// The refused requests, the latest first.
    pub fn refusals(&self) -> Result<Vec<Refusal>, StackError> {
        self.with_connection(|sql| {
            sql.prepare_cached(
                "SELECT at, method, path, status, cause, body FROM refusals ORDER BY id DESC",
            )?
            .query_map([], |row| {
                Ok(Refusal {
                    at: row.get(0)?,
                    method: row.get(1)?,
                    path: row.get(2)?,
                    status: row.get(3)?,
                    cause: row.get(4)?,
                    body: row.get(5)?,
                })
            })?
            .collect()
        })
    }

    /// Keeps a batch that was given up.
    pub(crate) fn record_failed_batch(&self, batch: &FailedBatch) -> Result<(), StackError> {
        let text = batch.record.to_string();
        let size = i64::try_from(batch.size).unwrap_or(i64::MAX);
        self.with_connection(|sql| {
            sql.execute(
                "INSERT INTO failed_batches (at, source, condition, message, size, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    batch.at,
                    batch.source,
                    batch.condition,
                    batch.message,
                    size,
                    text
                ],
            )
            .map(drop)
        })
    }

    /// The batches that were given up, the oldest first.
    pub fn failed_batches(&self) -> Result<Vec<FailedBatch>, StackError> {
        self.with_connection(|sql| {
            sql.prepare_cached(
                "SELECT at, source, condition, message, size, record
                 FROM failed_batches ORDER BY id",
            )?
            .query_map([], |row| {
                let text: String = row.get(5)?;
                Ok(FailedBatch {
                    at: row.get(0)?,
                    source: row.get(1)?,
                    condition: row.get(2)?,
                    message: row.get(3)?,
                    size: usize::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
                    record: serde_json::from_str(&text).unwrap_or_default(),
                })
            })?
            .collect()
        })
    }

    /// How many rows one of the stack's own tables holds.
    pub(crate) fn count(&self, table: CountedTable) -> Result<u64, StackError> {
        let statement = match table {
            CountedTable::Mails => "SELECT count(*) FROM mails",
            CountedTable::FailedBatches => "SELECT count(*) FROM failed_batches",
            CountedTable::Refusals => "SELECT count(*) FROM refusals",
        };
        let count: i64 =
            self.with_connection(|sql| sql.query_row(statement, [], |row| row.get(0)))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

/// What [`State::count`] can count.
#[derive(Clone, Copy)]
pub(crate) enum CountedTable {
    Mails,
    FailedBatches,
    Refusals,
}

/// At most this many bytes of a text, cut where a character ends.
pub(crate) fn truncated(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Exclusive: a second stack on the same directory would deliver everything twice.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch(SCHEMA)
}

fn in_use(cause: rusqlite::Error) -> StackError {
    match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StackError::InUse,
        Some(_) | None => StackError::State(cause),
    }
}

/// Its file in the data directory.
pub(crate) const STATE_FILE: &str = "stack.sqlite";
/// More would be a log, and a log is not asked for its thousandth line.
const MAX_REFUSALS: i64 = 1_000;
const BODY_LIMIT: usize = 64 * 1024;
const CAUSE_LIMIT: usize = 2 * 1024;
/// Nobody else holds the file for a moment: who holds it keeps it.
const BUSY_TIMEOUT: Duration = Duration::from_millis(200);

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS key_values (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusals (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, status INTEGER NOT NULL, cause TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS failed_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, source TEXT NOT NULL,
    condition TEXT NOT NULL, message TEXT NOT NULL, size INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL, mail TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS mails_by_message ON mails (message_id);
-- sent_at and due_at are the stack's time, arrived_at and visible_at real time; milliseconds.
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL, queue TEXT NOT NULL,
    body TEXT NOT NULL, attributes TEXT NOT NULL, sent_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL, arrived_at INTEGER NOT NULL, visible_at INTEGER NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0, first_received_at INTEGER,
    receipt TEXT, source TEXT);
CREATE INDEX IF NOT EXISTS messages_by_queue ON messages (queue, visible_at);
CREATE INDEX IF NOT EXISTS messages_by_receipt ON messages (receipt) WHERE receipt IS NOT NULL;
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, headers TEXT NOT NULL, status INTEGER NOT NULL, answer TEXT NOT NULL,
    body BLOB NOT NULL, bytes INTEGER NOT NULL, digest TEXT NOT NULL, refused INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS requests_by_kind ON requests (refused, id);
CREATE INDEX IF NOT EXISTS requests_by_digest ON requests (digest);
";
