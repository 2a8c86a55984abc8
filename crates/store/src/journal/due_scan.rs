//! The sweep: customers whose moment to look again has come are planned for once more, rows
//! whose partner is to be told more of them are named, and what many customers are to get goes on.

pub use crate::items::due_index::{DUE_SHARDS, due_shard};

use crate::error::StoreError;
use crate::items::key::{Key, REFERENCE, customer_of};
use crate::journal::fan_out::FanOutRun;
use crate::journal::folding::{FoldStatus, replan};
use crate::journal::passed_over::PassedOver;
use crate::partner::delivery_row::DeliveryState;
use crate::port::Table;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueScanReport {
    /// Customers looked at.
    pub customers: u64,
    /// Whose work failed; they stay due.
    pub passed_over: PassedOver,
    /// Rows of which there is more to tell: each to be handed to the notices' queue, and then
    /// [marked as handed over](crate::notices::clear_due).
    pub due_notices: Vec<Arc<DeliveryState>>,
    /// Customers to whom an entry was handed that many are to get.
    pub fanned_out: u64,
    /// Whether nothing is left to a next sweep.
    pub complete: bool,
}

/// Looks again at whoever asked for it by now, the earliest first, at most `most` in each shard.
/// The index only says whom to read: what is due is planned on a consistent read, and a hint that
/// is out of date comes to nothing. Whoever's work fails is passed over and stays in the index;
/// those behind them are looked at all the same.
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
    let mut fan_outs = Vec::new();
    for shard in 0..DUE_SHARDS {
        fan_outs.extend(scan_shard(table, shard, most, now, &mut swept).await?);
    }
    // Behind those whose own moment has come.
    fan_out(table, &fan_outs, now, &mut swept).await?;
    Ok(swept)
}

/// Goes on with what many customers are to get, to [`MAX_FANNED_OUT`] of them.
async fn fan_out<T: Table>(
    table: &T,
    fan_outs: &[Key],
    now: Timestamp,
    swept: &mut DueScanReport,
) -> Result<(), StoreError> {
    let mut run = FanOutRun {
        table,
        now,
        left: MAX_FANNED_OUT,
        passed_over: std::mem::take(&mut swept.passed_over),
    };
    for key in fan_outs {
        let gone_on = run.advance(key).await;
        swept.complete &= !matches!(gone_on, Ok(false));
        let gone_on = gone_on.map(|_| FoldStatus::Done);
        run.passed_over.note(&key.partition, gone_on)?;
    }
    swept.fanned_out = u64::from(MAX_FANNED_OUT.saturating_sub(run.left));
    swept.passed_over = run.passed_over;
    Ok(())
}

async fn scan_shard<T: Table>(
    table: &T,
    shard: u64,
    most: u32,
    now: Timestamp,
    swept: &mut DueScanReport,
) -> Result<BTreeSet<Key>, StoreError> {
    let (mut tried, mut fan_outs) = (BTreeSet::new(), BTreeSet::new());
    let mut ask = most;
    for _ in 0..ROUNDS {
        let keys = table.query_due(shard, now, ask).await?;
        let full = u32::try_from(keys.len()).is_ok_and(|found| found >= ask);
        let failed_before = swept.passed_over.count;
        for key in keys {
            if key.partition.starts_with(REFERENCE) {
                fan_outs.insert(key);
            } else if tried.insert(key.clone()) {
                let done = look_at(table, &key, swept, now).await;
                swept.passed_over.note(&key.partition, done)?;
            }
        }
        if !full {
            return Ok(fan_outs);
        }
        let failed = swept.passed_over.count.saturating_sub(failed_before);
        if failed == 0 {
            break;
        }
        // Those who failed stand in front of the others.
        ask = ask.saturating_add(u32::try_from(failed).unwrap_or(u32::MAX));
    }
    swept.complete = false;
    Ok(fan_outs)
}

async fn look_at<T: Table>(
    table: &T,
    key: &Key,
    swept: &mut DueScanReport,
    now: Timestamp,
) -> Result<FoldStatus, StoreError> {
    if let Some(customer) = customer_of(&key.partition) {
        swept.customers = swept.customers.saturating_add(1);
        return replan(table, &customer, now).await;
    }
    let told: Option<Arc<DeliveryState>> = table.get_row(key.clone()).await?;
    let is_due = |told: &Arc<DeliveryState>| told.next_due_at.is_some_and(|at| at <= now);
    swept.due_notices.extend(told.filter(is_due));
    Ok(FoldStatus::Done)
}

/// To so many customers one scan hands what many are to get: some 600 requests where nothing
/// follows from it.
pub const MAX_FANNED_OUT: u32 = 200;

/// So often a shard is asked in one scan, while those who fail stand in front of others.
const ROUNDS: u32 = 4;
