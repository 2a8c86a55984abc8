//! Payments: what many events tell of one payment is brought together by the ids they share.

use crate::ids::ObjectId;
use crate::money::Money;
use crate::payment::snapshot::{
    DisputeSnapshot, DisputeState, PaymentSnapshot, RefundSnapshot, RefundState, SourceKind,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Payments that stay in the record; older ones leave it and are folded from the journal when
/// somebody asks. A write is billed by the kilobyte, and a year of monthly renewals is enough.
pub const OPEN_PAYMENTS: usize = 12;

/// A customer's payments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payments {
    /// The latest ones.
    #[serde(default)]
    pub open: Vec<Payment>,
    /// How many older ones left.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub closed: u32,
}

/// One payment, by whatever ids it is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// When an event first reported it.
    pub first_seen_at: Timestamp,
    /// Invoice, intent, charge and session that are this payment.
    pub ids: BTreeSet<ObjectId>,
    /// Its sources: one for each kind of event and that event's own id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<PaymentSource>,
    /// By charge: how much had gone back by when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cumulative_refunds: BTreeMap<ObjectId, CumulativeRefund>,
    /// Single refunds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<ObjectId, Refund>,
    /// Disputes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<ObjectId, Dispute>,
}

/// A payment as one source reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSource {
    /// Which kind of event says so.
    pub source_kind: SourceKind,
    /// The source's own id of the payment.
    pub id: ObjectId,
    /// What arrived.
    #[serde(flatten)]
    pub paid: Money,
    /// Tax within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_minor: Option<i64>,
    /// When the money arrived.
    pub paid_at: Timestamp,
    /// For which subscription, where the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
}

/// A cumulative sum as of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CumulativeRefund {
    /// The moment.
    pub at: Timestamp,
    /// Minor units.
    pub minor: i64,
}

/// A refund as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Minor units.
    pub minor: i64,
    /// How it stands.
    pub state: RefundState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it reached its state.
    pub as_of: Timestamp,
    /// The ids by which it named its payment.
    pub payment: BTreeSet<ObjectId>,
}

/// A dispute as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Minor units.
    pub minor: i64,
    /// How it stands.
    pub state: DisputeState,
}

impl Payments {
    /// Nothing known.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.closed == 0
    }

    /// Payments that brought money, the earliest first.
    pub fn settled(&self) -> impl Iterator<Item = &Payment> {
        self.open.iter().filter(|payment| payment.paid().is_some())
    }

    pub(crate) fn apply_payment(&mut self, seen: &PaymentSnapshot, at: Timestamp) {
        let Some(own) = seen.ids.first() else { return };
        if seen.paid.minor == 0 {
            return self.retract_source(seen.source_kind, own);
        }
        self.update_payment(&seen.ids, None, at, |payment| {
            payment.remove_source(seen.source_kind, own);
            payment.sources.push(PaymentSource {
                source_kind: seen.source_kind,
                id: own.clone(),
                paid: seen.paid,
                tax_minor: seen.tax_minor,
                paid_at: seen.paid_at,
                subscription: seen.subscription.clone(),
            });
            payment
                .sources
                .sort_by(|a, b| (a.source_kind, &a.id).cmp(&(b.source_kind, &b.id)));
        });
    }

    /// Nothing arrived after all: what this source reported does not count any more.
    fn retract_source(&mut self, kind: SourceKind, own: &ObjectId) {
        for payment in &mut self.open {
            payment.remove_source(kind, own);
        }
    }

    pub(crate) fn apply_same_payment(&mut self, ids: &[ObjectId], at: Timestamp) {
        self.update_payment(ids, None, at, |_| ());
    }

    pub(crate) fn apply_cumulative_refund(&mut self, ids: &[ObjectId], minor: i64, at: Timestamp) {
        let Some(charge) = ids.first() else { return };
        self.update_payment(ids, None, at, |payment| {
            let so_far = &mut payment.cumulative_refunds;
            // A sum only grows within an instant: two refunds of one second come in any order.
            let known = so_far.get(charge).filter(|known| known.at == at);
            let minor = known.map_or(minor, |known| known.minor.max(minor));
            so_far.insert(charge.clone(), CumulativeRefund { at, minor });
        });
    }

    pub(crate) fn apply_refund(&mut self, seen: &RefundSnapshot, at: Timestamp) {
        self.update_payment(&seen.payment, Some(&seen.id), at, |payment| {
            let refunds = &mut payment.refunds;
            if refunds
                .get(&seen.id)
                .is_some_and(|known| known.state >= seen.state)
            {
                return;
            }
            let refund = Refund {
                minor: seen.minor,
                state: seen.state,
                created_at: seen.created_at,
                as_of: at,
                payment: seen.payment.iter().cloned().collect(),
            };
            refunds.insert(seen.id.clone(), refund);
        });
    }

    pub(crate) fn apply_dispute(&mut self, seen: &DisputeSnapshot, at: Timestamp) {
        self.update_payment(&seen.payment, Some(&seen.id), at, |payment| {
            let known = payment.disputes.get(&seen.id);
            let decided = known.is_some_and(|known| known.state.is_final());
            if !decided || seen.state.is_final() {
                let dispute = Dispute {
                    minor: seen.minor,
                    state: seen.state,
                };
                payment.disputes.insert(seen.id.clone(), dispute);
            }
        });
    }

    /// Changes the one payment that all these ids name; payments that turn out to be one
    /// become one. What a refund or a dispute named before is the same payment too.
    fn update_payment(
        &mut self,
        ids: &[ObjectId],
        own: Option<&ObjectId>,
        at: Timestamp,
        change: impl FnOnce(&mut Payment),
    ) {
        if ids.is_empty() {
            return;
        }
        let mut whole = Payment::new(at);
        self.open.retain_mut(|payment| {
            let named = ids.iter().any(|id| payment.ids.contains(id));
            let same = named || own.is_some_and(|own| payment.has_refund_or_dispute(own));
            if same {
                whole.merge(payment);
            }
            !same
        });
        whole.ids.extend(ids.iter().cloned());
        change(&mut whole);
        self.open.push(whole);
    }

    /// Puts the payments in order and lets the oldest beyond [`OPEN_PAYMENTS`] leave. Gives the
    /// moment at which the first of these was paid.
    pub(crate) fn close_old(&mut self) -> Option<Timestamp> {
        self.sort();
        let excess = self.open.len().saturating_sub(OPEN_PAYMENTS);
        let left = self.open.drain(..excess).filter_map(|p| p.paid_at()).min();
        self.closed = self
            .closed
            .saturating_add(u32::try_from(excess).unwrap_or(u32::MAX));
        left
    }

    /// Puts the payments in order, the earliest first.
    pub(crate) fn sort(&mut self) {
        self.open.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
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

    /// What arrived, by the most telling account; none while only refunds, disputes or links
    /// are known. An invoice may be paid in parts, so accounts of one kind add up.
    pub fn paid(&self) -> Option<Money> {
        let mut accounts = self.best_sources();
        let mut sum = accounts.next()?.paid;
        for source in accounts.filter(|source| source.paid.currency == sum.currency) {
            sum.minor = sum.minor.saturating_add(source.paid.minor);
        }
        Some(sum)
    }

    /// The id to call it by: of intent, charge, invoice and session the first that tells of it
    /// or is told.
    pub fn id(&self) -> Option<&ObjectId> {
        let own = |kind| {
            self.sources
                .iter()
                .find(|t| t.source_kind == kind)
                .map(|source| &source.id)
        };
        own(SourceKind::Intent)
            .or_else(|| own(SourceKind::Charge))
            .or_else(|| own(SourceKind::Invoice))
            .or_else(|| own(SourceKind::Session))
            .or_else(|| self.ids.first())
    }

    /// When the money arrived.
    pub fn paid_at(&self) -> Option<Timestamp> {
        self.best_sources().map(|source| source.paid_at).min()
    }

    /// Tax within what arrived, as far as anybody says.
    pub fn tax_minor(&self) -> Option<i64> {
        self.sources
            .iter()
            .rev()
            .find_map(|source| source.tax_minor)
    }

    /// For which subscription, by the most telling of those who say.
    pub fn subscription(&self) -> Option<&ObjectId> {
        self.sources
            .iter()
            .rev()
            .find_map(|source| source.subscription.as_ref())
    }

    fn remove_source(&mut self, kind: SourceKind, own: &ObjectId) {
        self.sources
            .retain(|source| (source.source_kind, &source.id) != (kind, own));
    }

    /// Whether a refund or a dispute is among its own.
    fn has_refund_or_dispute(&self, own: &ObjectId) -> bool {
        self.refunds.contains_key(own) || self.disputes.contains_key(own)
    }

    /// The accounts of the most telling kind there is.
    fn best_sources(&self) -> impl Iterator<Item = &PaymentSource> {
        let most = self.sources.iter().map(|source| source.source_kind).max();
        self.sources
            .iter()
            .filter(move |source| Some(source.source_kind) == most)
    }

    /// Minor units gone back by refunds. A cumulative sum covers the refunds made until its
    /// moment; later ones add to it, and those that failed since are taken off again.
    pub fn refunded_minor(&self) -> i64 {
        let alone = self
            .refunds
            .values()
            .filter(|refund| !self.is_covered(refund));
        let alone = sum(alone
            .filter(|refund| refund.counts())
            .map(|refund| refund.minor));
        let covered = self.cumulative_refunds.iter().map(|(charge, so_far)| {
            let of_charge = || {
                self.refunds
                    .values()
                    .filter(|refund| self.covering_charge(refund) == Some(charge))
            };
            let live = sum(of_charge()
                .filter(|refund| refund.counts())
                .map(|r| r.minor));
            let since = of_charge().filter(|r| r.counts() && r.created_at > so_far.at);
            let failed = of_charge()
                .filter(|r| !r.counts() && r.created_at <= so_far.at && r.as_of >= so_far.at);
            let sum_so_far = so_far
                .minor
                .saturating_add(sum(since.map(|r| r.minor)))
                .saturating_sub(sum(failed.map(|r| r.minor)));
            live.max(sum_so_far)
        });
        alone.saturating_add(sum(covered))
    }

    /// Minor units that disputes hold or have taken.
    pub fn disputed_minor(&self) -> i64 {
        sum(self
            .disputes
            .values()
            .filter(|d| d.state.holds_money())
            .map(|d| d.minor))
    }

    fn is_covered(&self, refund: &Refund) -> bool {
        self.covering_charge(refund).is_some()
    }

    /// The charge whose cumulative sum a refund is part of: the one it names, or the only one.
    fn covering_charge(&self, refund: &Refund) -> Option<&ObjectId> {
        let charges = || self.cumulative_refunds.keys();
        let only = if self.cumulative_refunds.len() == 1 {
            charges().next()
        } else {
            None
        };
        charges()
            .find(|charge| refund.payment.contains(*charge))
            .or(only)
    }

    fn merge(&mut self, other: &mut Self) {
        let other = std::mem::replace(other, Self::new(self.first_seen_at));
        self.first_seen_at = self.first_seen_at.min(other.first_seen_at);
        self.ids.extend(other.ids);
        self.sources.extend(other.sources);
        self.sources
            .sort_by(|a, b| (a.source_kind, &a.id).cmp(&(b.source_kind, &b.id)));
        self.cumulative_refunds.extend(other.cumulative_refunds);
        self.refunds.extend(other.refunds);
        self.disputes.extend(other.disputes);
    }

    fn sort_key(&self) -> (Timestamp, &BTreeSet<ObjectId>) {
        (self.paid_at().unwrap_or(self.first_seen_at), &self.ids)
    }
}

impl Refund {
    fn counts(&self) -> bool {
        self.state != RefundState::Failed
    }
}

fn sum(minor: impl Iterator<Item = i64>) -> i64 {
    minor.fold(0, i64::saturating_add)
}

pub(crate) fn is_zero(count: &u32) -> bool {
    *count == 0
}
