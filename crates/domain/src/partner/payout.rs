//! What a partner is paid, and when: one decision for each partner and day, remembered as it was
//! made.
//!
//! A payout takes the balance, not rows: what is released by a moment, less all that was paid
//! out before. So a row that comes late is in the next one, what goes back later makes the
//! balance negative until later rows make up for it, and nothing is ever paid twice.

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
    /// To whom.
    pub partner: PartnerId,
    /// Its number among the partner's payouts, from 1 on.
    pub n: u64,
    /// The day it is for, in UTC; a partner has one payout a day at most.
    pub date: Date,
    /// When it was decided, by our clock.
    pub at: Timestamp,
    /// What was released by then is in it.
    pub until: Timestamp,
    /// How much, in each unit by itself; never nothing, never negative.
    pub amounts: Vec<Money>,
    /// Rows decided by then were all put, so all of them that were released are in it.
    pub complete_until: Timestamp,
    /// Of the rows decided later those that are in it, by customer and number: another may have
    /// been decided, and be put only after the payout.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub late_rows: BTreeMap<CustomerKey, BTreeSet<u64>>,
}

/// What somebody asks to be paid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutRequest {
    /// For which day, in UTC.
    pub date: Date,
    /// The least that is paid, by currency; one minor unit where it says nothing.
    pub minimums: Vec<Money>,
}

/// What a run makes of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayoutOutcome {
    /// This is to be paid.
    Pay(Payout, Vec<UnpaidBalance>),
    /// That day's payout was decided before, and stays as it is.
    AlreadyPaid(Payout),
    /// Nothing is to be paid.
    Nothing(Vec<UnpaidBalance>),
}

/// A balance that is not paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpaidBalance {
    /// What is released and not paid.
    pub amount: Money,
    /// Why it stays.
    pub reason: HoldReason,
}

/// Why a balance is not paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// It is below what the order pays at least.
    BelowMinimum(Money),
    /// More went back than was earned since the last payout.
    Negative,
}

/// An order that can't be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayoutRefusal {
    /// Its day has not come.
    #[error("{date} is still to come, it is {now}: nothing can be released by then yet")]
    FutureDate {
        /// The day asked for.
        date: Date,
        /// The moment it was asked at.
        now: Timestamp,
    },
    /// A later day was paid.
    #[error(
        "{date} lies before the last payout, number {n} of {last}, which took all that was \
         released by then: ask for a later day"
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

/// Rows decided longer ago than this before a payout are taken for put: the stream puts what a
/// process left behind within seconds, the audit within a day.
const SETTLING_TIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Late rows that a payout names at most, which keeps it a small item.
const MAX_LATE_ROWS: usize = 1_000;

/// What an order pays, of these rows and payouts, all there are of this partner. The payouts
/// must not be older than the rows: who reads them reads them first.
///
/// # Errors
/// [`PayoutRefusal`].
pub fn decide(
    partner: &PartnerId,
    rows: &[CommissionRow],
    payouts: &[Payout],
    order: &PayoutRequest,
    now: Timestamp,
) -> Result<PayoutOutcome, PayoutRefusal> {
    let date = order.date;
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
    let (mut amounts, mut left) = (Vec::new(), Vec::new());
    for balance in balances(rows, payouts, until) {
        let amount = Money {
            minor: balance.released_minor,
            currency: balance.currency,
            exponent: balance.exponent,
        };
        let minimum = order
            .minimums
            .iter()
            .find(|l| l.currency == amount.currency);
        match amount.minor.cmp(&0) {
            Ordering::Less => left.push(UnpaidBalance {
                amount,
                reason: HoldReason::Negative,
            }),
            Ordering::Equal => {}
            Ordering::Greater => match minimum.filter(|minimum| is_below(amount, **minimum)) {
                Some(minimum) => left.push(UnpaidBalance {
                    amount,
                    reason: HoldReason::BelowMinimum(*minimum),
                }),
                None => amounts.push(amount),
            },
        }
    }
    if amounts.is_empty() {
        return Ok(PayoutOutcome::Nothing(left));
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
    Ok(PayoutOutcome::Pay(payout.with_late_rows(rows), left))
}

impl Payout {
    /// Whether a row is among what was paid.
    pub fn includes(&self, row: &CommissionRow) -> bool {
        let named = || {
            let of = self.late_rows.get(&row.customer);
            of.is_some_and(|numbers| numbers.contains(&row.n))
        };
        row.self_referral_signal.is_none()
            && row.releases_at <= self.until
            && self
                .amounts
                .iter()
                .any(|paid| paid.is_same_unit(row.amount))
            && (row.at <= self.complete_until || named())
    }

    /// How the bank and the partner know it: `acme-3`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.partner, self.n)
    }

    /// With the rows of late that it takes; where these are too many, the older of them count
    /// as put.
    fn with_late_rows(mut self, rows: &[CommissionRow]) -> Self {
        let settled = self.at.checked_sub(SETTLING_TIME).unwrap_or(Timestamp::MIN);
        let taken = rows.iter().filter(|row| self.includes(row));
        let mut late: Vec<&CommissionRow> = taken.filter(|row| settled < row.at).collect();
        late.sort_by_key(|row| std::cmp::Reverse(row.at));
        let all_by = late.get(MAX_LATE_ROWS).map_or(settled, |beyond| beyond.at);
        for row in late.into_iter().filter(|row| all_by < row.at) {
            let of = self.late_rows.entry(row.customer.clone()).or_default();
            of.insert(row.n);
        }
        self.complete_until = all_by;
        self
    }
}

/// Whether an amount is below another of the same currency, which may be counted in another unit.
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
        // Units so fine that they can't be compared: a person looks at it.
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

/// What a partner's rows in one currency come to, minor units. Where providers count a currency
/// in different units, each unit has a balance of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// ISO 4217 code, lower case.
    pub currency: Currency,
    /// Decimal places of the minor unit.
    pub exponent: u8,
    /// Not released yet.
    pub pending_minor: i64,
    /// Released and not paid out; negative where what was paid out went back since.
    pub released_minor: i64,
    /// Paid out in all.
    pub paid_minor: i64,
    /// Waiting for a person's decision.
    pub held_minor: i64,
}

impl Balance {
    /// All of it that is not paid out, minor units.
    pub fn outstanding_minor(&self) -> i64 {
        self.pending_minor
            .saturating_add(self.released_minor)
            .saturating_add(self.held_minor)
    }
}

/// What these rows and payouts, all of one partner, come to at a moment, by currency.
pub fn balances(rows: &[CommissionRow], payouts: &[Payout], now: Timestamp) -> Vec<Balance> {
    let mut balances: BTreeMap<(Currency, u8), Balance> = BTreeMap::new();
    let mut of = |amount: Money, change: &dyn Fn(&mut Balance)| {
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
        of(row.amount, &|balance| {
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
        of(*amount, &|balance| {
            balance.released_minor = balance.released_minor.saturating_sub(minor);
            balance.paid_minor = balance.paid_minor.saturating_add(minor);
        });
    }
    balances.into_values().collect()
}

/// Where a row stands before any payout.
pub(crate) enum RowState {
    Held(SelfReferralSignal),
    Pending,
    Released,
}

impl RowState {
    pub(crate) fn of(row: &CommissionRow, now: Timestamp) -> Self {
        match row.self_referral_signal {
            Some(suspicion) => Self::Held(suspicion),
            None if now < row.releases_at => Self::Pending,
            None => Self::Released,
        }
    }
}
