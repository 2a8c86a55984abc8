//! A partner's statement as of a moment, from the table.

use domain::ids::PartnerId;
use domain::partner::statement::{Statement, statement};
use jiff::Timestamp;
use store::payouts::LedgerSnapshot;
use store::{StoreError, Table};

/// A partner's statement at a moment.
///
/// # Errors
/// When the table does not answer.
pub async fn read_statement<T: Table>(
    table: &T,
    partner: &PartnerId,
    at: Timestamp,
) -> Result<Statement, StoreError> {
    Ok(statement_as_of(
        store::payouts::read_ledger_snapshot(table, partner).await?,
        at,
    ))
}

/// What was decided and paid by then, as it stood.
pub fn statement_as_of(mut ledger: LedgerSnapshot, at: Timestamp) -> Statement {
    ledger.rows.retain(|row| row.at <= at);
    ledger.payouts.retain(|payout| payout.at <= at);
    statement(&ledger.rows, &ledger.payouts, at)
}
