//! When a customer of a person first paid, as the table keeps it.

use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
use domain::ids::{CustomerKey, Reference};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// When a customer first paid, under one of its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstPaymentRow {
    /// The name.
    pub reference: Reference,
    /// The customer.
    pub customer: CustomerKey,
    /// When it first paid; none when that money did not arrive after all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// When this was decided: what was decided later stands.
    pub decided_at: Timestamp,
    /// Counts writes.
    pub version: u64,
}

impl StoredItem for FirstPaymentRow {
    fn type_name(&self) -> &'static str {
        "first_payment"
    }

    fn key(&self) -> Key {
        Key::first_payment(&self.reference, &self.customer)
    }

    fields_by_serde!();

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
