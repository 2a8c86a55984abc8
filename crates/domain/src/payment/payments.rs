//! What the record keeps of payments. Several events may state one payment; the ids they share
//! bring them together.

use crate::ids::ObjectId;
use crate::money::{Money, StatedAmount, is_zero_minor};
use crate::payment::kept_purchase::KeptPurchase;
use crate::payment::payment_index::PaymentIndex;
use crate::payment::place::PaymentPlace;
use crate::payment::snapshot::{
    DisputeSnapshot, DisputeState, PaymentSnapshot, PurchasedPrice, RefundSnapshot, RefundState,
    SourceKind,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many payments stay in the record: a year of monthly ones, because a write is billed by the
/// kilobyte. Older ones leave it, and are folded from the journal when somebody asks for them.
pub const OPEN_PAYMENTS: usize = 12;

/// A customer's payments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payments {
    /// The latest payments, the earliest of them first.
    #[serde(default)]
    pub open: Vec<Payment>,
    /// How many older payments left the record.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub closed: u32,
    /// The place of the latest of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_closed: Option<PaymentPlace>,
    /// What was bought once with those, as long as it may count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed_purchases: Vec<KeptPurchase>,
    /// Which of `open` has an id.
    #[serde(skip)]
    pub(super) index: PaymentIndex,
}

/// One payment with its refunds and disputes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// When the first event about it happened.
    pub first_seen_at: Timestamp,
    /// The ids of its invoice, intent, charge and session.
    pub ids: BTreeSet<ObjectId>,
    /// What each source states: one entry for each kind and id, sorted by both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<PaymentSource>,
    /// Sums of refunds, by charge.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cumulative_refunds: BTreeMap<ObjectId, CumulativeRefund>,
    /// Single refunds, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<ObjectId, Refund>,
    /// Disputes, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<ObjectId, Dispute>,
}

/// What one source states of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSource {
    /// The kind of object that states it.
    pub source_kind: SourceKind,
    /// The source's own id.
    pub id: ObjectId,
    /// The amount that arrived, tax included.
    #[serde(flatten)]
    pub paid: Money,
    /// The tax within it, in minor units. `None` when the source does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_minor: Option<i64>,
    /// When the money arrived.
    pub paid_at: Timestamp,
    /// The subscription it pays for, where the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
    /// Whether it may be the same money as another source's that it does not name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlinked: bool,
    /// What was bought once with it, where the source says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchased: Vec<PurchasedPrice>,
}

/// All refunds of a charge together, up to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CumulativeRefund {
    /// The time of the event that states the sum.
    pub at: Timestamp,
    /// The sum.
    #[serde(flatten)]
    pub amount: StatedAmount,
    /// The part of it that was never taken, in minor units.
    #[serde(default, skip_serializing_if = "is_zero_minor")]
    pub released_minor: i64,
}

/// A refund, as its latest snapshot shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The refunded amount, tax included.
    #[serde(flatten)]
    pub amount: StatedAmount,
    /// The tax within it, in minor units. `None` when the provider does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_minor: Option<i64>,
    /// Its state.
    pub state: RefundState,
    /// When the refund was made.
    pub created_at: Timestamp,
    /// When it reached its state.
    pub as_of: Timestamp,
    /// The ids of its payment that it names.
    pub payment: BTreeSet<ObjectId>,
}

/// A dispute, as its latest snapshot shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The disputed amount.
    #[serde(flatten)]
    pub amount: StatedAmount,
    /// Its state.
    pub state: DisputeState,
}

impl Payments {
    /// These payments, and none that left the record.
    pub fn new(open: Vec<Payment>) -> Self {
        Self {
            open,
            ..Self::default()
        }
    }

    /// Whether there are no payments, open or closed.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.closed == 0
    }

    pub(crate) fn apply_payment(&mut self, snapshot: &PaymentSnapshot, at: Timestamp) {
        let Some(source_id) = snapshot.ids.first() else {
            return;
        };
        if snapshot.paid.minor == 0 {
            return self.retract_source(snapshot.source_kind, source_id);
        }
        self.update_payment(&snapshot.ids, None, at, |payment| {
            payment.remove_source(snapshot.source_kind, source_id);
            payment.sources.push(PaymentSource {
                source_kind: snapshot.source_kind,
                id: source_id.clone(),
                paid: snapshot.paid,
                tax_minor: snapshot.tax_minor,
                paid_at: snapshot.paid_at,
                subscription: snapshot.subscription.clone(),
                unlinked: snapshot.unlinked,
                purchased: snapshot.purchased.clone(),
            });
            payment
                .sources
                .sort_by(|a, b| (a.source_kind, &a.id).cmp(&(b.source_kind, &b.id)));
        });
    }

    /// The payment that has this id.
    pub(crate) fn find(&mut self, id: &ObjectId) -> Option<&mut Payment> {
        self.index.refresh(&self.open);
        self.open.get_mut(self.index.place_of(id)?)
    }

    /// Removes what a source stated: the money did not arrive after all.
    fn retract_source(&mut self, source_kind: SourceKind, source_id: &ObjectId) {
        if let Some(payment) = self.find(source_id) {
            payment.remove_source(source_kind, source_id);
        }
    }

    pub(crate) fn apply_same_payment(&mut self, ids: &[ObjectId], at: Timestamp) {
        self.update_payment(ids, None, at, |_| ());
    }

    pub(crate) fn apply_cumulative_refund(&mut self, ids: &[ObjectId], sum: CumulativeRefund) {
        let Some(charge) = ids.first() else { return };
        self.update_payment(ids, None, sum.at, |payment| {
            let sums = &mut payment.cumulative_refunds;
            // Events of two refunds within one second come in any order, and the sum only grows.
            let current = sums.get(charge).filter(|current| current.at == sum.at);
            if current.is_none_or(|current| current.amount.minor < sum.amount.minor) {
                sums.insert(charge.clone(), sum);
            }
        });
    }

    pub(crate) fn apply_refund(&mut self, snapshot: &RefundSnapshot, at: Timestamp) {
        self.update_payment(&snapshot.payment, Some(&snapshot.id), at, |payment| {
            let refunds = &mut payment.refunds;
            if refunds
                .get(&snapshot.id)
                .is_some_and(|current| current.state >= snapshot.state)
            {
                return;
            }
            let refund = Refund {
                amount: snapshot.amount,
                tax_minor: snapshot.tax_minor,
                state: snapshot.state,
                created_at: snapshot.created_at,
                as_of: at,
                payment: snapshot.payment.iter().cloned().collect(),
            };
            refunds.insert(snapshot.id.clone(), refund);
        });
    }

    pub(crate) fn apply_dispute(&mut self, snapshot: &DisputeSnapshot, at: Timestamp) {
        self.update_payment(&snapshot.payment, Some(&snapshot.id), at, |payment| {
            let current = payment.disputes.get(&snapshot.id);
            let decided = current.is_some_and(|current| current.state.is_final());
            if !decided || snapshot.state.is_final() {
                let dispute = Dispute {
                    amount: snapshot.amount,
                    state: snapshot.state,
                };
                payment.disputes.insert(snapshot.id.clone(), dispute);
            }
        });
    }

    /// Changes the payment that these ids name, or a new one. Payments that share an id become one.
    /// So does the payment that already has the refund or dispute `part`.
    fn update_payment(
        &mut self,
        ids: &[ObjectId],
        part: Option<&ObjectId>,
        at: Timestamp,
        change: impl FnOnce(&mut Payment),
    ) {
        if ids.is_empty() {
            return;
        }
        let new = || Payment::new(at);
        let place = self.index.unite(&mut self.open, ids, part, new);
        if let Some(payment) = self.open.get_mut(place) {
            payment.first_seen_at = payment.first_seen_at.min(at);
            payment.ids.extend(ids.iter().cloned());
            change(payment);
        }
    }
}

impl Payment {
    fn new(first_seen_at: Timestamp) -> Self {
        Self {
            first_seen_at,
            ids: BTreeSet::new(),
            sources: Vec::new(),
            cumulative_refunds: BTreeMap::new(),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
        }
    }

    fn remove_source(&mut self, kind: SourceKind, id: &ObjectId) {
        self.sources
            .retain(|source| (source.source_kind, &source.id) != (kind, id));
    }

    pub(super) fn sort_key(&self) -> (Timestamp, &BTreeSet<ObjectId>) {
        (self.paid_at().unwrap_or(self.first_seen_at), &self.ids)
    }
}

pub(crate) fn is_zero(count: &u32) -> bool {
    *count == 0
}
