//! What the gateway saw: the last thousand requests taken in and the last thousand refused.

use rusqlite::{Row, params};
use serde::Serialize;
use std::sync::Arc;

use crate::error::StackError;
use crate::name_value::NameValue;
use crate::state::{StackState, truncated};

/// A request that reached a function's endpoint, and what was answered.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RecordedRequest {
    /// Its number, counting up.
    pub id: i64,
    /// The stack's time, RFC 3339.
    pub at: String,
    /// The method.
    pub method: String,
    /// The path alone: a query may carry a token.
    pub path: String,
    /// The headers; a credential's value is left out.
    pub headers: Vec<NameValue>,
    /// The status of the answer.
    pub status: u16,
    /// What was answered, or why the function failed.
    pub answer: String,
    /// The first 64 kB of the body.
    #[serde(skip)]
    pub body: Vec<u8>,
    /// How long the body was.
    pub body_bytes: usize,
    /// MD5 of the whole body: finds the request of a journal entry, and proves nothing.
    #[serde(skip)]
    pub digest: String,
}

/// Told of a request once it was answered.
pub type RequestObserver = Arc<dyn Fn(&RecordedRequest) + Send + Sync>;

impl RecordedRequest {
    /// Whether it was refused.
    pub fn is_refused(&self) -> bool {
        self.status >= 400
    }

    /// The name under which [`StackState::recorded_with_digest`] finds a body.
    pub fn digest_of(body: &[u8]) -> String {
        format!("{:x}", md5::compute(body))
    }
}

impl StackState {
    /// Keeps a request and forgets the oldest of its kind beyond a thousand.
    pub(crate) fn record_request(&self, request: &RecordedRequest) -> Result<(), StackError> {
        let headers = serde_json::to_string(&request.headers)?;
        let body = request.body.get(..BODY_LIMIT).unwrap_or(&request.body);
        let bytes = i64::try_from(request.body_bytes).unwrap_or(i64::MAX);
        let refused = request.is_refused();
        self.with_connection(|sql| {
            sql.prepare_cached(
                "INSERT INTO requests
                 (at, method, path, headers, status, answer, body, bytes, digest, refused)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                request.at,
                request.method,
                request.path,
                headers,
                request.status,
                truncated(&request.answer, ANSWER_LIMIT),
                body,
                bytes,
                request.digest,
                refused,
            ])?;
            sql.prepare_cached(
                "DELETE FROM requests WHERE refused = ?1 AND id <= (SELECT id FROM requests
                 WHERE refused = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![refused, MAX_REQUESTS])
            .map(drop)
        })
    }

    /// The refused ones before this number, the latest first.
    pub fn refused_before(
        &self,
        before: i64,
        limit: u32,
    ) -> Result<Vec<RecordedRequest>, StackError> {
        self.recorded_where(
            "refused = 1 AND id < ?1 ORDER BY id DESC LIMIT ?2",
            params![before, limit],
        )
    }

    /// One of them.
    pub fn recorded_request(&self, id: i64) -> Result<Option<RecordedRequest>, StackError> {
        Ok(self.recorded_where("id = ?1", params![id])?.pop())
    }

    /// The latest with this body that was taken in, or else any.
    pub fn recorded_with_digest(
        &self,
        digest: &str,
    ) -> Result<Option<RecordedRequest>, StackError> {
        let first = "digest = ?1 ORDER BY refused, id LIMIT 1";
        Ok(self.recorded_where(first, params![digest])?.pop())
    }

    /// The answers to the last requests taken in, each with how often it was given.
    pub fn answers(&self) -> Result<Vec<(String, u32)>, StackError> {
        self.with_connection(|sql| {
            sql.prepare_cached(
                "SELECT answer, count(*) FROM requests WHERE refused = 0 GROUP BY answer",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
        })
    }

    /// How many refused ones are kept.
    pub fn refused_count(&self) -> Result<u32, StackError> {
        self.with_connection(|sql| {
            sql.query_row(
                "SELECT count(*) FROM requests WHERE refused = 1",
                [],
                |row| row.get(0),
            )
        })
    }

    fn recorded_where(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<RecordedRequest>, StackError> {
        let statement = format!(
            "SELECT id, at, method, path, headers, status, answer, body, bytes, digest
             FROM requests WHERE {condition}"
        );
        self.with_connection(|sql| {
            sql.prepare_cached(&statement)?
                .query_map(values, read)?
                .collect()
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<RecordedRequest> {
    let headers: String = row.get(4)?;
    Ok(RecordedRequest {
        id: row.get(0)?,
        at: row.get(1)?,
        method: row.get(2)?,
        path: row.get(3)?,
        headers: serde_json::from_str(&headers).unwrap_or_default(),
        status: row.get(5)?,
        answer: row.get(6)?,
        body: row.get(7)?,
        body_bytes: usize::try_from(row.get::<_, i64>(8)?).unwrap_or(0),
        digest: row.get(9)?,
    })
}

/// As many of each kind: more would be a log.
const MAX_REQUESTS: u32 = 1_000;
const BODY_LIMIT: usize = 64 * 1024;
const ANSWER_LIMIT: usize = 2 * 1024;
