//! From journal to record: read, fold, write if nobody was faster, then put what follows.

pub use crate::journal::journal_reads::{read_journal, read_record};

use crate::error::StoreError;
use crate::journal::checkpoint::{self, fold_after_checkpoint};
use crate::journal::closed_index;
use crate::journal::effects::{EntriesOfOthers, Heard, earliest, put_effect, write};
use crate::journal::journal_reads::restore_ledger;
use crate::port::Table;
use domain::ids::CustomerKey;
use domain::record::checkpoint::MAX_RECENT;
use domain::record::closed_objects::LONG_JOURNAL;
use domain::record::{AdvanceOutcome, Entry, Record};
use jiff::Timestamp;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

/// How often a fold that lost its race begins again before it leaves the rest to the stream.
const ATTEMPTS: u32 = 5;

/// How often in a row what was parked may bring more of itself along.
const ROUNDS: u32 = 8;

/// What a fold came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldStatus {
    /// The record says what the journal says, and what follows has been put.
    Done,
    /// Others kept writing the record; they, the stream or the audit finish it.
    Contended,
    /// The pure core panicked on this customer's events: a bug, to be reported.
    Panicked,
}

/// Folds entries, just appended, into their customer's record. With none given it reads the
/// whole journal.
///
/// # Errors
/// When the table does not answer; what has been done stays done and may be done again.
pub async fn fold<T: Table>(
    table: &T,
    customer: &CustomerKey,
    new: Vec<Arc<Entry>>,
    now: Timestamp,
) -> Result<FoldStatus, StoreError> {
    fold_and_hear(table, customer, Heard { new, asks: false }, now).await
}

/// Folds what was heard, and what that brings along.
async fn fold_and_hear<T: Table>(
    table: &T,
    customer: &CustomerKey,
    heard: Heard,
    now: Timestamp,
) -> Result<FoldStatus, StoreError> {
    let mut heard = heard;
    let mut others = EntriesOfOthers::new();
    for _ in 0..ROUNDS {
        let (record, journal) = match fold_once(table, customer, &heard, now).await? {
            FoldAttempt::Current(record, journal) => (record, journal),
            FoldAttempt::Stopped(outcome) => return Ok(outcome),
        };
        let put = put_effects(table, record, &journal, now, &mut others).await?;
        if put.is_all() {
            return fold_others(table, others, now).await;
        }
        // Where nothing was brought, the whole journal says what remains.
        heard = put.heard;
    }
    Ok(FoldStatus::Contended)
}

/// Folds those to whom a fold has brought something: a guest, or whom a guest turned out to be.
async fn fold_others<T: Table>(
    table: &T,
    others: EntriesOfOthers,
    now: Timestamp,
) -> Result<FoldStatus, StoreError> {
    let mut status = FoldStatus::Done;
    for (customer, new) in others {
        let folded = fold_boxed(table, &customer, new, now).await?;
        if folded != FoldStatus::Done {
            status = folded;
        }
    }
    Ok(status)
}

/// [`fold`] within a fold.
fn fold_boxed<'a, T: Table>(
    table: &'a T,
    customer: &'a CustomerKey,
    new: Vec<Arc<Entry>>,
    now: Timestamp,
) -> Pin<Box<dyn Future<Output = Result<FoldStatus, StoreError>> + Send + 'a>> {
    Box::pin(fold(table, customer, new, now))
}

/// Lets another customer of a person hear when the person first paid.
fn tell<'a, T: Table>(
    table: &'a T,
    customer: &'a CustomerKey,
    now: Timestamp,
) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>> {
    Box::pin(async move {
        let Some(record) = read_record(table, customer).await? else {
            return Ok(());
        };
        if earliest(table, &record).await? == record.person_payments.earliest {
            return Ok(());
        }
        let heard = Heard {
            new: Vec::new(),
            asks: true,
        };
        match fold_and_hear(table, customer, heard, now).await? {
            FoldStatus::Done | FoldStatus::Panicked => Ok(()),
            FoldStatus::Contended => Err(StoreError::Contended),
        }
    })
}

/// Folds, and swallows what goes wrong: for callers whose entries are durable already.
pub async fn fold_or_leave<T: Table>(
    table: &T,
    customer: &CustomerKey,
    new: Vec<Arc<Entry>>,
    now: Timestamp,
) {
    match fold(table, customer, new, now).await {
        Ok(FoldStatus::Done) => {}
        Ok(outcome) => tracing::warn!(?outcome, "fold left to the stream"),
        Err(error) => tracing::warn!(%error, "fold left to the stream"),
    }
}

/// Puts what a record still owes and clears it; then plans again at this moment.
///
/// # Errors
/// When the table does not answer.
pub async fn replan<T: Table>(
    table: &T,
    customer: &CustomerKey,
    now: Timestamp,
) -> Result<FoldStatus, StoreError> {
    let Some(record) = read_record(table, customer).await? else {
        return Ok(FoldStatus::Done);
    };
    let record = match catch_panic(|| record.replan(now)) {
        None => return Ok(FoldStatus::Panicked),
        Some(None) => record,
        Some(Some(next)) => match write(table, &record, next).await? {
            Some(written) => written,
            None => return Ok(FoldStatus::Contended),
        },
    };
    let mut others = EntriesOfOthers::new();
    let put = put_effects(table, record, &[], now, &mut others).await?;
    let folded = match put.is_all() {
        true => FoldStatus::Done,
        false => fold_and_hear(table, customer, put.heard, now).await?,
    };
    let of_others = fold_others(table, others, now).await?;
    Ok(match folded {
        FoldStatus::Done => of_others,
        FoldStatus::Contended | FoldStatus::Panicked => folded,
    })
}

enum FoldAttempt {
    /// The record as it stands, and the journal it was made from, where that was read.
    Current(Arc<Record>, Vec<Arc<Entry>>),
    Stopped(FoldStatus),
}

async fn fold_once<T: Table>(
    table: &T,
    customer: &CustomerKey,
    Heard { new, asks }: &Heard,
    now: Timestamp,
) -> Result<FoldAttempt, StoreError> {
    for _ in 0..ATTEMPTS {
        let there = read_record(table, customer).await?; // 3
        let record = there.unwrap_or_else(|| Arc::new(Record::new(customer.clone())));
        let (record, is_news) = if *asks {
            // After the record, whose write is refused where somebody wrote what they heard.
            let earliest = earliest(table, &record).await?;
            let is_news = earliest != record.person_payments.earliest;
            (Arc::new(record.with_person_earliest(earliest)), is_news)
        } else {
            (record, false)
        };
        let mut journal = Vec::new();
        let on_top = if is_news {
            Some(AdvanceOutcome::ReadJournal)
        } else {
            fold_on_top(table, &record, new, now).await?
        };
        let next = match on_top {
            None => return Ok(FoldAttempt::Stopped(FoldStatus::Panicked)),
            Some(AdvanceOutcome::AlreadyFolded) => {
                return Ok(FoldAttempt::Current(record, journal));
            }
            Some(AdvanceOutcome::Next(next)) if next.recent.len() <= MAX_RECENT => *next,
            Some(AdvanceOutcome::Next(_) | AdvanceOutcome::ReadJournal) => {
                // What was heard may concern payments before the checkpoint.
                if !is_news
                    && let Some(next) = fold_after_checkpoint(table, &record, new, now).await?
                {
                    let next = index_closed(table, &record, next, new, &journal).await?;
                    match write(table, &record, next).await? {
                        Some(written) => return Ok(FoldAttempt::Current(written, journal)),
                        None => continue,
                    }
                }
                // After the record, so that it holds at least what the record was made of.
                journal = read_journal(table, customer).await?;
                let record = restore_ledger(table, &record, &journal).await?;
                match catch_panic(|| record.rebuild(&journal, new, now)) {
                    None => return Ok(FoldAttempt::Stopped(FoldStatus::Panicked)),
                    Some(None) if is_news => record.rewritten(),
                    Some(None) => return Ok(FoldAttempt::Current(record, journal)),
                    Some(Some(next)) => next,
                }
            }
        };
        let next = index_closed(table, &record, next, new, &journal).await?;
        if let Some(written) = write(table, &record, next).await? {
            return Ok(FoldAttempt::Current(written, journal));
        }
    }
    Ok(FoldAttempt::Stopped(FoldStatus::Contended))
}

/// 4: new entries on top of the record, or that the whole journal must be read. `None` is a panic.
async fn fold_on_top<T: Table>(
    table: &T,
    record: &Record,
    new: &[Arc<Entry>],
    now: Timestamp,
) -> Result<Option<AdvanceOutcome>, StoreError> {
    if new.is_empty() {
        return Ok(Some(AdvanceOutcome::ReadJournal));
    }
    let outcome = catch_panic(|| record.advance(new, now));
    if !record.closed_index || !matches!(outcome, Some(AdvanceOutcome::ReadJournal)) {
        return Ok(outcome);
    }
    // Of a long journal the index says whether they touch what left the record.
    let on_top = catch_panic(|| record.advance_on_top(new, now));
    if !matches!(on_top, Some(AdvanceOutcome::Next(_))) {
        return Ok(outcome);
    }
    let missing = record.missing_objects(new);
    let touched = closed_index::may_have_left(table, &record.customer, &missing).await?;
    Ok(if touched { outcome } else { on_top })
}

/// A record whose index names all that left it: that of a long journal. The index is written first.
async fn index_closed<T: Table>(
    table: &T,
    from: &Record,
    mut next: Record,
    new: &[Arc<Entry>],
    journal: &[Arc<Entry>],
) -> Result<Record, StoreError> {
    if next.folded.count < LONG_JOURNAL {
        return Ok(next);
    }
    let length = |entries: &[Arc<Entry>]| u64::try_from(entries.len()).unwrap_or(u64::MAX);
    let only_new = next.folded.count <= from.folded.count.saturating_add(length(new));
    let left = if from.closed_index && only_new {
        next.objects_left(from, new)
    } else if length(journal) == next.folded.count {
        next.closed_index = true;
        next.objects_left(from, journal)
    } else {
        return Ok(next);
    };
    closed_index::add(table, &next.customer, &left).await?;
    if length(journal) == next.folded.count {
        checkpoint::keep(table, &mut next, journal).await?;
    }
    Ok(next)
}

/// What came of a record's effects.
struct PutEffects {
    /// What is to be folded next: entries that were parked and are now in this customer's journal,
    /// and when the person first paid.
    heard: Heard,
    /// Whether effects remain that only a fold of the whole journal can name.
    remains: bool,
}

impl PutEffects {
    fn is_all(&self) -> bool {
        self.heard.is_empty() && !self.remains
    }
}

/// 6 and 7: puts what the record as written says is owed, then clears it; page after page, where
/// the journal it was made from is at hand.
async fn put_effects<T: Table>(
    table: &T,
    mut record: Arc<Record>,
    journal: &[Arc<Entry>],
    now: Timestamp,
    others: &mut EntriesOfOthers,
) -> Result<PutEffects, StoreError> {
    let mut heard = Heard::default();
    while !record.pending.is_empty() {
        for effect in &record.pending {
            let concerned = put_effect(table, &record, effect, now, &mut heard, others).await?;
            for customer in &concerned {
                tell(table, customer, now).await?;
            }
        }
        if heard.asks {
            // What was announced stays pending until the record has what was heard.
            break;
        }
        // Losing this race is harmless: whoever won sees the same effects and puts them again.
        let Some(next) = write(table, &record, record.cleared_with_next(journal)).await? else {
            let remains = false;
            return Ok(PutEffects { heard, remains });
        };
        record = next;
    }
    let remains = record.remainder.is_some();
    Ok(PutEffects { heard, remains })
}

/// A bug in the pure core stops one customer, never a batch.
fn catch_panic<R>(fold: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(fold)).ok()
}
