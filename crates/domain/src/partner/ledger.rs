//! The commission ledger: what partners earn on a customer's payments, as rows that are never
//! changed or deleted.
//!
//! [`accrued`] computes from the state what the rows of a payment must add
//! up to. The record holds what they add up to so far ([`Ledger`]). A fold decides the difference,
//! as further rows.

pub use crate::partner::row_kind::RowKind;

use crate::ids::{CustomerKey, ObjectId, PartnerId};
use crate::money::Money;
use crate::partner::accrual::{Accrual, accrued};
use crate::partner::attribution::Partners;
use crate::partner::first_payment::PersonPayments;
use crate::partner::identity::SelfReferralSignal;
use crate::partner::ledger_account::LedgerAccount;
use crate::partner::program::Reward;
use crate::partner::referral::SubIds;
use crate::payment::payments::Payments;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    /// The referral by which they are the partner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Arc<str>>,
}

/// One row of a partner's ledger. Its key is made of customer, payment and number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionRow {
    /// The partner whose ledger it is in.
    pub partner: PartnerId,
    /// The customer who paid.
    pub customer: CustomerKey,
    /// The payment, by its [id in the ledger](super::accrual::ledger_payment_id), or by another of
    /// its ids under which earlier rows stand.
    pub payment: ObjectId,
    /// The referral by which it is the partner's. Older rows do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Arc<str>>,
    /// The partner's own ids of that referral.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sub_ids: SubIds,
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
    /// Whether nobody said how much of the payment is tax: then all of it counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_tax_unknown: bool,
    /// When the payment arrived. `None` for a reversal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// When it was decided, by our clock.
    pub at: Timestamp,
    /// When it is released, that is, may be paid out.
    pub releases_at: Timestamp,
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
                    referral: None,
                });
            balance.referral = row.referral.clone().or(balance.referral.take());
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
        (partners, payments): (&Partners, &Payments),
        person: &PersonPayments,
        now: Timestamp,
        room: usize,
    ) -> (Self, Vec<CommissionRow>, bool) {
        let mut next = self.clone();
        let mut rows = Vec::new();
        if partners.attribution_terms.is_empty() && self.balances.is_empty() {
            return (next, rows, true);
        }
        let accruals = self.under_known_ids(accrued(customer, partners, payments, person));
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
            let sub_ids = target.referral.as_ref().and_then(|referral| {
                let referral = partners.referral(&account.partner, referral)?;
                Some(referral.sub_ids.clone())
            });
            for (kind, minor) in changes.into_iter().filter(|(_, minor)| *minor != 0) {
                rows.push(CommissionRow {
                    partner: account.partner.clone(),
                    customer: customer.clone(),
                    payment: account.payment.clone(),
                    referral: target.referral.clone(),
                    sub_ids: sub_ids.clone().unwrap_or_default(),
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
                    is_tax_unknown: accrual.is_some_and(|accrual| accrual.is_tax_unknown),
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

    /// What has accrued, each under the id under which its payment has rows already. A payment that
    /// gets another id later, as an invoice does whose charge is linked, so keeps its rows, and
    /// nobody is told of a reversal. Without rows it has its id in the ledger.
    fn under_known_ids(
        &self,
        accruals: BTreeMap<LedgerAccount, Accrual>,
    ) -> BTreeMap<LedgerAccount, Accrual> {
        let under = |(mut account, accrual): (LedgerAccount, Accrual)| {
            let has_rows = |id: &&ObjectId| {
                let known = LedgerAccount {
                    payment: ObjectId::clone(id),
                    ..account.clone()
                };
                let balance = self.balances.get(&known);
                balance.is_some_and(|balance| balance.total() != 0)
            };
            if !self.balances.contains_key(&account)
                && let Some(id) = accrual.ids.iter().find(has_rows)
            {
                account.payment = id.clone();
            }
            (account, accrual)
        };
        accruals.into_iter().map(under).collect()
    }

    /// This ledger without the balances of payments that are not in the state. Their rows in the
    /// table still have them.
    pub(crate) fn with_open_payments(mut self, payments: &Payments) -> Self {
        if !self.balances.is_empty() {
            let open = payments.open.iter().flat_map(|payment| &payment.ids);
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
            referral: Some(accrual.referral.clone()),
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
