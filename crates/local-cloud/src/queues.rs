//! Standard queues as SQS keeps them: at least once, a visibility time-out, dead letters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Notify;

use crate::clock::{StackClock, real_milliseconds};
use crate::error::StackError;
use crate::ids;
use crate::state::StackState;

/// All queues of a stack; clones share them.
#[derive(Clone)]
pub struct Queues {
    state: StackState,
    clock: StackClock,
    queues: Arc<BTreeMap<String, QueueSettings>>,
    /// Nudged when a message arrives, for those who wait for one.
    pub(crate) arrivals: Arc<Notify>,
}

/// The settings of one queue.
#[derive(Clone, Debug, Default)]
pub struct QueueSettings {
    /// How long a received message is hidden, in real time; the default of a receive.
    pub visibility: Duration,
    /// The queue that takes what was received this often and never deleted.
    pub dead_letters: Option<(String, u32)>,
}

/// A message as a receiver gets it.
#[derive(Clone, Debug)]
pub struct QueueMessage {
    /// Its id.
    pub id: String,
    /// What a receiver deletes it by; new with each receive.
    pub receipt: String,
    /// Its text.
    pub body: String,
    /// Message attributes as the SQS API writes them.
    pub attributes: Value,
    /// When it was sent, in milliseconds of the stack's time.
    pub sent_at: i64,
    /// When it was first received, likewise.
    pub first_received_at: i64,
    /// How often it was received, this time included.
    pub receive_count: u32,
}

/// How much a queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Depth {
    /// Ready to be received.
    pub visible: u64,
    /// Received and not deleted yet.
    pub in_flight: u64,
    /// Not due yet.
    pub delayed: u64,
}

/// What a receiver may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReceiveScope {
    /// What is visible.
    Visible,
    /// What is due, even if a failed receive still hides it.
    Due,
}

impl Queues {
    pub(crate) fn new(
        state: StackState,
        clock: StackClock,
        queues: BTreeMap<String, QueueSettings>,
    ) -> Self {
        Self {
            state,
            clock,
            queues: Arc::new(queues),
            arrivals: Arc::new(Notify::new()),
        }
    }

    /// Their names and settings.
    pub fn all(&self) -> impl Iterator<Item = (&str, &QueueSettings)> {
        self.queues
            .iter()
            .map(|(name, queue)| (name.as_str(), queue))
    }

    /// One queue's settings.
    pub fn queue(&self, name: &str) -> Result<&QueueSettings, StackError> {
        self.queues
            .get(name)
            .ok_or_else(|| StackError::UnknownQueue(name.to_owned()))
    }

    /// Keeps a message and answers its id; the delay is by the stack's clock.
    pub fn send(
        &self,
        name: &str,
        body: &str,
        attributes: &Value,
        delay: Duration,
    ) -> Result<String, StackError> {
        self.queue(name)?;
        let id = ids::fresh();
        let sent = self.clock.now().as_millisecond();
        let due = sent.saturating_add(milliseconds(delay));
        let attributes = attributes.to_string();
        self.state.with_connection(|sql| {
            sql.prepare_cached(
                "INSERT INTO messages (message_id, queue, body, attributes, sent_at, due_at,
                 arrived_at, visible_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
            )?
            .execute(params![
                id,
                name,
                body,
                attributes,
                sent,
                due,
                real_milliseconds()
            ])
        })?;
        self.arrivals.notify_waiters();
        Ok(id)
    }

    /// Takes up to `most` messages and hides them; what was taken too often goes to the dead.
    pub(crate) fn receive(
        &self,
        name: &str,
        most: usize,
        visibility: Option<Duration>,
        reach: ReceiveScope,
    ) -> Result<ReceivedMessages, StackError> {
        let queue = self.queue(name)?;
        let now = self.moment(reach);
        let hidden = milliseconds(visibility.unwrap_or(queue.visibility));
        let until = now.real.saturating_add(hidden);
        self.state.with_connection(|sql| {
            let work = sql.unchecked_transaction()?;
            let dead = match &queue.dead_letters {
                Some((dead, most)) => move_to_dead_letters(&work, name, dead, *most, &now)?,
                None => 0,
            };
            let rows = ready_messages(&work, name, most, &now)?;
            let mut messages = Vec::with_capacity(rows.len());
            for (row, mut message) in rows {
                message.receipt = ids::fresh();
                message.receive_count = message.receive_count.saturating_add(1);
                work.prepare_cached(
                    "UPDATE messages SET receipt = ?2, visible_at = ?3, receive_count = ?4,
                     first_received_at = coalesce(first_received_at, ?5) WHERE id = ?1",
                )?
                .execute(params![
                    row,
                    message.receipt,
                    until,
                    message.receive_count,
                    now.stack
                ])?;
                messages.push(message);
            }
            work.commit()?;
            Ok(ReceivedMessages { messages, dead })
        })
    }

    /// Forgets a message by its latest receipt; an old receipt is no error and deletes nothing.
    pub fn delete(&self, name: &str, receipt: &str) -> Result<(), StackError> {
        self.queue(name)?;
        self.state.with_connection(|sql| {
            sql.prepare_cached("DELETE FROM messages WHERE queue = ?1 AND receipt = ?2")?
                .execute([name, receipt])
                .map(drop)
        })
    }

    /// Hides a received message for this long from now.
    pub fn change_visibility(
        &self,
        name: &str,
        receipt: &str,
        time: Duration,
    ) -> Result<(), StackError> {
        self.queue(name)?;
        let until = real_milliseconds().saturating_add(milliseconds(time));
        self.state.with_connection(|sql| {
            sql.prepare_cached(
                "UPDATE messages SET visible_at = ?3 WHERE queue = ?1 AND receipt = ?2",
            )?
            .execute(params![name, receipt, until])
            .map(drop)
        })
    }

    /// How much a queue holds.
    pub fn depth(&self, name: &str) -> Result<Depth, StackError> {
        self.queue(name)?;
        let now = self.moment(ReceiveScope::Visible);
        self.state.with_connection(|sql| {
            sql.prepare_cached(
                "SELECT count(*) FILTER (WHERE due_at <= ?2 AND visible_at <= ?3),
                        count(*) FILTER (WHERE due_at <= ?2 AND visible_at > ?3),
                        count(*) FILTER (WHERE due_at > ?2)
                 FROM messages WHERE queue = ?1",
            )?
            .query_row(params![name, now.stack, now.real], |row| {
                let count = |at| row.get(at).map(|n: i64| u64::try_from(n).unwrap_or(0));
                Ok(Depth {
                    visible: count(0)?,
                    in_flight: count(1)?,
                    delayed: count(2)?,
                })
            })
        })
    }

    /// How many messages are ready, up to `most`, and for how long the first has been.
    pub(crate) fn waiting(
        &self,
        name: &str,
        most: usize,
    ) -> Result<Option<(usize, Duration)>, StackError> {
        let now = self.moment(ReceiveScope::Visible);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let (count, since): (i64, Option<i64>) = self.state.with_connection(|sql| {
            sql.prepare_cached(
                "SELECT count(*), min(since) FROM (
                   SELECT max(arrived_at, visible_at) AS since FROM messages
                   WHERE queue = ?1 AND due_at <= ?2 AND visible_at <= ?3 ORDER BY id LIMIT ?4)",
            )?
            .query_row(params![name, now.stack, now.real, most], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
        })?;
        Ok(since.map(|since| {
            let waited = u64::try_from(now.real.saturating_sub(since)).unwrap_or(0);
            (
                usize::try_from(count).unwrap_or(0),
                Duration::from_millis(waited),
            )
        }))
    }

    /// Sends all dead letters of this queue back to where they came from; answers how many.
    pub fn redrive(&self, dead: &str) -> Result<usize, StackError> {
        self.queue(dead)?;
        let moved = self.state.with_connection(|sql| {
            sql.execute(
                "UPDATE messages SET queue = source, source = NULL, receive_count = 0,
                 visible_at = 0, receipt = NULL, arrived_at = ?2
                 WHERE queue = ?1 AND source IS NOT NULL",
                params![dead, real_milliseconds()],
            )
        })?;
        self.arrivals.notify_waiters();
        Ok(moved)
    }

    /// After the stack's clock went back by so many milliseconds: what was sent before waits no
    /// longer than it would have.
    pub(crate) fn clock_went_back(&self, by: i64) -> Result<(), StackError> {
        self.state.with_connection(|sql| {
            sql.execute(
                "UPDATE messages SET due_at = due_at - ?1, sent_at = sent_at - ?1,
                 first_received_at = first_received_at - ?1",
                [by],
            )
            .map(drop)
        })
    }

    /// The body of a queue's oldest message, without receiving it; for people and tests.
    pub fn peek(&self, name: &str) -> Result<Option<String>, StackError> {
        self.queue(name)?;
        self.state.with_connection(|sql| {
            sql.query_row(
                "SELECT body FROM messages WHERE queue = ?1 ORDER BY id LIMIT 1",
                [name],
                |row| row.get(0),
            )
            .optional()
        })
    }

    fn moment(&self, reach: ReceiveScope) -> QueueTime {
        let real = real_milliseconds();
        let visible = match reach {
            ReceiveScope::Visible => real,
            ReceiveScope::Due => i64::MAX,
        };
        QueueTime {
            stack: self.clock.now().as_millisecond(),
            real,
            visible,
        }
    }
}

/// What a receive brought.
#[derive(Debug, Default)]
pub(crate) struct ReceivedMessages {
    pub(crate) messages: Vec<QueueMessage>,
    /// How many went to the dead-letter queue instead.
    pub(crate) dead: usize,
}

/// Delays are by the stack's clock, so that advancing it ends them; patience is real.
struct QueueTime {
    stack: i64,
    real: i64,
    /// Messages hidden until this real time may be taken.
    visible: i64,
}

fn move_to_dead_letters(
    sql: &Connection,
    name: &str,
    dead: &str,
    most: u32,
    now: &QueueTime,
) -> rusqlite::Result<usize> {
    sql.prepare_cached(
        "UPDATE messages SET queue = ?2, source = ?1, receive_count = 0, visible_at = 0,
         receipt = NULL, arrived_at = ?6
         WHERE queue = ?1 AND receive_count >= ?3 AND visible_at <= ?4 AND due_at <= ?5",
    )?
    .execute(params![name, dead, most, now.visible, now.stack, now.real])
}

fn ready_messages(
    sql: &Connection,
    name: &str,
    most: usize,
    now: &QueueTime,
) -> rusqlite::Result<Vec<(i64, QueueMessage)>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    sql.prepare_cached(
        "SELECT id, message_id, body, attributes, sent_at, first_received_at, receive_count
         FROM messages WHERE queue = ?1 AND visible_at <= ?2 AND due_at <= ?3
         ORDER BY id LIMIT ?4",
    )?
    .query_map(params![name, now.visible, now.stack, most], |row| {
        message(row, now.stack)
    })?
    .collect()
}

fn message(row: &Row<'_>, now: i64) -> rusqlite::Result<(i64, QueueMessage)> {
    let attributes: String = row.get(3)?;
    let message = QueueMessage {
        id: row.get(1)?,
        receipt: String::new(),
        body: row.get(2)?,
        attributes: serde_json::from_str(&attributes).unwrap_or_default(),
        sent_at: row.get(4)?,
        first_received_at: row.get::<_, Option<i64>>(5)?.unwrap_or(now),
        receive_count: row.get(6)?,
    };
    Ok((row.get(0)?, message))
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
