//! Invoices, payments, refunds and disputes as events show them.

use crate::ids::{ObjectId, PriceId};
use crate::money::{Money, StatedAmount};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum InvoiceState {
    /// The last attempt to collect it failed.
    Failed,
    /// The customer must act, for example confirm the payment at the bank.
    ActionRequired,
    /// The shop gave it up as a loss. It may still be paid.
    Uncollectible,
    /// The shop canceled it.
    Voided,
    /// It is paid.
    Paid,
}

/// An invoice as an event shows it. The record keeps it only if it failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceSnapshot {
    /// The provider's id of the invoice; where a provider has no invoices, that of the
    /// subscription.
    pub id: ObjectId,
    /// The subscription that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
    /// How it stands.
    pub state: InvoiceState,
    /// The amount to be collected.
    pub due: Money,
    /// The number of attempts to collect it.
    #[serde(default)]
    pub attempts: u32,
    /// Whether the provider tries again.
    #[serde(flatten)]
    pub next_attempt: NextAttempt,
    /// What was paid of it in the end, where the event says so. Zero where credit covered it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
}

/// Whether a provider tries again to collect an invoice. Only what it says counts: a date that is
/// not there denies nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "NextAttemptFields", into = "NextAttemptFields")]
pub enum NextAttempt {
    /// The provider does not say.
    #[default]
    Unknown,
    /// The provider says that it does not try again by itself.
    NotPlanned,
    /// It tries again at this time.
    At(Timestamp),
}

impl NextAttempt {
    /// At this time, if there is one; else unknown.
    pub fn at(moment: Option<Timestamp>) -> Self {
        moment.map_or(Self::Unknown, Self::At)
    }

    /// When it tries again, if that is known.
    pub fn time(self) -> Option<Timestamp> {
        match self {
            Self::At(moment) => Some(moment),
            Self::NotPlanned | Self::Unknown => None,
        }
    }
}

/// How [`NextAttempt`] is stored: beside the other fields, since items of before know a date alone.
#[derive(Serialize, Deserialize)]
struct NextAttemptFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    no_next_attempt: bool,
}

impl From<NextAttemptFields> for NextAttempt {
    fn from(stored: NextAttemptFields) -> Self {
        match stored.next_attempt_at {
            Some(moment) => Self::At(moment),
            None if stored.no_next_attempt => Self::NotPlanned,
            None => Self::Unknown,
        }
    }
}

impl From<NextAttempt> for NextAttemptFields {
    fn from(next: NextAttempt) -> Self {
        Self {
            next_attempt_at: next.time(),
            no_next_attempt: next == NextAttempt::NotPlanned,
        }
    }
}

impl InvoiceSnapshot {
    /// Whether it stands for all open invoices of its subscription. A provider without invoices
    /// uses the subscription's id, and such a snapshot settles all of them.
    pub fn covers_whole_subscription(&self) -> bool {
        self.subscription.as_ref() == Some(&self.id)
    }
}

/// The kind of object that says that money arrived. A later variant wins over an earlier one: a
/// payment that several sources state counts once, by the best source.
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

/// A payment that arrived, as one source states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSnapshot {
    /// Every id that names this payment. The first one is the source's own.
    pub ids: Vec<ObjectId>,
    /// The kind of object that states it.
    pub source_kind: SourceKind,
    /// The amount that arrived, tax included. Zero means that the payment this source stated
    /// before did not arrive after all, as happens with direct debits.
    pub paid: Money,
    /// The tax within it, in minor units. `None` when the source does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_minor: Option<i64>,
    /// When the money arrived.
    pub paid_at: Timestamp,
    /// The subscription it pays for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
    /// Whether it may be the same money as another source's that it does not name: an invoice that
    /// does not say which charge paid it, or a charge that does not say whether it pays one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlinked: bool,
    /// What was bought once with it, where the source says: no items of a subscription.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchased: Vec<PurchasedPrice>,
}

/// Something that was bought once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PurchasedPrice {
    /// The provider's id of its price, or the shop's where the provider has none.
    pub price: PriceId,
    /// How many of it.
    pub quantity: u64,
}

/// The state of a refund. A later variant wins over an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// It is on its way.
    Pending,
    /// It went through.
    Succeeded,
    /// It failed or was canceled, so the money stayed with the shop.
    Failed,
}

/// A refund as an event shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundSnapshot {
    /// The provider's id of the refund.
    pub id: ObjectId,
    /// Ids that name the payment.
    pub payment: Vec<ObjectId>,
    /// The refunded amount, tax included.
    #[serde(flatten)]
    pub amount: StatedAmount,
    /// The tax within it, in minor units. `None` when the provider does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_minor: Option<i64>,
    /// Its state.
    pub state: RefundState,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The state of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum DisputeState {
    /// The bank asks a question. No money has moved.
    Inquiry,
    /// The bank's question is answered. No money has moved.
    InquiryClosed,
    /// It is open, and the money is held.
    Open,
    /// It is over, and nobody says how. It holds no money; what was taken is told by itself.
    /// Another dispute of the same payment may follow.
    Closed,
    /// It was decided for the shop.
    Won,
    /// It was decided for the payer.
    Lost,
}

impl DisputeState {
    /// Whether the disputed money is held or lost in this state.
    pub fn holds_money(self) -> bool {
        matches!(self, Self::Open | Self::Lost)
    }

    /// Whether the dispute is decided.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }
}

/// A dispute as an event shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeSnapshot {
    /// The provider's id of the dispute.
    pub id: ObjectId,
    /// Ids that name the payment.
    pub payment: Vec<ObjectId>,
    /// The disputed amount.
    #[serde(flatten)]
    pub amount: StatedAmount,
    /// Its state.
    pub state: DisputeState,
}
