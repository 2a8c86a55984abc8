//! What has accrued: what the rows of each account must come to, computed from the state alone.

use crate::ids::{CustomerKey, ObjectId};
use crate::money::{Money, rounded};
use crate::partner::attribution::Partners;
use crate::partner::first_payment::PersonPayments;
use crate::partner::ledger_account::LedgerAccount;
use crate::partner::program::Reward;
use crate::partner::row_kind::RowKind;
use crate::payment::payments::{Payment, Payments};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What has accrued in an account: the sums its rows must have, and what new rows say of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// The sum of each kind, in minor units.
    pub sums: BTreeMap<RowKind, i64>,
    /// When the rows are released.
    pub releases_at: Timestamp,
    pub(super) referral: Arc<str>,
    pub(super) is_tax_unknown: bool,
    pub(super) ids: BTreeSet<ObjectId>,
    pub(super) reward: Reward,
    pub(super) paid: Money,
    pub(super) paid_at: Timestamp,
    pub(super) bases: BTreeMap<RowKind, i64>,
}

/// What has accrued in each account, for the payments in the state. It depends on the events alone.
/// Payments that left the state are not in it.
pub fn accrued(
    customer: &CustomerKey,
    partners: &Partners,
    payments: &Payments,
    person: &PersonPayments,
) -> BTreeMap<LedgerAccount, Accrual> {
    let mut accruals = BTreeMap::new();
    if partners.attribution_terms.is_empty() {
        return accruals;
    }
    let own = partners.first_paid_at(payments);
    let first = own.and_then(|own| person.first(customer, partners, own));
    let Some((attribution, first)) = partners.attribution(payments).zip(first) else {
        return accruals;
    };
    let Some(terms) = attribution.terms else {
        return accruals;
    };
    let program = &terms.program;
    let settled: Vec<_> = payments.settled().collect();
    let earliest = settled
        .iter()
        .min_by_key(|payment| (payment.paid_at(), &payment.ids));
    for payment in &settled {
        let (Some(paid_at), Some(paid), Some(payment_id)) = (
            payment.paid_at(),
            payment.paid(),
            ledger_payment_id(payment),
        ) else {
            continue;
        };
        let is_earliest = partners.first_closed_at.is_none() && earliest == Some(payment);
        let is_first = is_earliest && first.customer == *customer;
        if !program.duration.covers(first.paid_at, is_first, paid_at) {
            continue;
        }
        let Some((sums, bases)) = shares(program.reward, payment, paid) else {
            continue;
        };
        let account = LedgerAccount {
            partner: attribution.referral.partner.clone(),
            currency: paid.currency,
            self_referral_signal: attribution.self_referral_signal,
            payment: payment_id.clone(),
        };
        let accrual = Accrual {
            sums,
            releases_at: program.releases_at(paid_at),
            referral: attribution.referral.referral.clone(),
            is_tax_unknown: payment.tax_minor().is_none(),
            ids: payment.ids.clone(),
            reward: program.reward,
            paid,
            paid_at,
            bases,
        };
        accruals.insert(account, accrual);
    }
    accruals
}

/// The id of a payment in the ledger: the last of its ids in their order. It does not depend on the
/// order of events, and it seldom changes, because most events that name an intent name all ids.
pub fn ledger_payment_id(payment: &Payment) -> Option<&ObjectId> {
    payment.ids.last()
}

/// The sums of a payment by kind, and the amounts they are shares of, both in minor units. `None`
/// when the payment earns nothing.
///
/// Each sum is the difference of two rounded shares of the whole payment; parts are never rounded
/// by themselves. So nothing is left of a fully refunded payment, in however many steps it was
/// refunded.
fn shares(
    reward: Reward,
    payment: &Payment,
    paid: Money,
) -> Option<(BTreeMap<RowKind, i64>, BTreeMap<RowKind, i64>)> {
    let earns = match reward {
        Reward::BasisPoints(_) => true,
        Reward::Fixed(fixed) => fixed.is_same_unit(paid),
    };
    if paid.minor <= 0 || !earns {
        return None;
    }
    let parts = NetParts::of(payment, paid)?;
    let share = |refunded: Refunded, disputed: i64| parts.share(reward, refunded, disputed);
    let all = share(Refunded::default(), 0)?;
    let kept = share(parts.refunded, 0)?;
    let undisputed_share = share(parts.refunded, parts.disputed)?;
    let sums = [
        (RowKind::Commission, all),
        (RowKind::Refund, kept.checked_sub(all)?),
        (RowKind::Dispute, undisputed_share.checked_sub(kept)?),
    ];
    let bases = [
        (RowKind::Commission, parts.base),
        (RowKind::Refund, parts.refunded.gross),
        (RowKind::Dispute, parts.disputed),
    ];
    let sums = sums.into_iter().filter(|(_, minor)| *minor != 0);
    Some((sums.collect(), bases.into_iter().collect()))
}

/// What of a payment commissions follow from, in minor units.
struct NetParts {
    paid: i64,
    /// What was paid without tax.
    base: i64,
    refunded: Refunded,
    disputed: i64,
}

/// What was refunded, and the part of it of which the tax is known.
#[derive(Clone, Copy, Default)]
struct Refunded {
    gross: i64,
    known_gross: i64,
    known_tax: i64,
}

impl NetParts {
    fn of(payment: &Payment, paid: Money) -> Option<Self> {
        let paid = paid.minor;
        let tax = payment.tax_minor().map(|tax| tax.clamp(0, paid));
        let gross = payment.refunded_minor().clamp(0, paid);
        let known = payment.refunds_with_known_tax();
        let refunded = match tax {
            // Where a part goes beyond the whole, nothing is known of it.
            Some(tax) if known.0 <= gross && known.1 <= tax => Refunded {
                gross,
                known_gross: known.0,
                known_tax: known.1,
            },
            Some(_) | None => Refunded {
                gross,
                ..Refunded::default()
            },
        };
        Some(Self {
            paid,
            base: paid.checked_sub(tax.unwrap_or_default())?,
            refunded,
            disputed: payment.disputed_minor().clamp(0, paid.checked_sub(gross)?),
        })
    }

    /// The share of what is left without tax. Refunds of which the tax is known take back what they
    /// are without it, all others their part of the whole.
    fn share(&self, reward: Reward, refunded: Refunded, disputed: i64) -> Option<i64> {
        let (paid, base) = (i128::from(self.paid), i128::from(self.base));
        let unknown = refunded.gross.checked_sub(refunded.known_gross)?;
        let unknown = i128::from(unknown.checked_add(disputed)?);
        let known = i128::from(refunded.known_gross.checked_sub(refunded.known_tax)?);
        let left = i128::from(
            self.paid
                .checked_sub(refunded.gross)?
                .checked_sub(disputed)?,
        );
        // All of these are multiplied by what was paid, so that nothing is rounded yet.
        let most = left.checked_mul(paid)?;
        let net = base
            .checked_mul(paid.checked_sub(unknown)?)?
            .checked_sub(known.checked_mul(paid)?)?
            .clamp(0, most);
        match reward {
            Reward::BasisPoints(points) => {
                rounded(net.checked_mul(points.into())?, paid.checked_mul(10_000)?)
            }
            Reward::Fixed(fixed) if base == 0 => {
                rounded(left.checked_mul(fixed.minor.into())?, paid)
            }
            Reward::Fixed(fixed) => rounded(
                net.checked_mul(fixed.minor.into())?,
                base.checked_mul(paid)?,
            ),
        }
    }
}
