//! The sweep: customers whose moment to look again has come are planned for once more, and rows
//! whose partner is to be told more of them are named.

use crate::folding::{Outcome, look_again};
use crate::items::{Item, Key, customer_of};
use crate::notices::Told;
use crate::port::{StoreError, Table};
use jiff::Timestamp;
use std::sync::Arc;

/// How many shards the index of moments to look again is spread over.
pub const LOOK_SHARDS: u64 = 8;

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Customers looked at.
    pub looked: u64,
    /// Of these, how many stay due: others kept writing their records, or a bug stopped ours.
    pub left: u64,
    /// Rows of which there is more to tell: each to be handed to the notices' queue, and then
    /// [marked as handed over](crate::notices::handed_over).
    pub told: Vec<Arc<Told>>,
    /// Whether nothing is left to a next sweep.
    pub complete: bool,
}

/// Looks again at whoever asked for it by now, the earliest first, at most `most` in each shard.
/// The index only says whom to read: what is due is planned on a consistent read, and a hint that
/// is out of date comes to nothing.
///
/// # Errors
/// When the table does not answer; who was not looked at stays in the index.
pub async fn sweep<T: Table>(table: &T, most: u32, now: Timestamp) -> Result<Swept, StoreError> {
    let mut swept = Swept {
        complete: true,
        ..Swept::default()
    };
    for shard in 0..LOOK_SHARDS {
        let keys = table.due(shard, now, most).await?;
        let full = u32::try_from(keys.len()).is_ok_and(|found| found >= most);
        swept.complete = swept.complete && !full;
        for key in keys {
            let Some(customer) = customer_of(&key.partition) else {
                if let Some(Item::Told(told)) = table.get(key).await?
                    && told.look_at.is_some_and(|look_at| look_at <= now)
                {
                    swept.told.push(told);
                }
                continue;
            };
            swept.looked = swept.looked.saturating_add(1);
            match look_again(table, &customer, now).await? {
                Outcome::Done => {}
                outcome @ (Outcome::Contended | Outcome::Panicked) => {
                    tracing::warn!(what = "sweep", ?outcome, "left to the next sweep");
                    swept.left = swept.left.saturating_add(1);
                }
            }
        }
    }
    Ok(swept)
}

impl Item {
    /// When it asks to be looked at, for items that do: all that the index knows.
    pub fn look_at(&self) -> Option<Timestamp> {
        match self {
            Self::Record(record) => record.look_at,
            Self::Told(told) => told.look_at,
            Self::Entry(..)
            | Self::Alias(..)
            | Self::Parked(..)
            | Self::Letter(_)
            | Self::Partner(_)
            | Self::Commission(_)
            | Self::Payout(_)
            | Self::Bank(_)
            | Self::Transfers(_)
            | Self::Standing(_)
            | Self::Report(..)
            | Self::Endpoint(_)
            | Self::Cursor(_) => None,
        }
    }
}

/// The shard of the index in which an item's moment to look again stands: a customer's or, in a
/// partner's ledger, a row's.
pub fn look_shard(key: &Key) -> u64 {
    let of = match key.partition.strip_prefix("customer#") {
        Some(customer) => customer,
        None => &key.sort,
    };
    of.bytes()
        .fold(0_u64, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(u64::from(byte))
        })
        .checked_rem(LOOK_SHARDS)
        .unwrap_or_default()
}
