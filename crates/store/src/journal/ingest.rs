//! One request's entries: made durable, then folded.

pub use crate::journal::append::{AppendOutcome, MAX_AT_ONCE, append_or_park, retry_parked};

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
/// When an entry may not be durable: the sender must try again. When one is
/// [`StoreError::TooLarge`], which no trying again mends: the others are durable and folded.
pub async fn ingest_entries<T: Table>(
    table: &T,
    entries: &[Arc<Entry>],
    now: Timestamp,
) -> Result<Vec<AppendOutcome>, StoreError> {
    let mut verdicts = Vec::with_capacity(entries.len());
    let mut touched: BTreeMap<CustomerKey, Vec<Arc<Entry>>> = BTreeMap::new();
    let mut too_large = None;
    for entry in entries {
        let (verdict, customers) = match append_or_park(table, entry).await {
            Ok(taken) => taken,
            Err(error @ StoreError::TooLarge { .. }) => {
                too_large = too_large.or(Some(error));
                continue;
            }
            Err(error) => return Err(error),
        };
        verdicts.push(verdict);
        for customer in customers {
            touched.entry(customer).or_default().push(entry.clone());
        }
    }
    for (customer, new) in touched {
        fold_or_leave(table, &customer, new, now).await;
    }
    too_large.map_or(Ok(verdicts), Err)
}
