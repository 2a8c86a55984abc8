//! A partner's statement: its rows with a text for each, and its balances.
//!
//! A row never changes. Its state depends on the moment and the payouts: it is released when its
//! hold ends, and paid with the first payout that includes it. So neither needs a write.
//!
//! In JSON, amounts are integer minor units as the provider counts them, and times are RFC 3339 in
//! UTC.

use crate::money::{Currency, Money};
use crate::partner::identity::SelfReferralSignal;
use crate::partner::ledger::{CommissionRow, RowKind};
use crate::partner::payout::{Balance, RowState, balances};
use crate::partner::payout::{Payout, day_of};
use crate::partner::referral::SubIds;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A partner's rows and balances at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Rows and payouts, the earliest first.
    pub rows: Vec<RowView>,
    /// The balances, by currency.
    pub balance: Vec<Balance>,
}

/// A commission row or a payout, as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowView {
    /// When it was decided, by our clock.
    pub at: Timestamp,
    /// What it is about: the id of a payment, or `payout/2026-03-05`.
    pub cause: String,
    /// `commission`, `refund`, `dispute`, `reversal` or `payout`.
    pub kind: &'static str,
    /// The amount, in minor units; negative when something is taken back or paid out.
    pub amount_minor: i64,
    /// ISO 4217 code, lower case.
    pub currency: Currency,
    /// Decimal places of the minor unit.
    pub exponent: u8,
    /// `pending`, `released`, `paid` or `held`.
    pub state: &'static str,
    /// The partner's id of the referral; of one that a code made `code/NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral_id: Option<Arc<str>>,
    /// The partner's own ids of that referral.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sub_ids: SubIds,
    /// When its hold ends. `null` for a payout.
    pub releases_at: Option<Timestamp>,
    /// A text for the partner.
    pub text: String,
}

/// A partner's ledger in one month. The opening balance and the rows make the closing balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MonthlyStatement {
    /// The first day of the month, in UTC.
    pub month: Date,
    /// The balances when the month began.
    pub opening: Vec<Balance>,
    /// The rows decided and payouts made in the month, with their state at its end.
    pub rows: Vec<RowView>,
    /// The balances when the month ended; for the current month, the balances now.
    pub closing: Vec<Balance>,
}

/// A partner's statement at a moment. `rows` and `payouts` must be all of the partner.
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

/// A partner's statement of the month that `day` is in. `rows` and `payouts` must be all of the
/// partner. Months are in UTC, and a row belongs to the month in which it was decided.
pub fn monthly_statement(
    rows: &[CommissionRow],
    payouts: &[Payout],
    day: Date,
    now: Timestamp,
) -> MonthlyStatement {
    let month = day.first_of_month();
    let begin = midnight(month);
    let end = midnight(month.saturating_add(1.month()));
    let until = |end: Timestamp| {
        let existed = |at: Timestamp| at < end && at <= now;
        let rows: Vec<CommissionRow> = rows.iter().filter(|r| existed(r.at)).cloned().collect();
        let paid: Vec<Payout> = payouts.iter().filter(|p| existed(p.at)).cloned().collect();
        (rows, paid)
    };
    let (earlier, paid_earlier) = until(begin);
    let (rows, payouts) = until(end);
    let statement = statement(&rows, &payouts, now.min(end));
    MonthlyStatement {
        month,
        opening: balances(&earlier, &paid_earlier, now.min(begin)),
        rows: statement
            .rows
            .into_iter()
            .filter(|r| begin <= r.at)
            .collect(),
        closing: statement.balance,
    }
}

fn midnight(date: Date) -> Timestamp {
    let begin = date.to_zoned(TimeZone::UTC);
    begin.map_or(Timestamp::MAX, |begin| begin.timestamp())
}

impl RowView {
    /// A row at a moment, without regard to payouts.
    pub fn before_payouts(row: &CommissionRow, now: Timestamp) -> Self {
        Self::of_row(row, &[], now)
    }

    fn of_row(row: &CommissionRow, payouts: &[Payout], now: Timestamp) -> Self {
        let paid = payouts.iter().any(|payout| payout.includes(row));
        let text = text(row);
        let (state, text) = match RowState::of(row, now) {
            RowState::Held(signal) => (
                "held",
                format!("{text}; held: {}", hold_reason_text(signal)),
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
            referral_id: row.referral.clone(),
            sub_ids: row.sub_ids.clone(),
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
            referral_id: None,
            sub_ids: SubIds::new(),
            releases_at: None,
        })
    }
}

fn text(row: &CommissionRow) -> String {
    let base = Money {
        minor: row.base_minor.unwrap_or_default(),
        ..row.amount
    };
    let rate = row.reward.map(|rate| rate.to_string()).unwrap_or_default();
    let payment = match row.paid_at {
        Some(paid_at) => format!("the payment of {}", day_of(paid_at)),
        None => format!("the payment {}", row.payment),
    };
    let is_positive = row.amount.minor > 0;
    match row.kind {
        RowKind::Commission if row.is_tax_unknown => {
            format!("{rate} for {payment}: {base}, tax not stated")
        }
        RowKind::Commission => format!("{rate} for {payment}: {base} without tax"),
        RowKind::Refund if is_positive => {
            format!("{rate}: of {payment} only {base} stays refunded")
        }
        RowKind::Refund => format!("{rate}: of {payment} {base} was refunded"),
        RowKind::Dispute if is_positive => {
            format!("{rate}: of {payment} only {base} stays disputed")
        }
        RowKind::Dispute => format!("{rate}: of {payment} {base} is disputed"),
        RowKind::Reversal if is_positive => format!("{payment} counts again for this referral"),
        RowKind::Reversal => format!("{payment} does not count for this referral any more"),
    }
}

fn hold_reason_text(signal: SelfReferralSignal) -> &'static str {
    match signal {
        SelfReferralSignal::SameEmail => "the customer's address is the partner's own",
        SelfReferralSignal::SameDomain => "the customer's address is at the partner's company",
        SelfReferralSignal::SamePayment => "the customer paid with what the partner pays with",
        SelfReferralSignal::SharedCode => "the report names only a code, which anybody may show",
    }
}
