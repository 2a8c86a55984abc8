//! Payouts: what a partner is paid, and when. There is at most one decision for each partner and
//! day, and it is stored as it was made.
//!
//! A payout takes a balance, not rows: all that is released by a moment, minus all payouts before.
//! So a row that is put late is in the next payout, a later refund makes the balance negative until
//! new rows make up for it, and nothing is paid twice.

use crate::ids::{CustomerKey, PartnerId};
use crate::money::Currency;
use crate::money::Money;
use crate::partner::identity::SelfReferralSignal;
use crate::partner::ledger::CommissionRow;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Money that was paid out to a partner on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// The partner that is paid.
    pub partner: PartnerId,
    /// Its number among the partner's payouts, from 1.
    pub n: u64,
    /// The day it is for, in UTC. A partner has at most one payout for each day.
    pub date: Date,
    /// When it was decided, by our clock.
    pub at: Timestamp,
    /// What was released by this moment is in it.
    pub until: Timestamp,
    /// The amounts paid, one for each currency and minor unit; each is positive.
    pub amounts: Vec<Money>,
    /// All rows decided by this moment had been put, so those of them that were released are in it.
    pub complete_until: Timestamp,
    /// The rows decided later than that which are in it: their numbers by customer. They are listed
    /// because other such rows may have been put only after the payout.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub late_rows: BTreeMap<CustomerKey, BTreeSet<u64>>,
}

/// A request to pay out a partner's balances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutRequest {
    /// The day to pay for, in UTC.
    pub date: Date,
    /// The smallest amount to pay, one for each currency. Where there is none it is one minor unit.
    pub minimums: Vec<Money>,
}

/// The result of a payout request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayoutOutcome {
    /// This is to be paid, and these balances are not.
    Pay(Payout, Vec<UnpaidBalance>),
    /// The payout of that day was decided before. It stays as it is.
    AlreadyPaid(Payout),
    /// Nothing is to be paid. These balances stay.
    Nothing(Vec<UnpaidBalance>),
}

/// A balance that is not paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpaidBalance {
    /// The balance that is released and not paid.
    pub amount: Money,
    /// Why it is not paid.
    pub reason: HoldReason,
}

/// Why a balance is not paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// It is below this minimum of the request.
    BelowMinimum(Money),
    /// It is negative: since the last payout more was taken back than earned.
    Negative,
}

/// Why a payout request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayoutRefusal {
    /// Its day is in the future.
    #[error("{date} is in the future: it is {now} now, so that day cannot be paid out yet")]
    FutureDate {
        /// The day asked for.
        date: Date,
        /// The moment of the request.
        now: Timestamp,
    },
    /// A later day was paid out before.
    #[error(
        "{date} is before the last payout (number {n}, of {last}), which paid all that was \
         released by then: choose a later day"
    )]
    BeforeLastPayout {
        /// The day asked for.
        date: Date,
        /// The last payout's number.
        n: u64,
        /// The last payout's day.
        last: Date,
    },
}

/// Rows decided longer than this before a payout count as put. If a process dies before it puts its
/// rows, the stream puts them within seconds, or the audit within a day.
const SETTLING_TIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The largest number of late rows that a payout lists, so that it stays a small item.
const MAX_LATE_ROWS: usize = 1_000;

/// Decides what a request pays. `rows` and `payouts` must be all of this partner, and the payouts
/// must have been read before the rows.
///
/// # Errors
/// [`PayoutRefusal`] when the day is in the future or before the last payout.
pub fn decide(
    partner: &PartnerId,
    rows: &[CommissionRow],
    payouts: &[Payout],
    request: &PayoutRequest,
    now: Timestamp,
) -> Result<PayoutOutcome, PayoutRefusal> {
    let date = request.date;
    if let Some(payout) = payouts.iter().find(|payout| payout.date == date) {
        return Ok(PayoutOutcome::AlreadyPaid(payout.clone()));
    }
    if day_of(now) < date {
        return Err(PayoutRefusal::FutureDate { date, now });
    }
    let last = payouts.iter().max_by_key(|payout| payout.n);
    if let Some(&Payout { n, date: last, .. }) = last
        && date < last
    {
        return Err(PayoutRefusal::BeforeLastPayout { date, n, last });
    }
    let until = now.min(end_of(date));
    let (mut amounts, mut unpaid) = (Vec::new(), Vec::new());
    for balance in balances(rows, payouts, until) {
        let amount = Money {
            minor: balance.released_minor,
            currency: balance.currency,
            exponent: balance.exponent,
        };
        let minimum = request
            .minimums
            .iter()
            .find(|minimum| minimum.currency == amount.currency);
        match amount.minor.cmp(&0) {
            Ordering::Less => unpaid.push(UnpaidBalance {
                amount,
                reason: HoldReason::Negative,
            }),
            Ordering::Equal => {}
            Ordering::Greater => match minimum.filter(|minimum| is_below(amount, **minimum)) {
                Some(minimum) => unpaid.push(UnpaidBalance {
                    amount,
                    reason: HoldReason::BelowMinimum(*minimum),
                }),
                None => amounts.push(amount),
            },
        }
    }
    if amounts.is_empty() {
        return Ok(PayoutOutcome::Nothing(unpaid));
    }
    let payout = Payout {
        partner: partner.clone(),
        n: last.map_or(1, |last| last.n.saturating_add(1)),
        date,
        at: now,
        until,
        amounts,
        complete_until: Timestamp::MAX,
        late_rows: BTreeMap::new(),
    };
    Ok(PayoutOutcome::Pay(payout.with_late_rows(rows), unpaid))
}

impl Payout {
    /// Whether this payout paid a row.
    pub fn includes(&self, row: &CommissionRow) -> bool {
        let listed = || {
            let numbers = self.late_rows.get(&row.customer);
            numbers.is_some_and(|numbers| numbers.contains(&row.n))
        };
        row.self_referral_signal.is_none()
            && row.releases_at <= self.until
            && self
                .amounts
                .iter()
                .any(|paid| paid.is_same_unit(row.amount))
            && (row.at <= self.complete_until || listed())
    }

    /// Its name for the bank and the partner: partner and number, `acme-3`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.partner, self.n)
    }

    /// Adds the list of late rows that are in it. Of more than [`MAX_LATE_ROWS`] the older ones
    /// count as put.
    fn with_late_rows(mut self, rows: &[CommissionRow]) -> Self {
        let put_until = self.at.checked_sub(SETTLING_TIME).unwrap_or(Timestamp::MIN);
        let included = rows.iter().filter(|row| self.includes(row));
        let mut late_rows: Vec<&CommissionRow> =
            included.filter(|row| put_until < row.at).collect();
        late_rows.sort_by_key(|row| std::cmp::Reverse(row.at));
        let complete_until = late_rows.get(MAX_LATE_ROWS).map_or(put_until, |row| row.at);
        for row in late_rows.into_iter().filter(|row| complete_until < row.at) {
            let numbers = self.late_rows.entry(row.customer.clone()).or_default();
            numbers.insert(row.n);
        }
        self.complete_until = complete_until;
        self
    }
}

/// Whether an amount is below a minimum of the same currency. Their minor units may differ.
fn is_below(amount: Money, minimum: Money) -> bool {
    let scaled = |money: Money, by: u8| {
        let factor = 10_i128.checked_pow(by.into())?;
        i128::from(money.minor).checked_mul(factor)
    };
    match (
        scaled(amount, minimum.exponent),
        scaled(minimum, amount.exponent),
    ) {
        (Some(amount), Some(minimum)) => amount < minimum,
        // The units are too fine to compare, so it is not paid and a person must look at it.
        (None, _) | (_, None) => true,
    }
}

/// The day of a moment, in UTC.
pub fn day_of(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

/// The last second of a day, in UTC.
fn end_of(date: Date) -> Timestamp {
    let end = date.at(23, 59, 59, 0).to_zoned(TimeZone::UTC);
    end.map_or(Timestamp::MAX, |end| end.timestamp())
}

/// The sums of a partner's rows in one currency, in minor units. Where providers count a currency
/// in different minor units, each unit has a balance of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// ISO 4217 code, lower case.
    pub currency: Currency,
    /// The decimal places of the minor unit.
    pub exponent: u8,
    /// Not released yet.
    pub pending_minor: i64,
    /// Released and not paid out. Negative when amounts that were paid out were taken back since.
    pub released_minor: i64,
    /// Paid out in all.
    pub paid_minor: i64,
    /// Waiting for a person's decision.
    pub held_minor: i64,
}

impl Balance {
    /// All that is not paid out, in minor units.
    pub fn outstanding_minor(&self) -> i64 {
        self.pending_minor
            .saturating_add(self.released_minor)
            .saturating_add(self.held_minor)
    }
}

/// The balances of a partner at a moment, sorted by currency. `rows` and `payouts` must be all of
/// the partner.
pub fn balances(rows: &[CommissionRow], payouts: &[Payout], now: Timestamp) -> Vec<Balance> {
    let mut balances: BTreeMap<(Currency, u8), Balance> = BTreeMap::new();
    let mut update = |amount: Money, change: &dyn Fn(&mut Balance)| {
        let Money {
            currency, exponent, ..
        } = amount;
        change(balances.entry((currency, exponent)).or_insert(Balance {
            currency,
            exponent,
            pending_minor: 0,
            released_minor: 0,
            paid_minor: 0,
            held_minor: 0,
        }));
    };
    for row in rows {
        let minor = row.amount.minor;
        update(row.amount, &|balance| {
            let sum = match RowState::of(row, now) {
                RowState::Held(_) => &mut balance.held_minor,
                RowState::Pending => &mut balance.pending_minor,
                RowState::Released => &mut balance.released_minor,
            };
            *sum = sum.saturating_add(minor);
        });
    }
    for amount in payouts.iter().flat_map(|payout| &payout.amounts) {
        let minor = amount.minor;
        update(*amount, &|balance| {
            balance.released_minor = balance.released_minor.saturating_sub(minor);
            balance.paid_minor = balance.paid_minor.saturating_add(minor);
        });
    }
    balances.into_values().collect()
}

/// The state of a row, without regard to payouts.
pub(crate) enum RowState {
    Held(SelfReferralSignal),
    Pending,
    Released,
}

impl RowState {
    pub(crate) fn of(row: &CommissionRow, now: Timestamp) -> Self {
        match row.self_referral_signal {
            Some(signal) => Self::Held(signal),
            None if now < row.releases_at => Self::Pending,
            None => Self::Released,
        }
    }
}
