//! A letter's row and its states, and the message that asks for it to be sent.

use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
use domain::ids::CustomerKey;
use domain::letter::Letter;
use domain::letter::plan::DueLetter;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How long a claim may stay without an outcome before the outcome counts as unknown.
pub const LEASE: SignedDuration = SignedDuration::from_mins(15);

/// A letter to one customer for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterRow {
    /// To whom.
    pub customer: CustomerKey,
    /// Which letter.
    pub letter: Letter,
    /// About what.
    pub cause: Arc<str>,
    /// When the cause came to be.
    pub caused_at: Timestamp,
    /// When it was first due.
    pub due_at: Timestamp,
    /// Counts writes.
    pub version: u64,
    /// Where it stands.
    #[serde(flatten)]
    pub state: LetterState,
}

/// Where a letter stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LetterState {
    /// To be sent.
    Due,
    /// Being sent by this owner; nobody else may.
    Claimed {
        /// Whose claim.
        owner: Arc<str>,
        /// Since when.
        claimed_at: Timestamp,
    },
    /// Accepted by the mail service.
    Sent {
        /// When.
        at: Timestamp,
        /// The mail service's id.
        message_id: Arc<str>,
    },
    /// Its reason is gone, or its window closed, before it was sent.
    Withdrawn {
        /// When.
        at: Timestamp,
        /// Why, for people.
        reason: Arc<str>,
    },
    /// The mail service refused it for good.
    Failed {
        /// When.
        at: Timestamp,
        /// Why, for people.
        reason: Arc<str>,
    },
    /// The mail service may or may not have accepted it; it is never sent again.
    Unknown {
        /// When.
        at: Timestamp,
    },
}

impl LetterState {
    /// Whether nothing follows.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Due | Self::Claimed { .. } => false,
            Self::Sent { .. } | Self::Withdrawn { .. } | Self::Failed { .. } => true,
            Self::Unknown { .. } => true,
        }
    }

    /// Its name in the table and in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Claimed { .. } => "claimed",
            Self::Sent { .. } => "sent",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl LetterRow {
    /// A letter that a fold decided.
    pub fn due(customer: CustomerKey, decided: &DueLetter, now: Timestamp) -> Self {
        Self {
            customer,
            letter: decided.letter,
            cause: decided.cause.clone(),
            caused_at: decided.caused_at,
            due_at: now,
            version: 1,
            state: LetterState::Due,
        }
    }

    pub(crate) fn with_state(&self, state: LetterState) -> Self {
        Self {
            version: self.version.saturating_add(1),
            state,
            ..self.clone()
        }
    }
}

/// The message that asks for a letter to be sent: its key and nothing else, so that a message
/// that waited long says nothing stale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendTask {
    /// To whom.
    pub customer: CustomerKey,
    /// Which letter.
    pub letter: Letter,
    /// About what.
    pub cause: Arc<str>,
}

impl SendTask {
    /// The order for a letter.
    pub fn of(row: &LetterRow) -> Self {
        Self {
            customer: row.customer.clone(),
            letter: row.letter,
            cause: row.cause.clone(),
        }
    }

    /// As it travels.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl StoredItem for LetterRow {
    fn type_name(&self) -> &'static str {
        "letter"
    }

    fn key(&self) -> Key {
        Key::letter(&self.customer, self.letter, &self.cause)
    }

    fields_by_serde!();

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
