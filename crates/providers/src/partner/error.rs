//! Why a partner's report is not accepted.

use crate::verification_error::VerificationError;
use std::sync::Arc;

/// Why a partner's report is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// It could not be verified.
    #[error(transparent)]
    Refused(#[from] VerificationError),
    /// It is the partner's, but can't be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableReport),
}

impl ReportError {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused(refused) => refused.status(),
            Self::Unreadable(unreadable) => unreadable.status(),
        }
    }
}

/// An error that the partner can correct. It is in the response, and is not journaled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableReport {
    /// The body is not JSON that every parser reads alike.
    #[error("{0}; send one JSON object, encoded as UTF-8")]
    Body(String),
    /// The query can be read in more than one way.
    #[error("the query {what}; send every name once, percent-encoded as UTF-8")]
    Query {
        /// What is wrong.
        what: &'static str,
    },
    /// A field that is missing or not what it should be.
    #[error("`{field}` {what}; correct it and send the report again under the same id")]
    Field {
        /// Its name.
        field: String,
        /// What is wrong.
        what: &'static str,
    },
}

impl UnreadableReport {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Body(_) | Self::Query { .. } => 400,
            Self::Field { .. } => 422,
        }
    }
}

pub(super) fn check(name: &str, text: &str) -> Result<Arc<str>, UnreadableReport> {
    if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(field(name, "is not 1 to 254 bytes of plain text"));
    }
    Ok(text.into())
}

pub(super) fn field(name: &str, what: &'static str) -> UnreadableReport {
    UnreadableReport::Field {
        field: name.to_owned(),
        what,
    }
}

pub(super) const MAX_TEXT: usize = 254;
