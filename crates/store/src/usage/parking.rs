//! Usage of somebody who is not known yet: parked under the reference by which it was told, and
//! handed over when that leads to a customer. Put first, look afterwards: whoever sets the alias
//! does the same, so one of the two sees the other.

use crate::error::StoreError;
use crate::items::stored_item::StoredItem as _;
use crate::journal::append::resolve_references;
use crate::port::{InsertOutcome, Table};
use crate::usage::parked_usage::ParkedUsage;
use crate::usage::recording::record_usage;
use domain::ids::{CustomerKey, MeterName, Reference};
use domain::usage::meter_event::EventHash;
use domain::usage::page::{PageEntry, UsagePage};
use std::sync::Arc;

/// Parks usage under a reference that leads to nobody, and decides whose it is if it leads on by
/// now: the stream hands it over then.
///
/// # Errors
/// When it may not be durable.
pub async fn park_usage<T: Table>(
    table: &T,
    reference: &Reference,
    meter: &MeterName,
    events: &[(EventHash, PageEntry)],
) -> Result<(), StoreError> {
    let mut page = UsagePage::default();
    for (hash, entry) in events {
        page.insert(*hash, *entry);
    }
    let row = Arc::new(ParkedUsage {
        reference: reference.clone(),
        meter: meter.clone(),
        page,
        owner: None,
        version: 1,
    });
    let row = match table.insert(row.clone()).await? {
        InsertOutcome::Inserted => row,
        InsertOutcome::Present(Some(present)) => present,
        InsertOutcome::Present(None) => return Err(StoreError::Contended),
    };
    assign_owner(table, &row).await.map(drop)
}

/// Hands parked usage over, if its reference leads to one customer. Gives whose it is. Anybody may
/// do so, and again: what a customer has already is only repeated.
///
/// # Errors
/// When the table does not answer.
pub async fn hand_over_usage<T: Table>(
    table: &T,
    row: &Arc<ParkedUsage>,
) -> Result<Option<CustomerKey>, StoreError> {
    let assigned = assign_owner(table, row).await?;
    let Some(owner) = assigned.and_then(|assigned| assigned.owner.clone()) else {
        return Ok(None);
    };
    let events: Vec<(EventHash, PageEntry)> = row.page.all().collect();
    record_usage(table, &owner, &row.meter, &events).await?;
    table.delete(row.key()).await?;
    Ok(Some(owner))
}

/// Decides whose parked usage is, if its reference leads to one customer: once and for all, since
/// another may appear under it. Whoever sets an alias does no more, and needs no right to write
/// usage: the stream sees what was decided, and hands it over. None where it is not decided, or was
/// by somebody else just now.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn assign_owner<T: Table>(
    table: &T,
    row: &Arc<ParkedUsage>,
) -> Result<Option<Arc<ParkedUsage>>, StoreError> {
    if row.owner.is_some() {
        return Ok(Some(row.clone()));
    }
    let references = std::slice::from_ref(&row.reference);
    let reached = resolve_references(table, references).await?;
    let [only] = &reached.customers[..] else {
        return Ok(None);
    };
    let assigned = Arc::new(ParkedUsage {
        owner: Some(only.clone()),
        version: row.version.saturating_add(1),
        ..ParkedUsage::clone(row)
    });
    let written = table.replace(assigned.clone(), row.version).await?;
    Ok(written.then_some(assigned))
}
