//! What is kept of a one-off purchase of which the payment left the record.

use crate::ids::ObjectId;
use crate::payment::snapshot::PurchasedPrice;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many of them stay in the record: the latest. What is older than these grants nothing more.
pub const CLOSED_PURCHASES: usize = 24;

/// A purchase of which the payment left the record. It outlives its payment because it may grant
/// something for years. One of which all the money went back is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPurchase {
    /// The payment's id.
    pub payment: ObjectId,
    /// When the money arrived.
    pub paid_at: Timestamp,
    /// What was bought.
    pub purchased: Vec<PurchasedPrice>,
    /// What became of the money.
    #[serde(default, skip_serializing_if = "PaymentStanding::is_kept")]
    pub standing: PaymentStanding,
}

/// What became of a payment after it arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStanding {
    /// The shop has all of it.
    #[default]
    Kept,
    /// A part went back.
    PartlyRefunded,
    /// All of it went back.
    Refunded,
    /// A dispute is open.
    Disputed,
    /// All of it is gone, and a dispute was lost.
    Lost,
}

impl PaymentStanding {
    /// Whether the shop has all of it.
    pub fn is_kept(&self) -> bool {
        *self == Self::Kept
    }

    /// Whether nothing of it is left, for good.
    pub fn is_gone(self) -> bool {
        match self {
            Self::Refunded | Self::Lost => true,
            Self::Kept | Self::PartlyRefunded | Self::Disputed => false,
        }
    }
}
