//! What the overview tells as it happens.

use domain::record::Entry;
use serde::Serialize;
use std::sync::Arc;
use store::letters::LetterRow;

/// Something that was written.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ActivityEntry {
    /// Its number, counting up.
    pub(crate) number: u64,
    /// When, RFC 3339.
    pub(crate) at: String,
    /// `event`, `parked` or `letter`.
    pub(crate) kind: &'static str,
    /// The sender's name of the event, or the letter's.
    pub(crate) name: Arc<str>,
    /// Verdict or state.
    pub(crate) verdict: &'static str,
    /// The customer's key, or the reference it waits under.
    pub(crate) subject: Arc<str>,
    /// The event's id, or the letter's cause.
    pub(crate) id: Arc<str>,
}

/// Why a parked entry is parked.
pub(crate) fn parked_verdict(entry: &Entry) -> &'static str {
    if entry.event.is_waiting() {
        "waiting"
    } else if entry.event.is_unclear() {
        "quarantined"
    } else {
        "parked"
    }
}

/// When a letter came to its state.
pub(crate) fn state_changed_at(row: &LetterRow) -> String {
    use store::letters::LetterState as L;
    match &row.state {
        L::Due => row.due_at,
        L::Claimed { claimed_at, .. } => *claimed_at,
        L::Sent { at, .. } | L::Withdrawn { at, .. } | L::Failed { at, .. } | L::Unknown { at } => {
            *at
        }
    }
    .to_string()
}
