//! Where partners' bank accounts and messages to the bank stand: in a table of their own, which no
//! function has a right to and which has no stream.

use crate::stage::StageArgs;
use domain::ids::PartnerId;
use domain::partner::bank_account::BankAccount;
use jiff::Timestamp;
use jiff::civil::Date;
use std::sync::Arc;
use store::StoreError;
use store::dynamo::DynamoTable;
use store::payouts::{
    BankRow, PayoutError, Transfer, TransferBatch, bank, save_transfer_batches, set_bank,
};

/// That table, and the one where such rows stood before it was made.
pub(super) struct Accounts {
    table: DynamoTable,
    former: DynamoTable,
}

impl Accounts {
    /// Those of a stage. A local stack keeps them with everything else.
    ///
    /// # Errors
    /// As of the stage's table.
    pub(super) async fn of(stage: &StageArgs) -> anyhow::Result<Self> {
        Ok(Self {
            table: stage.accounts_table().await?,
            former: stage.table().await?,
        })
    }

    /// A partner's account.
    pub(super) async fn bank(
        &self,
        partner: &PartnerId,
    ) -> Result<Option<Arc<BankRow>>, StoreError> {
        match bank(&self.table, partner).await? {
            Some(row) => Ok(Some(row)),
            None => bank(&self.former, partner).await,
        }
    }

    /// Says where a partner's money goes from now on. `false` when somebody else just did.
    pub(super) async fn set_bank(
        &self,
        partner: &PartnerId,
        account: BankAccount,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        set_bank(&self.table, partner, account, now).await
    }

    /// The day's messages to the bank, with these transfers in one of them each. A day that has
    /// messages in the former table goes on there: no transfer may be in two.
    pub(super) async fn save_transfer_batches(
        &self,
        date: Date,
        transfers: &[Transfer],
        now: Timestamp,
    ) -> Result<Vec<Arc<TransferBatch>>, PayoutError> {
        let former = save_transfer_batches(&self.former, date, &[], now).await?;
        let table = match former.is_empty() {
            true => &self.table,
            false => &self.former,
        };
        save_transfer_batches(table, date, transfers, now).await
    }
}
