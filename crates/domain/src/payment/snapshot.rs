//! Invoices, payments, refunds and disputes as events tell of them.

use crate::ids::ObjectId;
use crate::money::Money;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// The last attempt failed.
    Failed,
    /// The customer must act (confirm with the bank).
    ActionRequired,
    /// Given up as a loss; it may still be paid.
    Uncollectible,
    /// Taken back.
    Voided,
    /// Paid.
    Paid,
}

/// An invoice as an event shows it: kept when it is about failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceSnapshot {
    /// The provider's id of it.
    pub id: ObjectId,
    /// Of which subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
    /// How it stands.
    pub state: InvoiceState,
    /// What is owed.
    pub due: Money,
    /// How often collection was tried.
    #[serde(default)]
    pub attempts: u32,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
}

impl InvoiceSnapshot {
    /// Whether it stands for all that its subscription owes. A provider without invoices has no
    /// id for what is paid at last, and says by the subscription's own that nothing is owed.
    pub fn covers_whole_subscription(&self) -> bool {
        self.subscription.as_ref() == Some(&self.id)
    }
}

/// Which kind of event says that money arrived, the least informative first. One payment that
/// several report counts once, by the most informative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A checkout session.
    Session,
    /// A charge.
    Charge,
    /// A payment intent.
    Intent,
    /// An invoice.
    Invoice,
}

/// Money that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSnapshot {
    /// Every id by which this payment is named.
    pub ids: Vec<ObjectId>,
    /// Who says so.
    pub source_kind: SourceKind,
    /// What arrived, tax included. Nothing: what the source reported before did not arrive
    /// after all, as happens to direct debits.
    pub paid: Money,
    /// Tax within it, minor units, where the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_minor: Option<i64>,
    /// When the money arrived.
    pub paid_at: Timestamp,
    /// For which subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
}

/// How a refund stands; later variants win over earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Under way.
    Pending,
    /// Done.
    Succeeded,
    /// It did not go through or was taken back: the money stayed.
    Failed,
}

/// One refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundSnapshot {
    /// The provider's id of it.
    pub id: ObjectId,
    /// Ids that name the payment.
    pub payment: Vec<ObjectId>,
    /// How much, minor units.
    pub minor: i64,
    /// How it stands.
    pub state: RefundState,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The bank asks; no money has moved.
    Inquiry,
    /// The bank asked and is satisfied.
    InquiryClosed,
    /// Open: the money is held.
    Open,
    /// Decided for the shop.
    Won,
    /// Decided for the payer.
    Lost,
}

impl DisputeState {
    /// Whether the disputed money is away.
    pub fn holds_money(self) -> bool {
        matches!(self, Self::Open | Self::Lost)
    }

    /// Whether it is decided.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }
}

/// One dispute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeSnapshot {
    /// The provider's id of it.
    pub id: ObjectId,
    /// Ids that name the payment.
    pub payment: Vec<ObjectId>,
    /// How much, minor units.
    pub minor: i64,
    /// How it stands.
    pub state: DisputeState,
}
