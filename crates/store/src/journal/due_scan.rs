//! The sweep: customers whose moment to look again has come are planned for once more, and rows
//! whose partner is to be told more of them are named.

pub use crate::items::due_index::{DUE_SHARDS, due_shard};

use crate::error::StoreError;
use crate::items::key::customer_of;
use crate::journal::folding::{FoldStatus, replan};
use crate::partner::delivery_row::DeliveryState;
use crate::port::Table;
use jiff::Timestamp;
use std::sync::Arc;

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueScanReport {
    /// Customers looked at.
    pub customers: u64,
    /// Of these, how many stay due: others kept writing their records, or a bug stopped ours.
    pub still_due: u64,
    /// Rows of which there is more to tell: each to be handed to the notices' queue, and then
    /// [marked as handed over](crate::notices::clear_due).
    pub due_notices: Vec<Arc<DeliveryState>>,
    /// Whether nothing is left to a next sweep.
    pub complete: bool,
}

/// Looks again at whoever asked for it by now, the earliest first, at most `most` in each shard.
/// The index only says whom to read: what is due is planned on a consistent read, and a hint that
/// is out of date comes to nothing.
///
/// # Errors
/// When the table does not answer; who was not looked at stays in the index.
pub async fn scan_due<T: Table>(
    table: &T,
    most: u32,
    now: Timestamp,
) -> Result<DueScanReport, StoreError> {
    let mut swept = DueScanReport {
        complete: true,
        ..DueScanReport::default()
    };
    for shard in 0..DUE_SHARDS {
        let keys = table.query_due(shard, now, most).await?;
        let full = u32::try_from(keys.len()).is_ok_and(|found| found >= most);
        swept.complete = swept.complete && !full;
        for key in keys {
            let Some(customer) = customer_of(&key.partition) else {
                let told: Option<Arc<DeliveryState>> = table.get_row(key).await?;
                if let Some(told) = told
                    && told
                        .next_due_at
                        .is_some_and(|next_due_at| next_due_at <= now)
                {
                    swept.due_notices.push(told);
                }
                continue;
            };
            swept.customers = swept.customers.saturating_add(1);
            match replan(table, &customer, now).await? {
                FoldStatus::Done => {}
                outcome @ (FoldStatus::Contended | FoldStatus::Panicked) => {
                    tracing::warn!(what = "due_scan", ?outcome, "left to the next sweep");
                    swept.still_due = swept.still_due.saturating_add(1);
                }
            }
        }
    }
    Ok(swept)
}
