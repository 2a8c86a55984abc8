//! A long journal is folded from its checkpoint on.

use crate::error::StoreError;
use crate::items::key::Key;
use crate::journal::closed_index;
use crate::journal::rows::JournalEntry;
use crate::port::Table;
use domain::ids::CustomerKey;
use domain::record::checkpoint::{Checkpoint, FoldedTail};
use domain::record::{Entry, Folded, Record};
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The record with new entries in their place among the last ones. `None` where the whole journal
/// must be read.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn fold_after_checkpoint<T: Table>(
    table: &T,
    record: &Record,
    new: &[Arc<Entry>],
    now: Timestamp,
) -> Result<Option<Record>, StoreError> {
    if record.recent.is_empty() || new.is_empty() {
        return Ok(None);
    }
    let key = Key::checkpoint(&record.customer);
    let Some(checkpoint) = table.get_row::<Arc<Checkpoint>>(key).await? else {
        return Ok(None);
    };
    let mut recent = Vec::with_capacity(record.recent.len());
    for id in &record.recent {
        let row: Option<JournalEntry> = table.get_row(Key::entry(&record.customer, id)).await?;
        recent.extend(row.map(|row| row.entry));
    }
    let fold = || record.fold_tail(&checkpoint.folded, &recent, new, now);
    let folded = catch_unwind(AssertUnwindSafe(fold)).ok().flatten();
    let Some(FoldedTail {
        next,
        missing,
        checkpoint: later,
    }) = folded
    else {
        return Ok(None);
    };
    if closed_index::may_have_left(table, &record.customer, &missing).await? {
        return Ok(None);
    }
    if let Some(later) = later {
        write(table, &record.customer, later, checkpoint.version).await?;
    }
    Ok(Some(next))
}

/// Keeps the checkpoint of a journal that was read, and lets the record name what follows it.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn keep<T: Table>(
    table: &T,
    record: &mut Record,
    journal: &[Arc<Entry>],
) -> Result<(), StoreError> {
    let checkpoint = catch_unwind(AssertUnwindSafe(|| Record::checkpoint(journal)));
    let Some((folded, recent)) = checkpoint.ok().flatten() else {
        return Ok(());
    };
    let key = Key::checkpoint(&record.customer);
    let known: Option<Arc<Checkpoint>> = table.get_row(key).await?;
    let version = known.map_or(0, |known| known.version);
    write(table, &record.customer, folded, version).await?;
    record.recent = recent;
    Ok(())
}

/// Losing this race is harmless: whoever reads a checkpoint sees whether it is the record's.
async fn write<T: Table>(
    table: &T,
    customer: &CustomerKey,
    folded: Folded,
    version_read: u64,
) -> Result<(), StoreError> {
    let next = Checkpoint {
        customer: customer.clone(),
        folded,
        version: version_read.saturating_add(1),
    };
    table.replace(Arc::new(next), version_read).await?;
    Ok(())
}
