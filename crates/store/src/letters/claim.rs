//! A letter's row: its whole life from due to a final state, one conditional write a step.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::Key;
use crate::letters::row::{LEASE, LetterRow, LetterState, SendTask};
use crate::port::{Table, TransactWrite, WriteCondition};
use domain::letter::plan::DueLetter;
use domain::letter::plan::plan;
use domain::record::Record;
use jiff::Timestamp;
use std::sync::Arc;

/// What a claim came to.
#[derive(Clone, Debug)]
pub enum ClaimOutcome {
    /// Ours: send it, then say what came of it.
    Claimed {
        /// The row as claimed.
        row: Arc<LetterRow>,
        /// The record it was planned on.
        record: Arc<Record>,
    },
    /// Nothing to send: it is in a final state, or just became so.
    Done(LetterState),
    /// Somebody else is on it, or kept getting in between: come back later.
    Busy,
}

/// Attempts at a claim whose record or row keeps changing.
const ATTEMPTS: u32 = 4;

/// Claims a letter for sending. Record and row are read consistently, the plan is made once
/// more on them, and the claim holds only if neither has changed since.
///
/// # Errors
/// When the table does not answer.
pub async fn claim<T: Table>(
    table: &T,
    order: &SendTask,
    owner: &str,
    now: Timestamp,
) -> Result<ClaimOutcome, StoreError> {
    let SendTask {
        customer,
        letter,
        cause,
    } = order;
    let mut tried: Vec<Arc<LetterRow>> = Vec::new();
    for _ in 0..ATTEMPTS {
        let key = Key::letter(customer, *letter, cause);
        let Some(row): Option<Arc<LetterRow>> = table.get_row(key).await? else {
            let reason = "no such letter is due".into();
            return Ok(ClaimOutcome::Done(LetterState::Withdrawn {
                at: now,
                reason,
            }));
        };
        match check_claim(table, &row, &tried, now).await? {
            ClaimCheck::Free => {}
            ClaimCheck::Resolved(claim) => return Ok(claim),
            ClaimCheck::Changed => continue,
        }
        let record: Option<Arc<Record>> = table.get_row(Key::record(customer)).await?;
        let Some(record) = record else {
            return Ok(ClaimOutcome::Busy);
        };
        if let Some(reason) = no_longer_due(&record, &row, now) {
            let withdrawn = LetterState::Withdrawn {
                at: now,
                reason: reason.into(),
            };
            if transition(table, &row, withdrawn.clone()).await? {
                return Ok(ClaimOutcome::Done(withdrawn));
            }
            continue;
        }
        let claimed = LetterState::Claimed {
            owner: owner.into(),
            claimed_at: now,
        };
        let claimed = Arc::new(row.with_state(claimed));
        let writes = vec![
            TransactWrite::Put(
                Item::Letter(claimed.clone()),
                WriteCondition::Version(row.version),
            ),
            TransactWrite::Check(
                Key::record(customer),
                WriteCondition::Version(record.version),
            ),
        ];
        tried.push(claimed.clone());
        match table.transact(writes).await {
            Ok(true) => {
                return Ok(ClaimOutcome::Claimed {
                    row: claimed,
                    record,
                });
            }
            // Lost, or lost from sight: the next look tells which.
            Ok(false) | Err(StoreError::NoAnswer(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ClaimOutcome::Busy)
}

/// Moves a letter on from the state in which it was read. `false`: it has changed since.
///
/// # Errors
/// When the table does not answer.
pub async fn transition<T: Table>(
    table: &T,
    row: &LetterRow,
    state: LetterState,
) -> Result<bool, StoreError> {
    let next = Arc::new(row.with_state(state));
    table.replace(next, row.version).await
}

/// Who has a letter before anybody claims it anew.
enum ClaimCheck {
    /// Nobody.
    Free,
    /// There is nothing to claim.
    Resolved(ClaimOutcome),
    /// Somebody else moved it on meanwhile.
    Changed,
}

async fn check_claim<T: Table>(
    table: &T,
    row: &Arc<LetterRow>,
    tried: &[Arc<LetterRow>],
    now: Timestamp,
) -> Result<ClaimCheck, StoreError> {
    match &row.state {
        LetterState::Due => Ok(ClaimCheck::Free),
        LetterState::Claimed { .. } if tried.contains(row) => {
            // This very call's claim whose answer was lost; nothing was sent under it. The
            // owner's name alone proves nothing: a queue may deliver one message twice under
            // one count.
            let record: Option<Arc<Record>> = table.get_row(Key::record(&row.customer)).await?;
            Ok(ClaimCheck::Resolved(match record {
                Some(record) => ClaimOutcome::Claimed {
                    row: row.clone(),
                    record,
                },
                None => ClaimOutcome::Busy,
            }))
        }
        LetterState::Claimed { claimed_at, .. } => {
            if now.duration_since(*claimed_at) < LEASE {
                return Ok(ClaimCheck::Resolved(ClaimOutcome::Busy));
            }
            // Its owner is gone and may have sent it: never again.
            let unknown = LetterState::Unknown { at: now };
            Ok(if transition(table, row, unknown.clone()).await? {
                ClaimCheck::Resolved(ClaimOutcome::Done(unknown))
            } else {
                ClaimCheck::Changed
            })
        }
        state @ (LetterState::Sent { .. }
        | LetterState::Withdrawn { .. }
        | LetterState::Failed { .. }
        | LetterState::Unknown { .. }) => {
            Ok(ClaimCheck::Resolved(ClaimOutcome::Done(state.clone())))
        }
    }
}

fn no_longer_due(record: &Record, row: &LetterRow, now: Timestamp) -> Option<&'static str> {
    let due = DueLetter {
        letter: row.letter,
        cause: row.cause.clone(),
        caused_at: row.caused_at,
    };
    if !due.is_timely(now) {
        return Some("its window closed before it could be sent");
    }
    let planned = plan(&record.folded.state, now);
    let still = planned.due.iter().any(|planned| planned.is_same(&due));
    (!still).then_some("its reason is gone: the record no longer asks for it")
}
