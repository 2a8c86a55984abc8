//! What one payment comes to: how much of it arrived, was refunded, is disputed.

use crate::ids::ObjectId;
use crate::money::Money;
use crate::payment::payments::{Payment, PaymentSource, Refund};
use crate::payment::snapshot::{RefundState, SourceKind};
use jiff::Timestamp;

impl Payment {
    /// The amount that arrived, by the best sources. `None` while only refunds, disputes or ids
    /// are known. An invoice may be paid in parts, so sources of one kind and currency add up.
    pub fn paid(&self) -> Option<Money> {
        let mut sources = self.best_sources();
        let mut sum = sources.next()?.paid;
        for source in sources.filter(|source| source.paid.currency == sum.currency) {
            sum.minor = sum.minor.saturating_add(source.paid.minor);
        }
        Some(sum)
    }

    /// The id to show for it: that of the first source there is of intent, charge, invoice and
    /// session, else the first of its ids.
    pub fn id(&self) -> Option<&ObjectId> {
        let id_of = |kind| {
            self.sources
                .iter()
                .find(|source| source.source_kind == kind)
                .map(|source| &source.id)
        };
        id_of(SourceKind::Intent)
            .or_else(|| id_of(SourceKind::Charge))
            .or_else(|| id_of(SourceKind::Invoice))
            .or_else(|| id_of(SourceKind::Session))
            .or_else(|| self.ids.first())
    }

    /// When the money arrived. `None` while [`paid`](Self::paid) is.
    pub fn paid_at(&self) -> Option<Timestamp> {
        self.best_sources().map(|source| source.paid_at).min()
    }

    /// The tax within the amount, in minor units, by the best source that states it. `None` when
    /// no source does.
    pub fn tax_minor(&self) -> Option<i64> {
        self.sources.iter().rev().find_map(|s| s.tax_minor)
    }

    /// The subscription it pays for, by the best source that states it.
    pub fn subscription(&self) -> Option<&ObjectId> {
        self.sources
            .iter()
            .rev()
            .find_map(|source| source.subscription.as_ref())
    }

    /// The sources of the best kind there is.
    fn best_sources(&self) -> impl Iterator<Item = &PaymentSource> {
        let best = self.sources.iter().map(|source| source.source_kind).max();
        self.sources
            .iter()
            .filter(move |source| Some(source.source_kind) == best)
    }

    /// How much was refunded, in minor units. A cumulative sum covers the refunds made until its
    /// time. Later refunds are added to it, and refunds that failed since are subtracted.
    pub fn refunded_minor(&self) -> i64 {
        let alone = self
            .refunds
            .values()
            .filter(|refund| !self.is_covered(refund));
        let alone = sum(alone
            .filter(|refund| refund.counts())
            .map(|refund| refund.minor));
        let covered = self.cumulative_refunds.iter().map(|(charge, stated)| {
            let of_charge = || {
                self.refunds
                    .values()
                    .filter(|refund| self.covering_charge(refund) == Some(charge))
            };
            let live = sum(of_charge()
                .filter(|refund| refund.counts())
                .map(|r| r.minor));
            let since = of_charge().filter(|r| r.counts() && r.created_at > stated.at);
            let failed = of_charge()
                .filter(|r| !r.counts() && r.created_at <= stated.at && r.as_of >= stated.at);
            let total = stated
                .minor
                .saturating_add(sum(since.map(|r| r.minor)))
                .saturating_sub(sum(failed.map(|r| r.minor)));
            live.max(total)
        });
        alone.saturating_add(sum(covered))
    }

    /// How much disputes hold or have taken, in minor units.
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

    /// The charge whose cumulative sum covers a refund: the one it names, else the only one.
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
}

impl Refund {
    fn counts(&self) -> bool {
        self.state != RefundState::Failed
    }
}

fn sum(minor: impl Iterator<Item = i64>) -> i64 {
    minor.fold(0, i64::saturating_add)
}
