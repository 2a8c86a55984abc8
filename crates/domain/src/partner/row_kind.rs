//! What a row of the commission ledger is for.

use serde::{Deserialize, Serialize};

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// The partner's share of a payment.
    Commission,
    /// Minus the share of what was refunded.
    Refund,
    /// Minus the share of what disputes hold or have taken.
    Dispute,
    /// Minus everything, because the payment no longer counts for this partner; or the opposite,
    /// because it counts again.
    Reversal,
}

impl RowKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Commission,
        Self::Refund,
        Self::Dispute,
        Self::Reversal,
    ];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commission => "commission",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Reversal => "reversal",
        }
    }
}
