//! Payouts as the table keeps them: one item for each partner and day, the partner's bank
//! account, and what the bank is told.

pub use crate::partner::payout_rows::{BankRow, Transfer, TransferBatch};

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::{Key, PAYOUT, TRANSFERS, ledger_partition, transfers_of};
use crate::partner::ledger::ledger;
use crate::port::{InsertOutcome, PutOutcome, Table, WriteCondition};
use domain::ids::PartnerId;
use domain::partner::bank_account::BankAccount;
use domain::partner::ledger::CommissionRow;
use domain::partner::payout::{Payout, PayoutOutcome, PayoutRefusal, PayoutRequest, decide};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How often a run, or a message to the bank, begins anew when others are faster.
const ATTEMPTS: u32 = 20;

/// Transfers in one message: an item holds them.
const MAX_TRANSFERS: usize = 1_000;

/// All that a partner's statement is made of.
#[derive(Clone, Debug, Default)]
pub struct LedgerSnapshot {
    /// The rows of its ledger.
    pub rows: Vec<CommissionRow>,
    /// What was paid out, the earliest first.
    pub payouts: Vec<Payout>,
}

/// Why a run pays nothing and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayoutError {
    /// The order can't be followed.
    #[error(transparent)]
    Refused(#[from] PayoutRefusal),
    /// The table does not answer: a payout may or may not have been put. Ask for the same day
    /// again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others were faster each time.
    #[error("others change this partner's payouts all the while; ask for the same day again")]
    Contended,
}

/// Reads a partner's ledger. Payouts first: what a payout took is then among the rows.
///
/// # Errors
/// When the table does not answer.
pub async fn read_ledger_snapshot<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<LedgerSnapshot, StoreError> {
    let payouts: Vec<Arc<Payout>> = table.query_rows(&ledger_partition(partner), PAYOUT).await?;
    let payouts = payouts.into_iter().map(Arc::unwrap_or_clone).collect();
    let rows = ledger(table, partner).await?;
    Ok(LedgerSnapshot { rows, payouts })
}

/// What an order would pay; nothing is written.
///
/// # Errors
/// [`PayoutError`].
pub async fn preview_payout<T: Table>(
    table: &T,
    partner: &PartnerId,
    order: &PayoutRequest,
    now: Timestamp,
) -> Result<PayoutOutcome, PayoutError> {
    let LedgerSnapshot { rows, payouts } = read_ledger_snapshot(table, partner).await?;
    Ok(decide(partner, &rows, &payouts, order, now)?)
}

/// Pays: puts the payout under the number after the last one it was decided from. Of two runs
/// at once one is refused, and finds the other's payout when it looks again.
///
/// # Errors
/// [`PayoutError`].
pub async fn run<T: Table>(
    table: &T,
    partner: &PartnerId,
    order: &PayoutRequest,
    now: Timestamp,
) -> Result<PayoutOutcome, PayoutError> {
    for _ in 0..ATTEMPTS {
        let run = preview_payout(table, partner, order, now).await?;
        let PayoutOutcome::Pay(payout, _) = &run else {
            return Ok(run);
        };
        match table.insert(Arc::new(payout.clone())).await? {
            InsertOutcome::Inserted => return Ok(run),
            // Also by our own put, if its answer was lost: the payout stands.
            InsertOutcome::Present(_) => {}
        }
    }
    Err(PayoutError::Contended)
}

/// A partner's account.
///
/// # Errors
/// When the table does not answer.
pub async fn bank<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<Option<Arc<BankRow>>, StoreError> {
    table.get_row(Key::bank(partner)).await
}

/// Says where a partner's money goes from now on. `false` when somebody else said something
/// meanwhile.
///
/// # Errors
/// When the table does not answer.
pub async fn set_bank<T: Table>(
    table: &T,
    partner: &PartnerId,
    account: BankAccount,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let known = bank(table, partner).await?;
    if known.as_ref().is_some_and(|row| row.account == account) {
        return Ok(true);
    }
    let version = known.map_or(0, |row| row.version);
    let next = BankRow {
        partner: partner.clone(),
        version: version.saturating_add(1),
        since: now,
        account,
    };
    let when = match version {
        0 => WriteCondition::Absent,
        version => WriteCondition::Version(version),
    };
    let put = table.put(Item::Bank(Arc::new(next)), when).await?;
    Ok(put == PutOutcome::Done)
}

/// The day's messages to the bank, with these transfers in one of them each. What is in none yet
/// makes a further message, decided before any file is written: so a file can be written again,
/// and no transfer is ever in two.
///
/// # Errors
/// [`PayoutError`].
pub async fn save_transfer_batches<T: Table>(
    table: &T,
    date: Date,
    transfers: &[Transfer],
    now: Timestamp,
) -> Result<Vec<Arc<TransferBatch>>, PayoutError> {
    for _ in 0..ATTEMPTS {
        let told: Vec<Arc<TransferBatch>> =
            table.query_rows(TRANSFERS, &transfers_of(date)).await?;
        let in_one = told.iter().flat_map(|message| &message.transfers);
        let in_one: BTreeSet<_> = in_one.map(Transfer::payout_key).collect();
        let new = transfers
            .iter()
            .filter(|t| !in_one.contains(&t.payout_key()));
        let list: Vec<Transfer> = new.take(MAX_TRANSFERS).cloned().collect();
        if list.is_empty() {
            return Ok(told);
        }
        let message = TransferBatch {
            date,
            n: told.last().map_or(1, |last| last.n.saturating_add(1)),
            at: now,
            transfers: list,
        };
        // Put or refused: the next look says what stands.
        table.insert(Arc::new(message)).await?;
    }
    Err(PayoutError::Contended)
}
