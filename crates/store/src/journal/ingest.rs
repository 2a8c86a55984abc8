//! One request's entries: made durable, then folded.

pub use crate::journal::append::{AppendOutcome, append_or_park, retry_parked};

use crate::error::StoreError;
use crate::journal::folding::fold_or_leave;
use crate::port::Table;
use domain::ids::CustomerKey;
use domain::record::Entry;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Takes in the entries of one request: each is durable when this returns, and the records they
/// concern have been folded as far as possible; what is left the stream and the audit do.
///
/// # Errors
/// When an entry may not be durable: the sender must try again.
pub async fn ingest_entries<T: Table>(
    table: &T,
    entries: &[Arc<Entry>],
    now: Timestamp,
) -> Result<Vec<AppendOutcome>, StoreError> {
    let mut verdicts = Vec::with_capacity(entries.len());
    let mut touched: BTreeMap<CustomerKey, Vec<Arc<Entry>>> = BTreeMap::new();
    for entry in entries {
        let (verdict, customers) = append_or_park(table, entry).await?;
        verdicts.push(verdict);
        for customer in customers {
            touched.entry(customer).or_default().push(entry.clone());
        }
    }
    for (customer, new) in touched {
        fold_or_leave(table, &customer, new, now).await;
    }
    Ok(verdicts)
}
