//! A partner's program: what it earns on the customers it sends, for how long, and when that may be
//! paid out. A report comes with the program in force, so a later change of the program applies
//! only to later reports.

use crate::money::Money;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// What a partner earns, and when. A program that is read from storage is within its
/// [bounds](Self::checked).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Program {
    /// How much a payment earns.
    pub reward: Reward,
    /// Which payments earn.
    pub duration: CommissionDuration,
    /// Days from a payment until its commission is released.
    pub hold_days: u16,
    /// The largest number of days between a report and the customer's first payment, in either
    /// order.
    pub window_days: u16,
    /// Which report counts when there are several.
    pub attribution_model: AttributionModel,
}

/// A stored program, before its bounds are checked.
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
            duration,
            hold_days,
            window_days,
            attribution_model,
        } = stored;
        Self {
            reward,
            duration,
            hold_days,
            window_days,
            attribution_model,
        }
        .checked()
    }
}

/// How much a payment earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reward {
    /// A part of what was paid without tax, in basis points (hundredths of a percent): 1 to 10,000.
    BasisPoints(u16),
    /// This amount for each payment in its currency. A payment in another currency earns nothing.
    Fixed(Money),
}

/// Which payments earn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommissionDuration {
    /// Only the customer's first payment.
    FirstPayment,
    /// The payments of this number of months, counted from the first payment.
    Months(u16),
    /// Every payment.
    Life,
}

/// Which report counts when several partners report one customer. If their programs differ in this,
/// the program of the first report decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributionModel {
    /// The report that was signed first.
    #[default]
    First,
    /// The report of the partner that was the last to send the customer before the first payment.
    Last,
}

impl Program {
    /// Whether the first payment is within the window: at most `window_days` after the customer was
    /// sent, and the report at most `window_days` after the payment.
    pub fn is_in_window(&self, sent: Timestamp, reported: Timestamp, paid: Timestamp) -> bool {
        paid <= after(sent, self.window_days) && reported <= after(paid, self.window_days)
    }

    /// When the commission of a payment of this moment is released.
    pub fn releases_at(&self, paid: Timestamp) -> Timestamp {
        after(paid, self.hold_days)
    }
}

impl CommissionDuration {
    /// Whether a payment made at the moment `paid` earns. `first` is when the customer first paid,
    /// and `is_first` says that this is the first payment.
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
    /// The name in files, in JSON and at the command line.
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
        let model = self.attribution_model.as_str();
        write!(
            f,
            ", released after {hold} days, window {window} days, {model} report counts"
        )
    }
}

impl std::fmt::Display for Reward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BasisPoints(points) => {
                let (whole, hundredths) = (points.div_euclid(100), points.rem_euclid(100));
                match hundredths {
                    0 => write!(f, "{whole} %"),
                    hundredths if hundredths.rem_euclid(10) == 0 => {
                        write!(f, "{whole}.{} %", hundredths.div_euclid(10))
                    }
                    hundredths => write!(f, "{whole}.{hundredths:02} %"),
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

/// Why terms of a program are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProgram {
    /// The text is not a percentage.
    #[error(
        "`{0}` is not a valid rate: write a percentage with at most two decimals, as 20% or 12.5%"
    )]
    Rate(String),
    /// The text is not a number of days.
    #[error("`{0}` is not a valid number of days: write it as 30d")]
    Days(String),
    /// The text is neither `first` nor `last`.
    #[error("`{0}` is not a valid attribution model: write first or last")]
    AttributionModel(String),
    /// The text is not a tier.
    #[error(
        "`{0}` is not a valid tier: write active customers and reward, as 10:25% or 10:6.00 eur"
    )]
    Tier(String),
    /// A term is out of its bounds.
    #[error("{what} of {value} is not allowed: {bounds}")]
    Bounds {
        /// The term, with its article: `a rate`.
        what: &'static str,
        /// Its value, as people read it.
        value: String,
        /// The bounds, as people read them.
        bounds: &'static str,
    },
    /// Two terms that exclude each other.
    #[error("{0} exclude each other: give only one of them")]
    Alternatives(&'static str),
    /// The text is not an e-mail address. The error does not repeat it.
    #[error("an e-mail address is not valid: write it as anna@example.com")]
    Email,
    /// The text is not a domain, or is a public mail host.
    #[error(
        "`{0}` is not a valid company domain: write it as example.com; a public mail host is not \
         allowed"
    )]
    Domain(String),
    /// These terms are missing.
    #[error("the program is incomplete: {0} is missing, and there is no program to take it from")]
    Missing(String),
}

impl Program {
    /// Returns the program if it is within its bounds. The bounds may become wider but never
    /// narrower, because journals contain programs.
    ///
    /// # Errors
    /// [`BadProgram::Bounds`] names the first term that is out of its bounds.
    pub fn checked(self) -> Result<Self, BadProgram> {
        let outside = |what, value: &dyn Display, bounds| {
            let value = value.to_string();
            Err(BadProgram::Bounds {
                what,
                value,
                bounds,
            })
        };
        match self.reward {
            Reward::BasisPoints(1..=10_000) => {}
            Reward::BasisPoints(_) => {
                return outside(
                    "a rate",
                    &self.reward,
                    "it must be more than 0 % and at most 100 %",
                );
            }
            Reward::Fixed(money) if money.minor > 0 => {}
            Reward::Fixed(money) => {
                return outside("a fixed amount", &money, "it must be more than 0");
            }
        }
        match self.duration {
            CommissionDuration::FirstPayment
            | CommissionDuration::Months(1..=MAX_MONTHS)
            | CommissionDuration::Life => {}
            CommissionDuration::Months(months) => {
                return outside(
                    "a number of months",
                    &months,
                    "it must be 1 to 1,200; or choose life",
                );
            }
        }
        if self.hold_days > MAX_DAYS {
            return outside(
                "a hold",
                &in_days(self.hold_days),
                "it must be 0 to 3,650 days",
            );
        }
        if !(1..=MAX_DAYS).contains(&self.window_days) {
            return outside(
                "a window",
                &in_days(self.window_days),
                "it must be 1 to 3,650 days",
            );
        }
        Ok(self)
    }
}

fn in_days(days: u16) -> String {
    format!("{days} days")
}

const MAX_MONTHS: u16 = 1_200;

const MAX_DAYS: u16 = 3_650;
