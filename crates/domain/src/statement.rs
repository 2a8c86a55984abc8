//! A partner's statement: its rows, each with the words for it, and what they come to.
//!
//! A row never changes; where it stands follows from the moment. It is released when its hold
//! ends and paid with the first payout after that, so neither needs a row or a write.
//!
//! As JSON: amounts are integer minor units as the provider counts them, times RFC 3339 in UTC.

use crate::ids::PartnerId;
use crate::ledger::{Kind, Row};
use crate::money::{Currency, Money};
use crate::program::Suspicion;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a partner is told of its ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Rows and payouts, the earliest first.
    pub rows: Vec<RowView>,
    /// By currency.
    pub balance: Vec<Balance>,
}

/// A row, or a payout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowView {
    /// When it was decided.
    pub at: Timestamp,
    /// The payment it is about, as its provider names it; of a payout its day.
    pub cause: String,
    /// `commission`, `refund`, `dispute`, `reversal` or `payout`.
    pub kind: &'static str,
    /// Minor units; negative when it is taken back or paid out.
    pub amount_minor: i64,
    /// ISO 4217 code, lower case.
    pub currency: Currency,
    /// Decimal places of the minor unit.
    pub exponent: u8,
    /// `pending`, `released`, `paid` or `held`.
    pub state: &'static str,
    /// When its hold ends; none of a payout.
    pub releases_at: Option<Timestamp>,
    /// What a partner can read.
    pub text: String,
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

/// Money that was paid out to a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// To whom.
    pub partner: PartnerId,
    /// When: all that was decided and released by then is in it.
    pub at: Timestamp,
    /// How much.
    pub amount: Money,
}

/// The statement of these rows and payouts, all of one partner, at a moment.
pub fn statement(rows: &[Row], payouts: &[Payout], now: Timestamp) -> Statement {
    let mut views: Vec<RowView> = rows
        .iter()
        .map(|row| RowView::of_row(row, payouts, now))
        .chain(payouts.iter().map(RowView::of_payout))
        .collect();
    views.sort_by(|a, b| (a.at, &a.cause).cmp(&(b.at, &b.cause)));
    Statement {
        rows: views,
        balance: balances(rows, payouts, now),
    }
}

/// What these rows and payouts, all of one partner, come to at a moment, by currency.
pub fn balances(rows: &[Row], payouts: &[Payout], now: Timestamp) -> Vec<Balance> {
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
            let sum = match Standing::of(row, now) {
                Standing::Held(_) => &mut balance.held_minor,
                Standing::Pending => &mut balance.pending_minor,
                Standing::Released => &mut balance.released_minor,
            };
            *sum = sum.saturating_add(minor);
        });
    }
    for payout in payouts {
        let minor = payout.amount.minor;
        of(payout.amount, &|balance| {
            balance.released_minor = balance.released_minor.saturating_sub(minor);
            balance.paid_minor = balance.paid_minor.saturating_add(minor);
        });
    }
    balances.into_values().collect()
}

/// Where a row stands before any payout.
enum Standing {
    Held(Suspicion),
    Pending,
    Released,
}

impl Standing {
    fn of(row: &Row, now: Timestamp) -> Self {
        match row.suspicion {
            Some(suspicion) => Self::Held(suspicion),
            None if now < row.releases_at => Self::Pending,
            None => Self::Released,
        }
    }
}

impl RowView {
    /// A row as it stands at a moment, whatever was paid out.
    pub fn before_payouts(row: &Row, now: Timestamp) -> Self {
        Self::of_row(row, &[], now)
    }

    fn of_row(row: &Row, payouts: &[Payout], now: Timestamp) -> Self {
        let paid = payouts.iter().any(|payout| {
            payout.amount.is_of(row.amount) && row.at.max(row.releases_at) <= payout.at
        });
        let text = text(row);
        let (state, text) = match Standing::of(row, now) {
            Standing::Held(suspicion) => ("held", format!("{text}; held: {}", why(suspicion))),
            Standing::Pending => ("pending", text),
            Standing::Released if paid => ("paid", text),
            Standing::Released => ("released", text),
        };
        Self {
            at: row.at,
            cause: format!("{}/{}", row.customer.account(), row.payment),
            kind: row.kind.as_str(),
            amount_minor: row.amount.minor,
            currency: row.amount.currency,
            exponent: row.amount.exponent,
            state,
            releases_at: Some(row.releases_at),
            text,
        }
    }

    fn of_payout(payout: &Payout) -> Self {
        let day = day(payout.at);
        Self {
            at: payout.at,
            text: format!("paid out on {day}"),
            cause: format!("payout/{day}"),
            kind: "payout",
            amount_minor: payout.amount.minor.saturating_neg(),
            currency: payout.amount.currency,
            exponent: payout.amount.exponent,
            state: "paid",
            releases_at: None,
        }
    }
}

fn text(row: &Row) -> String {
    let of = Money {
        minor: row.of_minor.unwrap_or_default(),
        ..row.amount
    };
    let rate = row.reward.map(|rate| rate.to_string()).unwrap_or_default();
    let payment = match row.paid_at {
        Some(paid_at) => format!("the payment of {}", day(paid_at)),
        None => format!("the payment {}", row.payment),
    };
    let earned = row.amount.minor > 0;
    match row.kind {
        Kind::Commission => format!("{rate} for {payment}: {of} without tax"),
        Kind::Refund if earned => format!("{rate}: of {payment} only {of} stays refunded"),
        Kind::Refund => format!("{rate}: of {payment} {of} was refunded"),
        Kind::Dispute if earned => format!("{rate}: of {payment} only {of} stays disputed"),
        Kind::Dispute => format!("{rate}: of {payment} {of} is disputed"),
        Kind::Reversal if earned => format!("{payment} counts again for this referral"),
        Kind::Reversal => format!("{payment} does not count for this referral any more"),
    }
}

fn why(suspicion: Suspicion) -> &'static str {
    match suspicion {
        Suspicion::SameEmail => "the customer's address is the partner's own",
        Suspicion::SameDomain => "the customer's address is at the partner's company",
        Suspicion::SamePayment => "the customer paid with what the partner pays with",
    }
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}
