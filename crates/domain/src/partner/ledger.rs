//! The commission ledger: what a customer's payments owe to whoever sent the customer, as rows
//! that are never edited or deleted.
//!
//! What the rows of a payment must come to is a function of the state ([`accrued`]); what they do
//! come to stands in the record ([`Ledger`]); a fold decides the difference, as further rows.

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

/// What the rows decided so far come to, for the payments in the record. Bookkeeping: a cache of
/// the rows, which can be [recalled](Ledger::from_rows) from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The number of the next row of this customer.
    #[serde(default)]
    pub next_number: u64,
    /// By account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub balances: BTreeMap<LedgerAccount, AccountBalance>,
}

/// What the rows of one account come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBalance {
    /// When they are released: one moment for all of them, that of the first.
    pub releases_at: Timestamp,
    /// Decimal places of the minor unit.
    pub exponent: u8,
    /// Minor units by kind.
    pub sums: BTreeMap<RowKind, i64>,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// The share of a payment.
    Commission,
    /// The share of what went back by refunds.
    Refund,
    /// The share of what disputes hold or took.
    Dispute,
    /// All of it: the payment does not count for this partner any more, or counts again.
    Reversal,
}

/// One row of a partner's ledger. Its key is customer, payment and number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionRow {
    /// The partner in whose ledger it is.
    pub partner: PartnerId,
    /// On which customer.
    pub customer: CustomerKey,
    /// For which payment.
    pub payment: ObjectId,
    /// Its number among the customer's rows.
    pub n: u64,
    /// What it is about.
    pub kind: RowKind,
    /// How much, minor units: negative when it is taken back.
    #[serde(flatten)]
    pub amount: Money,
    /// Why it waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_referral_signal: Option<SelfReferralSignal>,
    /// By what rate; none of a reversal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<Reward>,
    /// Of how much, minor units: what was paid without tax, went back or is disputed in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_minor: Option<i64>,
    /// When the payment arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// When it was decided, by our clock.
    pub at: Timestamp,
    /// From when on it counts as released.
    pub releases_at: Timestamp,
}

/// What the rows of an account must come to, and the words for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// Minor units by kind.
    pub sums: BTreeMap<RowKind, i64>,
    /// When they are released.
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

    /// As it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commission => "commission",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Reversal => "reversal",
        }
    }
}

/// What each account of a state must come to: a function of the events alone. Payments that left
/// the state are not in it.
pub fn accrued(partners: &Partners, payments: &Payments) -> BTreeMap<LedgerAccount, Accrual> {
    let mut owed = BTreeMap::new();
    if partners.attribution_terms.is_empty() {
        return owed;
    }
    let Some((attribution, first)) = partners
        .attribution(payments)
        .zip(partners.first_paid_at(payments))
    else {
        return owed;
    };
    let Some(terms) = attribution.terms else {
        return owed;
    };
    let program = &terms.program;
    let settled = || payments.settled();
    let earliest = settled().min_by_key(|payment| (payment.paid_at(), &payment.ids));
    for payment in settled() {
        let (Some(paid_at), Some(paid), Some(cause)) = (
            payment.paid_at(),
            payment.paid(),
            ledger_payment_id(payment),
        ) else {
            continue;
        };
        let first_of_all = partners.first_closed_at.is_none() && earliest == Some(payment);
        if !program.duration.covers(first, first_of_all, paid_at) {
            continue;
        }
        let Some((sums, of)) = shares(program.reward, payment, paid) else {
            continue;
        };
        let account = LedgerAccount {
            partner: attribution.referral.partner.clone(),
            currency: paid.currency,
            self_referral_signal: attribution.self_referral_signal,
            payment: cause.clone(),
        };
        let due = Accrual {
            sums,
            releases_at: program.releases_at(paid_at),
            reward: program.reward,
            paid,
            paid_at,
            bases: of,
        };
        owed.insert(account, due);
    }
    owed
}

/// The id that names a payment in the ledger: the last of its ids, by whatever events it came to
/// be known. It depends on the set alone, and most events that name an intent name all.
pub fn ledger_payment_id(payment: &Payment) -> Option<&ObjectId> {
    payment.ids.last()
}

/// A payment's share, its parts that went back and are disputed, and what each is a share of.
/// Each sum is rounded from the whole, never from a part: what is left of a fully refunded
/// payment is nothing, in however many steps it went back.
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
    let (all, kept, left) = (share(paid.minor)?, share(kept)?, share(undisputed)?);
    let sums = [
        (RowKind::Commission, all),
        (RowKind::Refund, kept.checked_sub(all)?),
        (RowKind::Dispute, left.checked_sub(kept)?),
    ];
    let of = [
        (RowKind::Commission, base),
        (RowKind::Refund, refunded),
        (RowKind::Dispute, disputed),
    ];
    let sums = sums.into_iter().filter(|(_, minor)| *minor != 0);
    Some((sums.collect(), of.into_iter().collect()))
}

impl Ledger {
    /// Nothing decided.
    pub fn is_empty(&self) -> bool {
        self.next_number == 0
    }

    /// What these rows come to: all there are of this customer, in any order, none twice.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = &'a CommissionRow>) -> Self {
        let mut rows: Vec<&CommissionRow> = rows.into_iter().collect();
        rows.sort_by_key(|row| row.n);
        let mut ledger = Self::default();
        for row in rows {
            let line = ledger
                .balances
                .entry(row.account())
                .or_insert_with(|| AccountBalance {
                    releases_at: row.releases_at,
                    exponent: row.amount.exponent,
                    sums: BTreeMap::new(),
                });
            let sum = line.sums.entry(row.kind).or_default();
            *sum = sum.saturating_add(row.amount.minor);
            ledger.next_number = row.n.saturating_add(1);
        }
        ledger
    }

    /// The rows that bring every account to what the state owes, and the ledger with them. The
    /// state must still have all payments that the ledger has lines of.
    pub(crate) fn reconcile(
        &self,
        customer: &CustomerKey,
        partners: &Partners,
        payments: &Payments,
        now: Timestamp,
    ) -> (Self, Vec<CommissionRow>) {
        let mut next = self.clone();
        let mut rows = Vec::new();
        if partners.attribution_terms.is_empty() && self.balances.is_empty() {
            return (next, rows);
        }
        let owed = accrued(partners, payments);
        let accounts: BTreeSet<&LedgerAccount> = owed.keys().chain(self.balances.keys()).collect();
        for account in accounts {
            let (due, line) = (owed.get(account), self.balances.get(account));
            let Some(wanted) = target(due, line) else {
                continue;
            };
            let held = |kind| line.map_or(0, |line| line.sum(kind));
            let steps = RowKind::ALL.map(|k| (k, wanted.sum(k).saturating_sub(held(k))));
            if steps.iter().fold(0, |sum: i64, s| sum.saturating_add(s.1)) == 0 {
                // What cancels out within one fold is told to nobody.
                continue;
            }
            for (kind, minor) in steps.into_iter().filter(|(_, minor)| *minor != 0) {
                rows.push(CommissionRow {
                    partner: account.partner.clone(),
                    customer: customer.clone(),
                    payment: account.payment.clone(),
                    n: next.next_number,
                    kind,
                    amount: Money {
                        minor,
                        currency: account.currency,
                        exponent: wanted.exponent,
                    },
                    self_referral_signal: account.self_referral_signal,
                    reward: due.map(|due| due.reward),
                    base_minor: due.and_then(|due| due.bases.get(&kind).copied()),
                    paid_at: due.map(|due| due.paid_at),
                    at: now,
                    releases_at: wanted.releases_at,
                });
                next.next_number = next.next_number.saturating_add(1);
            }
            next.balances.insert(account.clone(), wanted);
        }
        (next, rows)
    }

    /// Without the lines of payments that are not in the state: their rows remember them.
    pub(crate) fn with_open_payments(mut self, payments: &Payments) -> Self {
        if !self.balances.is_empty() {
            let open = payments.open.iter().filter_map(ledger_payment_id);
            let open: BTreeSet<&ObjectId> = open.collect();
            self.balances.retain(|account, line| {
                open.contains(&account.payment) && line.sums.values().any(|sum| *sum != 0)
            });
        }
        self
    }
}

/// What a line should say: what is owed, at the moment of release that stands; where nothing is
/// owed any more, all of it reversed in one.
fn target(due: Option<&Accrual>, line: Option<&AccountBalance>) -> Option<AccountBalance> {
    match (due, line) {
        (Some(due), line) => Some(AccountBalance {
            releases_at: line.map_or(due.releases_at, |line| line.releases_at),
            exponent: due.paid.exponent,
            sums: due.sums.clone(),
        }),
        (None, Some(line)) => {
            let mut line = line.clone();
            let total = line.total();
            let reversal = line.sums.entry(RowKind::Reversal).or_default();
            *reversal = reversal.saturating_sub(total);
            Some(line)
        }
        (None, None) => None,
    }
}

impl AccountBalance {
    /// What the rows of one kind come to, minor units.
    pub fn sum(&self, kind: RowKind) -> i64 {
        self.sums.get(&kind).copied().unwrap_or_default()
    }

    /// What they come to together, minor units.
    pub fn total(&self) -> i64 {
        self.sums.values().copied().fold(0, i64::saturating_add)
    }
}

impl CommissionRow {
    /// Where it counts.
    pub fn account(&self) -> LedgerAccount {
        LedgerAccount {
            partner: self.partner.clone(),
            currency: self.amount.currency,
            self_referral_signal: self.self_referral_signal,
            payment: self.payment.clone(),
        }
    }
}
