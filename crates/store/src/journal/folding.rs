//! From journal to record: read, fold, write if nobody was faster, then put what follows.

use crate::error::StoreError;
use crate::items::item::TableRow;
use crate::items::key::{
    JOURNAL, Key, customer_partition, customer_referral_statuses, ledger_partition,
};
use crate::journal::append::unpark;
use crate::journal::rows::{Alias, JournalEntry};
use crate::letters::row::LetterRow;
use crate::partner::ledger::customer_ledger;
use crate::port::Table;
use domain::ids::CustomerKey;
use domain::partner::ledger::CommissionRow;
use domain::partner::referral_status::ReferralStatusRow;
use domain::record::journal::partners_of;
use domain::record::journal::referrals_of;
use domain::record::raw_item::RawItem;
use domain::record::{AdvanceOutcome, Effect, Entry, Record};
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
    let mut new = new;
    for _ in 0..ROUNDS {
        let record = match fold_once(table, customer, &new, now).await? {
            FoldAttempt::Current(record) => record,
            FoldAttempt::Stopped(outcome) => return Ok(outcome),
        };
        let brought = put_effects(table, &record, now).await?;
        if brought.is_empty() {
            return Ok(FoldStatus::Done);
        }
        new = brought;
    }
    Ok(FoldStatus::Contended)
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
    let brought = put_effects(table, &record, now).await?;
    if brought.is_empty() {
        Ok(FoldStatus::Done)
    } else {
        fold(table, customer, brought, now).await
    }
}

/// A customer's record as it stands.
///
/// # Errors
/// When the table does not answer.
pub async fn read_record<T: Table>(
    table: &T,
    customer: &CustomerKey,
) -> Result<Option<Arc<Record>>, StoreError> {
    table.get_row(Key::record(customer)).await
}

/// A customer's whole journal, as the fold reads it: without wire items and receipts, where no one
/// else holds the entry. They are the most of it, and a long journal must fit into a function.
///
/// # Errors
/// When the table does not answer.
pub async fn read_journal<T: Table>(
    table: &T,
    customer: &CustomerKey,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let partition = customer_partition(customer);
    let (mut journal, mut after) = (Vec::new(), None);
    loop {
        let page = table.query(&partition, JOURNAL, after).await?;
        for JournalEntry { mut entry, .. } in page.items.into_iter().filter_map(TableRow::from_item)
        {
            if let Some(entry) = Arc::get_mut(&mut entry) {
                entry.raw = RawItem::default();
                entry.receipt = Arc::default();
            }
            journal.push(entry);
        }
        after = page.next;
        if after.is_none() {
            return Ok(journal);
        }
    }
}

enum FoldAttempt {
    Current(Arc<Record>),
    Stopped(FoldStatus),
}

async fn fold_once<T: Table>(
    table: &T,
    customer: &CustomerKey,
    new: &[Arc<Entry>],
    now: Timestamp,
) -> Result<FoldAttempt, StoreError> {
    for _ in 0..ATTEMPTS {
        let there = read_record(table, customer).await?; // 3
        let record = there.unwrap_or_else(|| Arc::new(Record::new(customer.clone())));
        let guess = if new.is_empty() {
            Some(AdvanceOutcome::ReadJournal)
        } else {
            catch_panic(|| record.advance(new, now))
        };
        let next = match guess {
            None => return Ok(FoldAttempt::Stopped(FoldStatus::Panicked)),
            Some(AdvanceOutcome::AlreadyFolded) => return Ok(FoldAttempt::Current(record)),
            Some(AdvanceOutcome::Next(next)) => *next,
            Some(AdvanceOutcome::ReadJournal) => {
                // After the record, so that it holds at least what the record was made of.
                let journal = read_journal(table, customer).await?;
                let record = restore_ledger(table, &record, &journal).await?;
                match catch_panic(|| record.rebuild(&journal, new, now)) {
                    None => return Ok(FoldAttempt::Stopped(FoldStatus::Panicked)),
                    Some(None) => return Ok(FoldAttempt::Current(record)),
                    Some(Some(next)) => next,
                }
            }
        };
        if let Some(written) = write(table, &record, next).await? {
            return Ok(FoldAttempt::Current(written));
        }
    }
    Ok(FoldAttempt::Stopped(FoldStatus::Contended))
}

/// A record with its ledger as its rows in the table make it. For customers on whom no partner
/// earns there is nothing to read.
async fn restore_ledger<T: Table>(
    table: &T,
    record: &Arc<Record>,
    journal: &[Arc<Entry>],
) -> Result<Arc<Record>, StoreError> {
    let partners = partners_of(journal);
    if partners.is_empty() {
        return Ok(record.clone());
    }
    let mut rows = Vec::new();
    for partner in partners {
        rows.extend(customer_ledger(table, partner, &record.customer).await?);
    }
    let record = Arc::new(record.with_ledger_from_rows(&rows));
    if record.version > 0 {
        return Ok(record);
    }
    // It was lost, or never was: what partners were told stands in their rows alone.
    let mut told = Vec::new();
    for (partner, referral) in referrals_of(journal) {
        let rows = customer_referral_statuses(&referral, &record.customer);
        let rows: Vec<Arc<ReferralStatusRow>> =
            table.query_rows(&ledger_partition(partner), &rows).await?;
        told.extend(rows);
    }
    let told: Vec<ReferralStatusRow> = told.into_iter().map(Arc::unwrap_or_clone).collect();
    Ok(Arc::new(record.with_statuses_from_rows(&told)))
}

/// 5: writes a record if the one it came from still stands. None when it lost.
async fn write<T: Table>(
    table: &T,
    from: &Record,
    next: Record,
) -> Result<Option<Arc<Record>>, StoreError> {
    let next = Arc::new(next);
    let written = table.replace(next.clone(), from.version).await?;
    Ok(written.then_some(next))
}

/// 6 and 7: puts what the record as written says is owed, then clears it. Gives entries that
/// were parked and are now in this customer's journal, to be folded.
async fn put_effects<T: Table>(
    table: &T,
    record: &Arc<Record>,
    now: Timestamp,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let mut brought = Vec::new();
    if record.pending.is_empty() {
        return Ok(brought);
    }
    for effect in &record.pending {
        match effect {
            Effect::Alias(reference) => {
                let alias = Alias {
                    reference: reference.clone(),
                    customer: record.customer.clone(),
                };
                table.insert(alias).await?;
                brought.extend(unpark(table, reference, &record.customer).await?);
            }
            Effect::Letter(decided) => {
                let row = LetterRow::due(record.customer.clone(), decided, now);
                table.insert(Arc::new(row)).await?;
            }
            Effect::Commission(row) => {
                table.insert(Arc::new(CommissionRow::clone(row))).await?;
            }
            Effect::ReferralStatus(row) => {
                table
                    .insert(Arc::new(ReferralStatusRow::clone(row)))
                    .await?;
            }
        }
    }
    // Losing this race is harmless: whoever won sees the same effects and puts them again.
    write(table, record, record.cleared()).await?;
    Ok(brought)
}

/// A bug in the pure core stops one customer, never a batch.
fn catch_panic<R>(fold: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(fold)).ok()
}
