//! The commission ledger: what partners earn on a customer's payments, as rows that are never
//! changed or deleted.
//!
//! [`accrued`] computes from the state what the rows of a payment must add up to. The record holds
//! what they add up to so far ([`Ledger`]). A fold decides the difference, as further rows.

use crate::ids::{CustomerKey, ObjectId, PartnerId};
use crate::money::{Money, rounded};
use crate::partner::attribution::Partners;
use crate::partner::identity::SelfReferralSignal;
use crate::partner::ledger_account::LedgerAccount;
use crate::partner::program::Reward;
use crate::payment::payments::{Payment, Payments};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The sums of the rows decided so far, for the payments in the record. It is bookkeeping: a cache
/// that can be made again [from the rows](Ledger::from_rows).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The number of the customer's next row.
    #[serde(default)]
    pub next_number: u64,
    /// The balance of each account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub balances: BTreeMap<LedgerAccount, AccountBalance>,
}

/// The sums of the rows of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBalance {
    /// When the rows are released. All rows of an account have the moment of its first row.
    pub releases_at: Timestamp,
    /// The decimal places of the minor unit.
    pub exponent: u8,
    /// The sum of the rows of each kind, in minor units.
    pub sums: BTreeMap<RowKind, i64>,
}

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

/// One row of a partner's ledger. Its key is made of customer, payment and number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionRow {
    /// The partner whose ledger it is in.
    pub partner: PartnerId,
    /// The customer who paid.
    pub customer: CustomerKey,
    /// The payment, by its [id in the ledger](ledger_payment_id).
    pub payment: ObjectId,
    /// Its number among the customer's rows, from 0.
    pub n: u64,
    /// What it is for.
    pub kind: RowKind,
    /// The amount; negative when something is taken back.
    #[serde(flatten)]
    pub amount: Money,
    /// Why it waits for a person's decision. `None` when it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_referral_signal: Option<SelfReferralSignal>,
    /// The rate or fixed amount it was computed with. `None` for a reversal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<Reward>,
    /// The amount it is a share of, in minor units: all that was paid without tax, all that was
    /// refunded, or all that is disputed. `None` for a reversal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_minor: Option<i64>,
    /// When the payment arrived. `None` for a reversal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// When it was decided, by our clock.
    pub at: Timestamp,
    /// When it is released, that is, may be paid out.
    pub releases_at: Timestamp,
}

/// What has accrued in an account: the sums its rows must have, and what new rows say of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// The sum of each kind, in minor units.
    pub sums: BTreeMap<RowKind, i64>,
    /// When the rows are released.
    pub releases_at: Timestamp,
    reward: Reward,
    paid: Money,
    paid_at: Timestamp,
    bases: BTreeMap<RowKind, i64>,
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

/// What has accrued in each account, for the payments in the state. It depends on the events alone.
/// Payments that left the state are not in it.
pub fn accrued(partners: &Partners, payments: &Payments) -> BTreeMap<LedgerAccount, Accrual> {
    let mut accruals = BTreeMap::new();
    if partners.attribution_terms.is_empty() {
        return accruals;
    }
    let Some((attribution, first)) = partners
        .attribution(payments)
        .zip(partners.first_paid_at(payments))
    else {
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
        let is_first = partners.first_closed_at.is_none() && earliest == Some(payment);
        if !program.duration.covers(first, is_first, paid_at) {
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
    if paid.minor <= 0 {
        return None;
    }
    let tax = payment.tax_minor().unwrap_or_default().clamp(0, paid.minor);
    let base = paid.minor.checked_sub(tax)?;
    let refunded = payment.refunded_minor().clamp(0, paid.minor);
    let kept = paid.minor.checked_sub(refunded)?;
    let disputed = payment.disputed_minor().clamp(0, kept);
    let undisputed = kept.checked_sub(disputed)?;
    let (whole, per) = match reward {
        Reward::BasisPoints(points) => (i128::from(points).checked_mul(base.into())?, 10_000),
        Reward::Fixed(fixed) if fixed.is_same_unit(paid) => (i128::from(fixed.minor), 1),
        Reward::Fixed(_) => return None,
    };
    let share = |kept: i64| {
        let numerator = whole.checked_mul(kept.into())?;
        rounded(numerator, i128::from(paid.minor).checked_mul(per)?)
    };
    let (all, kept, undisputed_share) = (share(paid.minor)?, share(kept)?, share(undisputed)?);
    let sums = [
        (RowKind::Commission, all),
        (RowKind::Refund, kept.checked_sub(all)?),
        (RowKind::Dispute, undisputed_share.checked_sub(kept)?),
    ];
    let bases = [
        (RowKind::Commission, base),
        (RowKind::Refund, refunded),
        (RowKind::Dispute, disputed),
    ];
    let sums = sums.into_iter().filter(|(_, minor)| *minor != 0);
    Some((sums.collect(), bases.into_iter().collect()))
}

impl Ledger {
    /// Whether no row was ever decided.
    pub fn is_empty(&self) -> bool {
        self.next_number == 0
    }

    /// The ledger that these rows add up to. They must be all rows of the customer, each once, in
    /// any order.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = &'a CommissionRow>) -> Self {
        let mut rows: Vec<&CommissionRow> = rows.into_iter().collect();
        rows.sort_by_key(|row| row.n);
        let mut ledger = Self::default();
        for row in rows {
            let balance = ledger
                .balances
                .entry(row.account())
                .or_insert_with(|| AccountBalance {
                    releases_at: row.releases_at,
                    exponent: row.amount.exponent,
                    sums: BTreeMap::new(),
                });
            let sum = balance.sums.entry(row.kind).or_default();
            *sum = sum.saturating_add(row.amount.minor);
            ledger.next_number = row.n.saturating_add(1);
        }
        ledger
    }

    /// The rows that are missing for every account to have what has accrued, the ledger with these
    /// rows, and whether these are all: no account is begun once there are `room` rows. The state
    /// must still have all payments that this ledger has balances of.
    pub(crate) fn reconcile(
        &self,
        customer: &CustomerKey,
        partners: &Partners,
        payments: &Payments,
        now: Timestamp,
        room: usize,
    ) -> (Self, Vec<CommissionRow>, bool) {
        let mut next = self.clone();
        let mut rows = Vec::new();
        if partners.attribution_terms.is_empty() && self.balances.is_empty() {
            return (next, rows, true);
        }
        let accruals = accrued(partners, payments);
        let accounts: BTreeSet<&LedgerAccount> =
            accruals.keys().chain(self.balances.keys()).collect();
        for account in accounts {
            let (accrual, balance) = (accruals.get(account), self.balances.get(account));
            let Some(target) = target_balance(accrual, balance) else {
                continue;
            };
            let current = |kind| balance.map_or(0, |balance| balance.sum(kind));
            let changes = RowKind::ALL.map(|k| (k, target.sum(k).saturating_sub(current(k))));
            let minors = changes.iter().map(|(_, minor)| *minor);
            if minors.fold(0, i64::saturating_add) == 0 {
                // Rows that cancel each other out within one fold are not decided.
                continue;
            }
            if rows.len() >= room {
                return (next, rows, false);
            }
            for (kind, minor) in changes.into_iter().filter(|(_, minor)| *minor != 0) {
                rows.push(CommissionRow {
                    partner: account.partner.clone(),
                    customer: customer.clone(),
                    payment: account.payment.clone(),
                    n: next.next_number,
                    kind,
                    amount: Money {
                        minor,
                        currency: account.currency,
                        exponent: target.exponent,
                    },
                    self_referral_signal: account.self_referral_signal,
                    reward: accrual.map(|accrual| accrual.reward),
                    base_minor: accrual.and_then(|accrual| accrual.bases.get(&kind).copied()),
                    paid_at: accrual.map(|accrual| accrual.paid_at),
                    at: now,
                    releases_at: target.releases_at,
                });
                next.next_number = next.next_number.saturating_add(1);
            }
            next.balances.insert(account.clone(), target);
        }
        (next, rows, true)
    }

    /// This ledger without the balances of payments that are not in the state. Their rows in the
    /// table still have them.
    pub(crate) fn with_open_payments(mut self, payments: &Payments) -> Self {
        if !self.balances.is_empty() {
            let open = payments.open.iter().filter_map(ledger_payment_id);
            let open: BTreeSet<&ObjectId> = open.collect();
            self.balances.retain(|account, balance| {
                open.contains(&account.payment) && balance.sums.values().any(|sum| *sum != 0)
            });
        }
        self
    }
}

/// The balance that an account must have: what has accrued, with the release moment it already has.
/// Where nothing accrues any more, one reversal takes everything back. `None` without accrual and
/// balance.
fn target_balance(
    accrual: Option<&Accrual>,
    balance: Option<&AccountBalance>,
) -> Option<AccountBalance> {
    match (accrual, balance) {
        (Some(accrual), balance) => Some(AccountBalance {
            releases_at: balance.map_or(accrual.releases_at, |balance| balance.releases_at),
            exponent: accrual.paid.exponent,
            sums: accrual.sums.clone(),
        }),
        (None, Some(balance)) => {
            let mut balance = balance.clone();
            let total = balance.total();
            let reversal = balance.sums.entry(RowKind::Reversal).or_default();
            *reversal = reversal.saturating_sub(total);
            Some(balance)
        }
        (None, None) => None,
    }
}

impl AccountBalance {
    /// The sum of the rows of one kind, in minor units.
    pub fn sum(&self, kind: RowKind) -> i64 {
        self.sums.get(&kind).copied().unwrap_or_default()
    }

    /// The sum of all rows, in minor units.
    pub fn total(&self) -> i64 {
        self.sums.values().copied().fold(0, i64::saturating_add)
    }
}

impl CommissionRow {
    /// The account it counts in.
    pub fn account(&self) -> LedgerAccount {
        LedgerAccount {
            partner: self.partner.clone(),
            currency: self.amount.currency,
            self_referral_signal: self.self_referral_signal,
            payment: self.payment.clone(),
        }
    }
}
