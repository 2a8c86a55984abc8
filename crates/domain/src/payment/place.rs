//! Where a payment stands among a customer's payments.

use crate::ids::ObjectId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The place of a payment: by when it was paid, or first seen while it is not paid, then by the
/// first of its ids. No two payments have one place, since no two have an id in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentPlace {
    /// When it was paid, or first seen.
    pub at: Timestamp,
    /// The first of its ids.
    pub id: ObjectId,
}
