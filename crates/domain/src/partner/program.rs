//! A partner's program: what it earns on the customers it sends, for how long, and when it may
//! be paid. It is pinned to a customer with the report, so a later change touches only those
//! who are sent later.

use crate::money::Money;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// What a partner earns, and when. One that is read keeps the [bounds](Self::checked).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Program {
    /// How much of a payment.
    pub reward: Reward,
    /// Of which payments.
    pub duration: CommissionDuration,
    /// Days from a payment until what it earned is released.
    pub hold_days: u16,
    /// Days that may lie between a report and the customer's first payment, either way.
    pub window_days: u16,
    /// Whose report counts where there are several.
    pub attribution_model: AttributionModel,
}

/// A program as it is stored, before its bounds were looked at.
#[derive(Deserialize)]
struct Unchecked {
    reward: Reward,
    duration: CommissionDuration,
    hold_days: u16,
    window_days: u16,
    #[serde(default)]
    attribution_model: AttributionModel,
}

impl TryFrom<Unchecked> for Program {
    type Error = BadProgram;

    fn try_from(stored: Unchecked) -> Result<Self, BadProgram> {
        let Unchecked {
            reward,
            duration: span,
            hold_days,
            window_days,
            attribution_model: claim,
        } = stored;
        Self {
            reward,
            duration: span,
            hold_days,
            window_days,
            attribution_model: claim,
        }
        .checked()
    }
}

/// How much of a payment is earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reward {
    /// So many hundredths of a percent of what was paid without tax; 10,000 at most.
    BasisPoints(u16),
    /// So much for each payment in this currency, nothing for one in another.
    Fixed(Money),
}

/// Which payments earn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommissionDuration {
    /// The customer's first.
    FirstPayment,
    /// Those made in so many months, counted from the first.
    Months(u16),
    /// Every one.
    Life,
}

/// Whose report counts where several partners claim one customer. Of several programs the one
/// of the first report decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributionModel {
    /// The one that was signed first.
    #[default]
    First,
    /// Of those who sent the customer before the first payment the last.
    Last,
}

impl Program {
    /// Whether a first payment at this moment lies near enough to a report: not long after the
    /// customer was sent, and not long before the partner said so.
    pub fn is_in_window(&self, sent: Timestamp, reported: Timestamp, paid: Timestamp) -> bool {
        paid <= after(sent, self.window_days) && reported <= after(paid, self.window_days)
    }

    /// When what a payment of this moment earned is released.
    pub fn releases_at(&self, paid: Timestamp) -> Timestamp {
        after(paid, self.hold_days)
    }
}

impl CommissionDuration {
    /// Whether a payment earns that is made at this moment, after a first one at that.
    pub fn covers(self, first: Timestamp, is_first: bool, paid: Timestamp) -> bool {
        match self {
            Self::FirstPayment => is_first,
            Self::Months(months) => {
                let end = first
                    .to_zoned(TimeZone::UTC)
                    .checked_add(i32::from(months).months());
                end.is_ok_and(|end| paid < end.timestamp())
            }
            Self::Life => true,
        }
    }
}

impl AttributionModel {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (reward, hold, window) = (self.reward, self.hold_days, self.window_days);
        match self.duration {
            CommissionDuration::FirstPayment => write!(f, "{reward} of the first payment")?,
            CommissionDuration::Months(months) => write!(f, "{reward} for {months} months")?,
            CommissionDuration::Life => write!(f, "{reward} for life")?,
        }
        let claim = self.attribution_model.as_str();
        write!(
            f,
            ", released after {hold} days, window {window} days, {claim} report counts"
        )
    }
}

impl std::fmt::Display for Reward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BasisPoints(points) => {
                let (whole, rest) = (points.div_euclid(100), points.rem_euclid(100));
                match rest {
                    0 => write!(f, "{whole} %"),
                    rest if rest.rem_euclid(10) == 0 => {
                        write!(f, "{whole}.{} %", rest.div_euclid(10))
                    }
                    rest => write!(f, "{whole}.{rest:02} %"),
                }
            }
            Self::Fixed(money) => write!(f, "{money}"),
        }
    }
}

fn after(moment: Timestamp, days: u16) -> Timestamp {
    let days = SignedDuration::from_hours(i64::from(days).saturating_mul(24));
    moment.checked_add(days).unwrap_or(Timestamp::MAX)
}

/// Terms that can't be a program's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProgram {
    /// Not a percentage as we read it.
    #[error("`{0}` is not a rate: write it in percent with at most two decimals, as 20% or 12.5%")]
    Rate(String),
    /// Not a number of days.
    #[error("`{0}` is not a number of days: write it as 30d")]
    Days(String),
    /// Neither `first` nor `last`.
    #[error("`{0}` is not a valid attribution model: write first or last")]
    AttributionModel(String),
    /// Not a tier as we read it.
    #[error("`{0}` is not a tier: write active customers and reward, as 10:25% or 10:6.00 eur")]
    Tier(String),
    /// Outside what can be agreed on.
    #[error("{what} of {seen} can't be agreed on: {bounds}")]
    Bounds {
        /// Of what.
        what: &'static str,
        /// What was seen.
        seen: String,
        /// What would do.
        bounds: &'static str,
    },
    /// Two terms of which one can be.
    #[error("{0} are alternatives: say one of them")]
    Alternatives(&'static str),
    /// Not an address; which one, is the typist's affair.
    #[error("an e-mail address is not valid: write it as anna@example.com")]
    Email,
    /// Not a company's domain.
    #[error(
        "`{0}` is no company's domain: write example.com, and none that gives mailboxes to all"
    )]
    Domain(String),
    /// Nothing says these.
    #[error("the program is incomplete: {0} is not said, and there is nothing to take it from")]
    Missing(String),
}

impl Program {
    /// The same, if it keeps the bounds. They may only ever widen: journals hold programs.
    ///
    /// # Errors
    /// [`BadProgram::Bounds`].
    pub fn checked(self) -> Result<Self, BadProgram> {
        let outside = |what, seen: &dyn Display, bounds| {
            let seen = seen.to_string();
            Err(BadProgram::Bounds { what, seen, bounds })
        };
        match self.reward {
            Reward::BasisPoints(1..=10_000) => {}
            Reward::BasisPoints(_) => {
                return outside("a rate", &self.reward, "more than 0 %, at most 100 %");
            }
            Reward::Fixed(money) if money.minor > 0 => {}
            Reward::Fixed(money) => {
                return outside("a fixed amount", &money, "it must be more than nothing");
            }
        }
        match self.duration {
            CommissionDuration::FirstPayment
            | CommissionDuration::Months(1..=MAX_MONTHS)
            | CommissionDuration::Life => {}
            CommissionDuration::Months(months) => {
                return outside("a number of months", &months, "1 to 1,200; or for life");
            }
        }
        if self.hold_days > MAX_DAYS {
            return outside("a hold", &in_days(self.hold_days), "0 to 3,650 days");
        }
        if !(1..=MAX_DAYS).contains(&self.window_days) {
            return outside("a window", &in_days(self.window_days), "1 to 3,650 days");
        }
        Ok(self)
    }
}

fn in_days(days: u16) -> String {
    format!("{days} days")
}

const MAX_MONTHS: u16 = 1_200;

const MAX_DAYS: u16 = 3_650;
