//! The rows of a partner's ledger.

use crate::error::StoreError;
use crate::items::key::{COMMISSION, customer_rows, ledger_partition};
use crate::port::Table;
use domain::ids::{CustomerKey, PartnerId};
use domain::partner::ledger::CommissionRow;
use std::sync::Arc;

/// All rows of a partner's ledger, in one query of its partition.
///
/// # Errors
/// When the table does not answer.
pub async fn ledger<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<Vec<CommissionRow>, StoreError> {
    rows(table, partner, COMMISSION).await
}

/// The rows of a partner's ledger for one customer.
///
/// # Errors
/// When the table does not answer.
pub async fn customer_ledger<T: Table>(
    table: &T,
    partner: &PartnerId,
    customer: &CustomerKey,
) -> Result<Vec<CommissionRow>, StoreError> {
    rows(table, partner, &customer_rows(customer)).await
}

async fn rows<T: Table>(
    table: &T,
    partner: &PartnerId,
    prefix: &str,
) -> Result<Vec<CommissionRow>, StoreError> {
    let rows: Vec<Arc<CommissionRow>> =
        table.query_rows(&ledger_partition(partner), prefix).await?;
    Ok(rows.into_iter().map(Arc::unwrap_or_clone).collect())
}
