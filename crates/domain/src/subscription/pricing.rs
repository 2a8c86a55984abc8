//! What the price of an item means: how often it is charged, for how many, and with which tax.

use serde::{Deserialize, Serialize};

/// How an item's price is to be read, as far as its provider says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pricing {
    /// How often it is charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<BillingInterval>,
    /// The price is for a package of several, not for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
    /// Whether tax is within it.
    #[serde(default, skip_serializing_if = "TaxBehavior::is_unknown")]
    pub tax: TaxBehavior,
}

/// The time between two charges: every month, every three weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BillingInterval {
    /// The unit.
    pub unit: IntervalUnit,
    /// How many units; one or more.
    pub count: u32,
}

/// A unit of the calendar, the shortest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalUnit {
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

/// What is sold by the package: 25 by tens are three packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// How many are in one.
    pub size: u64,
    /// Whether a part of one counts as a whole one; else it counts as none.
    pub round_up: bool,
}

/// Whether a price contains its tax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxBehavior {
    /// Nobody says.
    #[default]
    Unknown,
    /// The tax is within it.
    Inclusive,
    /// Any tax comes on top.
    Exclusive,
}

impl TaxBehavior {
    fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Inclusive | Self::Exclusive => false,
        }
    }
}

impl BillingInterval {
    /// The interval of this many units, written as most providers write the unit.
    pub fn parse(unit: &str, count: u32) -> Option<Self> {
        let unit = match unit {
            "day" => IntervalUnit::Day,
            "week" => IntervalUnit::Week,
            "month" => IntervalUnit::Month,
            "year" => IntervalUnit::Year,
            _ => return None,
        };
        (count > 0).then_some(Self { unit, count })
    }

    /// About how many days it has, to tell the longer of two.
    pub fn approximate_days(self) -> u64 {
        let days: u64 = match self.unit {
            IntervalUnit::Day => 1,
            IntervalUnit::Week => 7,
            IntervalUnit::Month => 30,
            IntervalUnit::Year => 365,
        };
        days.saturating_mul(self.count.into())
    }
}

impl Package {
    /// How many packages so many are.
    pub(crate) fn count(self, quantity: u64) -> Option<u64> {
        let whole = quantity.checked_div(self.size)?;
        let rest = quantity.checked_rem(self.size)?;
        whole.checked_add(u64::from(rest > 0 && self.round_up))
    }
}
