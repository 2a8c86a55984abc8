//! The mailbox: every mail that was handed to SES, kept before SES answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::clock::StackClock;
use crate::error::StackError;
use crate::ids;
use crate::name_value::NameValue;
use crate::state::StackState;

/// The mailbox of a stack; clones share it.
#[derive(Clone)]
pub struct StackMailbox {
    state: StackState,
    clock: StackClock,
    /// What the next sends come to, the next one first; nothing means accepted.
    faults: Arc<Mutex<VecDeque<MailFault>>>,
}

/// One mail as `GET /mailbox.json` lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedMail {
    /// SES's message id.
    pub id: String,
    /// The stack's time of the send, RFC 3339.
    pub at: String,
    /// The sender as it was given.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// Custom headers, or all of them for a raw mail.
    pub headers: Vec<NameValue>,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// SES message tags.
    pub tags: Vec<NameValue>,
    /// The configuration set.
    pub configuration_set: String,
}

/// What a send can come to, other than being accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailFault {
    /// 429 `TooManyRequestsException`; the mail is not kept.
    Throttled,
    /// 400 `MessageRejected`; the mail is not kept.
    Rejected,
    /// The mail is kept, and the connection closes without an answer.
    AnswerLost,
}

impl StackMailbox {
    pub(crate) fn new(state: StackState, clock: StackClock) -> Self {
        Self {
            state,
            clock,
            faults: Arc::default(),
        }
    }

    /// Lets the next sends come to this.
    pub fn fail_next(&self, times: usize, fault: MailFault) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.extend(std::iter::repeat_n(fault, times));
    }

    /// All mails, the oldest first.
    pub fn mails(&self) -> Result<Vec<CapturedMail>, StackError> {
        let texts: Vec<String> = self.state.with_connection(|sql| {
            sql.prepare_cached("SELECT mail FROM mails ORDER BY id")?
                .query_map([], |row| row.get(0))?
                .collect()
        })?;
        Ok(texts
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect::<Result<_, _>>()?)
    }

    /// Keeps a mail and gives it its id and its time.
    pub(crate) fn keep(&self, mut mail: CapturedMail) -> Result<String, StackError> {
        mail.id = ids::fresh();
        mail.at = self.clock.now().to_string();
        let text = serde_json::to_string(&mail)?;
        self.state.with_connection(|sql| {
            sql.prepare_cached("INSERT INTO mails (message_id, mail) VALUES (?1, ?2)")?
                .execute([&mail.id, &text])
        })?;
        Ok(mail.id)
    }

    pub(crate) fn next_fault(&self) -> Option<MailFault> {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }
}

impl StackMailbox {
    /// Mails before this number, the latest first, each with its number.
    pub fn before(&self, before: i64, limit: u32) -> Result<Vec<(i64, CapturedMail)>, StackError> {
        let texts: Vec<(i64, String)> = self.state.with_connection(|sql| {
            sql.prepare_cached(
                "SELECT id, mail FROM mails WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
            )?
            .query_map((before, limit), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
        })?;
        texts
            .iter()
            .map(|(number, text)| Ok((*number, serde_json::from_str(text)?)))
            .collect()
    }

    /// The mail of this id.
    pub fn mail(&self, id: &str) -> Result<Option<CapturedMail>, StackError> {
        let texts: Vec<String> = self.state.with_connection(|sql| {
            sql.prepare_cached("SELECT mail FROM mails WHERE message_id = ?1")?
                .query_map([id], |row| row.get(0))?
                .collect()
        })?;
        let mails: Result<Vec<CapturedMail>, _> = texts
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect();
        Ok(mails?.pop())
    }
}
