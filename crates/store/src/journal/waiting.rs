//! What waits for a provider's API: parked under a reference that leads to nobody, until
//! somebody has read it again and taken it in.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::{Key, PARKED, reference_partition};
use crate::port::Table;
use domain::ids::{EventId, Reference};
use domain::record::Entry;
use std::sync::Arc;

/// Some of what waits.
#[derive(Debug, Default)]
pub struct WaitingBatch {
    /// In the order of their ids.
    pub entries: Vec<Arc<Entry>>,
    /// The last of them, where others may follow.
    pub last: Option<Key>,
}

/// The first `most` of what waits under this reference, or those behind `after`.
///
/// # Errors
/// When the table does not answer.
pub async fn read_waiting<T: Table>(
    table: &T,
    reference: &Reference,
    mut after: Option<Key>,
    most: usize,
) -> Result<WaitingBatch, StoreError> {
    loop {
        let batch = read_page(table, reference, after, most).await?;
        // A page may be empty although others follow.
        if !batch.entries.is_empty() || batch.last.is_none() {
            return Ok(batch);
        }
        after = batch.last;
    }
}

async fn read_page<T: Table>(
    table: &T,
    reference: &Reference,
    after: Option<Key>,
    most: usize,
) -> Result<WaitingBatch, StoreError> {
    let page = table
        .query(&reference_partition(reference), PARKED, after)
        .await?;
    let mut batch = WaitingBatch::default();
    let mut more = page.next;
    for item in page.items {
        if batch.entries.len() >= most {
            more = batch
                .entries
                .last()
                .map(|last| Key::parked(reference, &last.event.id));
            break;
        }
        if let Item::Parked(_, entry) = item {
            batch.entries.push(entry);
        }
    }
    batch.last = more;
    Ok(batch)
}

/// It waits no more: it was taken in, or turned out to be nothing that we act on. What another
/// delivery of the same event parked meanwhile goes with it.
///
/// # Errors
/// When the table does not answer; it is then read again, which changes nothing.
pub async fn delete_waiting<T: Table>(
    table: &T,
    reference: &Reference,
    id: &EventId,
) -> Result<(), StoreError> {
    table.delete(Key::parked(reference, id)).await
}
