//! Which root a stage's keys are made from: a row for each purpose, written when the first key is
//! given out. So a command that has another stage's root in its hand gives out nothing.

pub use crate::shop::root_row::RootRow;

use crate::error::StoreError;
use crate::items::key::Key;
use crate::port::{InsertOutcome, Table};
use domain::root_fingerprint::RootFingerprint;
use jiff::Timestamp;
use std::sync::Arc;

/// What the table says of a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootCheck {
    /// It is the stage's.
    Same,
    /// No key of this purpose was given out yet.
    Unknown,
    /// The stage's keys are made from another one.
    Other(Arc<RootRow>),
}

/// Compares a root with what the table knows.
///
/// # Errors
/// When the table does not answer.
pub async fn check_root<T: Table>(
    table: &T,
    purpose: &str,
    fingerprint: &RootFingerprint,
) -> Result<RootCheck, StoreError> {
    let row: Option<Arc<RootRow>> = table.get_row(Key::root(purpose)).await?;
    Ok(match row {
        None => RootCheck::Unknown,
        Some(row) if row.fingerprint == *fingerprint => RootCheck::Same,
        Some(row) => RootCheck::Other(row),
    })
}

/// Compares a root with what the table knows, and has the table know it where it knows none.
///
/// # Errors
/// When the table does not answer, or holds something else there.
pub async fn claim_root<T: Table>(
    table: &T,
    purpose: &str,
    fingerprint: &RootFingerprint,
    now: Timestamp,
) -> Result<RootCheck, StoreError> {
    let known = check_root(table, purpose, fingerprint).await?;
    if known != RootCheck::Unknown {
        return Ok(known);
    }
    let first = Arc::new(row(purpose, fingerprint, 1, now));
    Ok(match table.insert(first).await? {
        InsertOutcome::Inserted => RootCheck::Same,
        InsertOutcome::Present(Some(row)) if row.fingerprint == *fingerprint => RootCheck::Same,
        InsertOutcome::Present(Some(row)) => RootCheck::Other(row),
        InsertOutcome::Present(None) => return Err(StoreError::Contended),
    })
}

/// Has the table know another root in place of the one it knew: a root was replaced on purpose.
/// `false`: somebody else changed it meanwhile.
///
/// # Errors
/// When the table does not answer.
pub async fn replace_root<T: Table>(
    table: &T,
    known: &RootRow,
    fingerprint: &RootFingerprint,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let version = known.version.saturating_add(1);
    let next = row(&known.purpose, fingerprint, version, now);
    table.replace(Arc::new(next), known.version).await
}

fn row(purpose: &str, fingerprint: &RootFingerprint, version: u64, since: Timestamp) -> RootRow {
    RootRow {
        purpose: purpose.into(),
        version,
        fingerprint: fingerprint.clone(),
        since,
    }
}
