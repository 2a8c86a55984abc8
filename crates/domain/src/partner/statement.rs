//! A partner's statement: its rows, each with the words for it, and what they come to.
//!
//! A row never changes; where it stands follows from the moment and the payouts. It is released
//! when its hold ends and paid with the first payout that took it, so neither needs a write to it.
//!
//! As JSON: amounts are integer minor units as the provider counts them, times RFC 3339 in UTC.

use crate::money::{Currency, Money};
use crate::partner::identity::SelfReferralSignal;
use crate::partner::ledger::{CommissionRow, RowKind};
use crate::partner::payout::{Balance, RowState, balances};
use crate::partner::payout::{Payout, day_of};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

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

/// What became of a partner's ledger in one month: opening balance and rows make the closing one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MonthlyStatement {
    /// The first day of the month, in UTC.
    pub month: Date,
    /// As it stood when the month began.
    pub opening: Vec<Balance>,
    /// What was decided and paid out in it, as it stood at the closing.
    pub rows: Vec<RowView>,
    /// As it stood when the month ended; of the month that runs, as it stands.
    pub closing: Vec<Balance>,
}

/// The statement of these rows and payouts, all of one partner, at a moment.
pub fn statement(rows: &[CommissionRow], payouts: &[Payout], now: Timestamp) -> Statement {
    let mut views: Vec<RowView> = rows
        .iter()
        .map(|row| RowView::of_row(row, payouts, now))
        .chain(payouts.iter().flat_map(RowView::of_payout))
        .collect();
    views.sort_by(|a, b| (a.at, &a.cause).cmp(&(b.at, &b.cause)));
    Statement {
        rows: views,
        balance: balances(rows, payouts, now),
    }
}

/// The statement of the month that this day is of, from all rows and payouts of one partner.
/// A month is a month in UTC, and a row belongs to the one in which it was decided.
pub fn monthly_statement(
    rows: &[CommissionRow],
    payouts: &[Payout],
    day: Date,
    now: Timestamp,
) -> MonthlyStatement {
    let month = day.first_of_month();
    let begin = midnight(month);
    let end = midnight(month.saturating_add(1.month()));
    let by = |end: Timestamp| {
        let known = |at: Timestamp| at < end && at <= now;
        let rows: Vec<CommissionRow> = rows.iter().filter(|r| known(r.at)).cloned().collect();
        let paid: Vec<Payout> = payouts.iter().filter(|p| known(p.at)).cloned().collect();
        (rows, paid)
    };
    let (earlier, paid_earlier) = by(begin);
    let (rows, payouts) = by(end);
    let shown = statement(&rows, &payouts, now.min(end));
    MonthlyStatement {
        month,
        opening: balances(&earlier, &paid_earlier, now.min(begin)),
        rows: shown.rows.into_iter().filter(|r| begin <= r.at).collect(),
        closing: shown.balance,
    }
}

fn midnight(date: Date) -> Timestamp {
    let begin = date.to_zoned(TimeZone::UTC);
    begin.map_or(Timestamp::MAX, |begin| begin.timestamp())
}

impl RowView {
    /// A row as it stands at a moment, whatever was paid out.
    pub fn before_payouts(row: &CommissionRow, now: Timestamp) -> Self {
        Self::of_row(row, &[], now)
    }

    fn of_row(row: &CommissionRow, payouts: &[Payout], now: Timestamp) -> Self {
        let paid = payouts.iter().any(|payout| payout.includes(row));
        let text = text(row);
        let (state, text) = match RowState::of(row, now) {
            RowState::Held(suspicion) => (
                "held",
                format!("{text}; held: {}", hold_reason_text(suspicion)),
            ),
            RowState::Pending => ("pending", text),
            RowState::Released if paid => ("paid", text),
            RowState::Released => ("released", text),
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

    fn of_payout(payout: &Payout) -> impl Iterator<Item = Self> {
        let Payout {
            at, date, amounts, ..
        } = payout;
        amounts.iter().map(move |amount| Self {
            at: *at,
            text: format!("paid out on {date}"),
            cause: format!("payout/{date}"),
            kind: "payout",
            amount_minor: amount.minor.saturating_neg(),
            currency: amount.currency,
            exponent: amount.exponent,
            state: "paid",
            releases_at: None,
        })
    }
}

fn text(row: &CommissionRow) -> String {
    let of = Money {
        minor: row.base_minor.unwrap_or_default(),
        ..row.amount
    };
    let rate = row.reward.map(|rate| rate.to_string()).unwrap_or_default();
    let payment = match row.paid_at {
        Some(paid_at) => format!("the payment of {}", day_of(paid_at)),
        None => format!("the payment {}", row.payment),
    };
    let earned = row.amount.minor > 0;
    match row.kind {
        RowKind::Commission => format!("{rate} for {payment}: {of} without tax"),
        RowKind::Refund if earned => format!("{rate}: of {payment} only {of} stays refunded"),
        RowKind::Refund => format!("{rate}: of {payment} {of} was refunded"),
        RowKind::Dispute if earned => format!("{rate}: of {payment} only {of} stays disputed"),
        RowKind::Dispute => format!("{rate}: of {payment} {of} is disputed"),
        RowKind::Reversal if earned => format!("{payment} counts again for this referral"),
        RowKind::Reversal => format!("{payment} does not count for this referral any more"),
    }
}

fn hold_reason_text(suspicion: SelfReferralSignal) -> &'static str {
    match suspicion {
        SelfReferralSignal::SameEmail => "the customer's address is the partner's own",
        SelfReferralSignal::SameDomain => "the customer's address is at the partner's company",
        SelfReferralSignal::SamePayment => "the customer paid with what the partner pays with",
    }
}
