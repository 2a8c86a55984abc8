//! A partner's bank account and messages to the bank, as the table keeps them.

use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
use domain::ids::PartnerId;
use domain::money::Money;
use domain::partner::bank_account::BankAccount;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Where a partner's money goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankRow {
    /// Whose.
    pub partner: PartnerId,
    /// Counts writes.
    pub version: u64,
    /// Since when.
    pub since: Timestamp,
    /// The account.
    #[serde(flatten)]
    pub account: BankAccount,
}

/// A message to the bank: transfers of one day's payouts. Each payout is in one message at most,
/// and a message never changes, so that the bank knows it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferBatch {
    /// The day of the payouts.
    pub date: Date,
    /// Its number among the day's messages, from 1 on.
    pub n: u64,
    /// When it was decided, by our clock.
    pub at: Timestamp,
    /// What is to be transferred.
    pub transfers: Vec<Transfer>,
}

/// Money that goes to a partner's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Whose.
    pub partner: PartnerId,
    /// The number of the payout.
    pub payout: u64,
    /// How much.
    #[serde(flatten)]
    pub amount: Money,
    /// Where to, as it was known then.
    pub account: BankAccount,
}

impl Transfer {
    pub(crate) fn payout_key(&self) -> (&PartnerId, u64) {
        (&self.partner, self.payout)
    }
}

impl StoredItem for BankRow {
    fn type_name(&self) -> &'static str {
        "bank"
    }

    fn key(&self) -> Key {
        Key::bank(&self.partner)
    }

    fields_by_serde!();

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}

impl StoredItem for TransferBatch {
    fn type_name(&self) -> &'static str {
        "transfer_batch"
    }

    fn key(&self) -> Key {
        Key::transfer_batch(self.date, self.n)
    }

    fields_by_serde!();
}
