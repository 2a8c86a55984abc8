//! A payment as the record's JSON shows it.

use crate::ids::ObjectId;
use crate::money::Money;
use crate::payment::amounts::OtherCurrencyPart;
use crate::payment::snapshot::DisputeState;
use crate::payment::unlinked::SettledPayment;
use jiff::Timestamp;
use serde::Serialize;

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PaymentView {
    /// The first there is of its intent, charge, invoice and session id.
    pub id: Option<ObjectId>,
    /// All its ids.
    pub ids: Vec<ObjectId>,
    /// The amount that arrived, tax included.
    #[serde(flatten)]
    pub paid: Money,
    /// The tax within it, in minor units; `null` when it is unknown.
    pub tax_minor: Option<i64>,
    /// What was refunded, in minor units.
    pub refunded_minor: i64,
    /// What disputes hold or have taken, in minor units.
    pub disputed_minor: i64,
    /// When the money arrived.
    pub paid_at: Option<Timestamp>,
    /// The subscription it pays for.
    pub subscription: Option<ObjectId>,
    /// Whether it is an invoice and a charge that may be one payment, and nothing links them yet.
    pub unlinked: bool,
    /// What is told of it in another currency: none of it is in the amounts above.
    pub other_currencies: Vec<OtherCurrencyView>,
    /// Its disputes, also those that hold no money: open, won, lost, or over without an outcome.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<DisputeView>,
}

/// A dispute of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DisputeView {
    /// The provider's id of it.
    pub id: ObjectId,
    /// How it stands.
    pub state: DisputeState,
}

/// An amount of which the currency is not its payment's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct OtherCurrencyView {
    /// `payment`, `refund` or `dispute`.
    pub part: OtherCurrencyPart,
    /// The provider's id of the object that states it.
    pub id: ObjectId,
    /// The amount.
    #[serde(flatten)]
    pub amount: Money,
}

impl PaymentView {
    pub(super) fn new(payment: &SettledPayment<'_>) -> Option<Self> {
        Some(Self {
            id: payment.id().cloned(),
            ids: payment.ids.iter().cloned().collect(),
            paid: payment.paid()?,
            tax_minor: payment.tax_minor(),
            refunded_minor: payment.refunded_minor(),
            disputed_minor: payment.disputed_minor(),
            paid_at: payment.paid_at(),
            subscription: payment.subscription().cloned(),
            unlinked: payment.unlinked,
            other_currencies: payment
                .amounts_in_other_currencies()
                .into_iter()
                .map(|other| OtherCurrencyView {
                    part: other.part,
                    id: other.id.clone(),
                    amount: other.money,
                })
                .collect(),
            disputes: payment
                .disputes
                .iter()
                .map(|(id, dispute)| DisputeView {
                    id: id.clone(),
                    state: dispute.state,
                })
                .collect(),
        })
    }
}
