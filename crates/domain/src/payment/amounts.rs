//! What one payment comes to: how much of it arrived, was refunded, is disputed.

use crate::ids::ObjectId;
use crate::money::{Money, StatedAmount};
use crate::payment::payments::{CumulativeRefund, Payment, PaymentSource, Refund};
use crate::payment::snapshot::{RefundState, SourceKind};
use jiff::Timestamp;
use serde::Serialize;

impl Payment {
    /// The amount that arrived, by the best sources. `None` while only refunds, disputes or ids
    /// are known. An invoice may be paid in parts, so sources of one kind and currency add up.
    pub fn paid(&self) -> Option<Money> {
        let mut sources = self.best_sources();
        let mut sum = sources.next()?.paid;
        let unit = sum;
        for source in sources.filter(|source| source.paid.is_same_unit(unit)) {
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

    /// The tax within the amount, in minor units, by the best kind of source that states it.
    /// `None` when none does. Of a payment in parts, each part must state its own.
    pub fn tax_minor(&self) -> Option<i64> {
        let paid = self.paid()?;
        let own = |source: &&PaymentSource| source.paid.is_same_unit(paid);
        let by_kind = self
            .sources
            .chunk_by(|a, b| a.source_kind == b.source_kind)
            .rev();
        by_kind.into_iter().find_map(|sources| {
            let mut parts = sources.iter().filter(own).peekable();
            parts.peek()?;
            parts.try_fold(0, |sum: i64, part| sum.checked_add(part.tax_minor?))
        })
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
    /// time. Later refunds are added to it; refunds that failed since, and what was never taken,
    /// are subtracted.
    pub fn refunded_minor(&self) -> i64 {
        let paid = self.paid();
        let refunds = || {
            let own = |refund: &&Refund| is_in_unit_of(refund.amount, paid);
            self.refunds.values().filter(own)
        };
        let alone = refunds().filter(|refund| self.covering_charge(refund).is_none());
        let alone = sum(alone
            .filter(|refund| refund.counts())
            .map(|refund| refund.amount.minor));
        let sums = self.sums_in_own_currency();
        let covered = sums.map(|(charge, stated)| {
            let of_charge =
                || refunds().filter(|refund| self.covering_charge(refund) == Some(charge));
            let live = sum(of_charge()
                .filter(|refund| refund.counts())
                .map(|r| r.amount.minor));
            let since = of_charge().filter(|r| r.counts() && r.created_at > stated.at);
            let failed = of_charge()
                .filter(|r| !r.counts() && r.created_at <= stated.at && r.as_of >= stated.at);
            let total = stated
                .amount
                .minor
                .saturating_add(sum(since.map(|r| r.amount.minor)))
                .saturating_sub(sum(failed.map(|r| r.amount.minor)));
            let of_all = live.max(total);
            of_all.saturating_sub(stated.released_minor).max(0)
        });
        alone.saturating_add(sum(covered))
    }

    /// How much was refunded by refunds of which the tax is known, and how much of that is tax, in
    /// minor units. What a sum of refunds covers is not among them.
    pub fn refunds_with_known_tax(&self) -> (i64, i64) {
        let paid = self.paid();
        let known = self.refunds.values().filter(|refund| {
            let alone = self.covering_charge(refund).is_none();
            alone && refund.counts() && is_in_unit_of(refund.amount, paid)
        });
        let known = known.filter_map(|refund| Some((refund.amount.minor, refund.tax_minor?)));
        known.fold((0, 0), |(gross, tax), (minor, tax_minor)| {
            let within = tax_minor.clamp(0, minor.max(0));
            (gross.saturating_add(minor), tax.saturating_add(within))
        })
    }

    /// How much disputes hold or have taken, in minor units.
    pub fn disputed_minor(&self) -> i64 {
        let paid = self.paid();
        sum(self
            .disputes
            .values()
            .filter(|d| d.state.holds_money() && is_in_unit_of(d.amount, paid))
            .map(|d| d.amount.minor))
    }

    /// Amounts of which the currency is not the payment's. They are shown, and never added up.
    pub fn amounts_in_other_currencies(&self) -> Vec<OtherCurrencyAmount<'_>> {
        let Some(paid) = self.paid() else {
            return Vec::new();
        };
        let sources = self
            .best_sources()
            .map(|source| (OtherCurrencyPart::Payment, &source.id, source.paid.into()));
        let sums = self.cumulative_refunds.iter();
        let sums = sums.map(|(id, sum)| (OtherCurrencyPart::Refund, id, sum.amount));
        let refunds = self.refunds.iter().filter(|(_, refund)| refund.counts());
        let refunds = refunds.map(|(id, refund)| (OtherCurrencyPart::Refund, id, refund.amount));
        let disputes = self.disputes.iter().filter(|(_, d)| d.state.holds_money());
        let disputes = disputes.map(|(id, d)| (OtherCurrencyPart::Dispute, id, d.amount));
        let all = sources.chain(sums).chain(refunds).chain(disputes);
        all.filter_map(|(part, id, amount)| {
            let money = amount.money().filter(|money| !money.is_same_unit(paid))?;
            Some(OtherCurrencyAmount { part, id, money })
        })
        .collect()
    }

    /// The sums of refunds that are in the payment's currency.
    fn sums_in_own_currency(&self) -> impl Iterator<Item = (&ObjectId, &CumulativeRefund)> {
        let paid = self.paid();
        let sums = self.cumulative_refunds.iter();
        sums.filter(move |(_, sum)| is_in_unit_of(sum.amount, paid))
    }

    /// The charge whose cumulative sum covers a refund: the one it names, else the only one.
    fn covering_charge(&self, refund: &Refund) -> Option<&ObjectId> {
        let charges = || self.sums_in_own_currency().map(|(charge, _)| charge);
        let mut all = charges();
        let only = all.next().filter(|_| all.next().is_none());
        charges()
            .find(|charge| refund.payment.contains(*charge))
            .or(only)
    }
}

/// What an amount in another currency is, beside a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum OtherCurrencyPart {
    /// A part of the payment.
    Payment,
    /// A refund, or a sum of refunds.
    Refund,
    /// A dispute.
    Dispute,
}

/// An amount of which the currency is not its payment's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherCurrencyAmount<'a> {
    /// What it is.
    pub part: OtherCurrencyPart,
    /// The id of the payment's source, the charge, the refund or the dispute.
    pub id: &'a ObjectId,
    /// The amount.
    pub money: Money,
}

impl Refund {
    fn counts(&self) -> bool {
        self.state != RefundState::Failed
    }
}

/// Whether an amount counts for a payment: it is in its currency, or the payment's is not known.
fn is_in_unit_of(amount: StatedAmount, paid: Option<Money>) -> bool {
    paid.is_none_or(|paid| amount.is_in_unit_of(paid))
}

fn sum(minor: impl Iterator<Item = i64>) -> i64 {
    minor.fold(0, i64::saturating_add)
}
