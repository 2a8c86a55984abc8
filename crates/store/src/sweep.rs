//! The sweep: customers whose moment to look again has come are planned for once more.

use crate::folding::{Outcome, look_again};
use crate::items::LOOK_SHARDS;
use crate::port::{StoreError, Table};
use jiff::Timestamp;

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Customers looked at.
    pub looked: u64,
    /// Of these, how many stay due: others kept writing their records, or a bug stopped ours.
    pub left: u64,
    /// Whether nothing is left to a next sweep.
    pub complete: bool,
}

/// Looks again at customers that asked for it by now, the earliest first, at most `most` in each
/// shard. The index only says whom to read: what is due is planned on a consistent read, and a
/// hint that is out of date comes to nothing.
///
/// # Errors
/// When the table does not answer; who was not looked at stays in the index.
pub async fn sweep<T: Table>(table: &T, most: u32, now: Timestamp) -> Result<Swept, StoreError> {
    let mut swept = Swept {
        complete: true,
        ..Swept::default()
    };
    for shard in 0..LOOK_SHARDS {
        let customers = table.due(shard, now, most).await?;
        let full = u32::try_from(customers.len()).is_ok_and(|found| found >= most);
        swept.complete = swept.complete && !full;
        for customer in &customers {
            swept.looked = swept.looked.saturating_add(1);
            match look_again(table, customer, now).await? {
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
