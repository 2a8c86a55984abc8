//! The sweep: customers whose moment to look again has come are planned for once more, and rows
//! whose partner is to be told more of them are named.

use crate::folding::{FoldStatus, replan};
use crate::items::{Item, Key, customer_of};
use crate::notices::DeliveryState;
use crate::port::{StoreError, Table};
use jiff::Timestamp;
use std::sync::Arc;

/// How many shards the index of moments to look again is spread over.
pub const DUE_SHARDS: u64 = 8;

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueScanReport {
    /// Customers looked at.
    pub customers: u64,
    /// Of these, how many stay due: others kept writing their records, or a bug stopped ours.
    pub still_due: u64,
    /// Rows of which there is more to tell: each to be handed to the notices' queue, and then
    /// [marked as handed over](crate::notices::handed_over).
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
                if let Some(Item::DeliveryState(told)) = table.get(key).await?
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

impl Item {
    /// When it asks to be looked at, for items that do: all that the index knows.
    pub fn next_due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Record(record) => record.next_due_at,
            Self::DeliveryState(told) => told.next_due_at,
            Self::Entry(..)
            | Self::Alias(..)
            | Self::Parked(..)
            | Self::Letter(_)
            | Self::Partner(_)
            | Self::Commission(_)
            | Self::Payout(_)
            | Self::Bank(_)
            | Self::TransferBatch(_)
            | Self::ReferralStatus(_)
            | Self::Report(..)
            | Self::NoticeEndpoint(_)
            | Self::Cursor(_) => None,
        }
    }
}

/// The shard of the index in which an item's moment to look again stands: a customer's or, in a
/// partner's ledger, a row's.
pub fn due_shard(key: &Key) -> u64 {
    let of = match key.partition.strip_prefix("customer#") {
        Some(customer) => customer,
        None => &key.sort,
    };
    of.bytes()
        .fold(0_u64, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(u64::from(byte))
        })
        .checked_rem(DUE_SHARDS)
        .unwrap_or_default()
}
