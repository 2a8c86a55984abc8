//! A program as people write it down, and the bounds that every program keeps.

use crate::money::Money;
use crate::partner::program::{
    AttributionModel, CommissionDuration, PartnerIdentity, Program, Reward,
};
use crate::partner::tiers::{ProgramTerms, Tier};
use serde::{Deserialize, Deserializer};
use std::fmt::Display;
use std::str::FromStr;

/// Terms of a program as people write them; what is left out is as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProgramInput {
    /// A part of what was paid without tax: `20%`.
    #[serde(deserialize_with = "from_text")]
    pub rate: Option<Rate>,
    /// So much for each payment in its currency: `5.00 eur`.
    #[serde(deserialize_with = "from_text")]
    pub fixed: Option<Money>,
    /// Payments made in so many months from the first earn.
    pub months: Option<u16>,
    /// The first payment alone earns.
    pub first_payment: bool,
    /// Every payment earns.
    pub life: bool,
    /// From a payment until what it earned is released: `30d`.
    #[serde(deserialize_with = "from_text")]
    pub hold: Option<Days>,
    /// What may lie between a report and the first payment, either way: `60d`.
    #[serde(deserialize_with = "from_text")]
    pub window: Option<Days>,
    /// Whose report counts where there are several: `first` or `last`.
    pub attribution_model: Option<AttributionModel>,
    /// From how many active customers on it is more: `10:25%`, `50:30%`.
    #[serde(deserialize_with = "list_from_text")]
    pub tiers: Option<Vec<Tier>>,
}

/// A part of an amount, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u16);

/// A length of time in whole days of 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(pub u16);

/// Terms that can't be a program's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProgram {
    /// Not a percentage as we read it.
    #[error("`{0}` is no rate: write it in percent with at most two decimals, as 20% or 12.5%")]
    Rate(String),
    /// Not a number of days.
    #[error("`{0}` is no number of days: write it as 30d")]
    Days(String),
    /// Neither `first` nor `last`.
    #[error("`{0}` is not a valid attribution model: write first or last")]
    AttributionModel(String),
    /// Not a tier as we read it.
    #[error("`{0}` is no tier: write from how many active customers on, as 10:25% or 10:6.00 eur")]
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
    #[error("an address that was given is none: it must be as anna@example.com")]
    Email,
    /// Not a company's domain.
    #[error(
        "`{0}` is no company's domain: write example.com, and none that gives mailboxes to all"
    )]
    Domain(String),
    /// Nothing says these.
    #[error("the program is not whole: {0} is not said, and there is nothing to take it from")]
    Missing(String),
}

impl ProgramInput {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The offer that these terms make of another; without another they must say all.
    ///
    /// # Errors
    /// [`BadProgram`] when a term is missing, said twice or out of its bounds.
    pub fn merge_onto(&self, base: Option<&ProgramTerms>) -> Result<ProgramTerms, BadProgram> {
        let tiers = self.tiers.clone();
        let tiers = tiers.or(base.map(|base| base.tiers.clone()));
        let program = self.program(base.map(|base| &base.program))?;
        ProgramTerms {
            program,
            tiers: tiers.unwrap_or_default(),
        }
        .checked()
    }

    fn program(&self, base: Option<&Program>) -> Result<Program, BadProgram> {
        let reward = self.reward()?.or(base.map(|base| base.reward));
        let span = self.duration()?.or(base.map(|base| base.duration));
        let hold = self.hold.map(|days| days.0);
        let hold = hold.or(base.map(|base| base.hold_days));
        let window = self.window.map(|days| days.0);
        let window = window.or(base.map(|base| base.window_days));
        let claim = self
            .attribution_model
            .or(base.map(|base| base.attribution_model));
        let (Some(reward), Some(span), Some(hold_days), Some(window_days)) =
            (reward, span, hold, window)
        else {
            let terms = [
                ("rate or fixed", reward.is_none()),
                ("months, first payment or life", span.is_none()),
                ("hold", hold.is_none()),
                ("window", window.is_none()),
            ];
            let missing = terms.iter().filter(|(_, missing)| *missing);
            let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
            return Err(BadProgram::Missing(missing.join("; ")));
        };
        Program {
            reward,
            duration: span,
            hold_days,
            window_days,
            attribution_model: claim.unwrap_or_default(),
        }
        .checked()
    }

    fn reward(&self) -> Result<Option<Reward>, BadProgram> {
        match (self.rate, self.fixed) {
            (Some(_), Some(_)) => Err(BadProgram::Alternatives("a rate and a fixed amount")),
            (Some(Rate(points)), None) => Ok(Some(Reward::BasisPoints(points))),
            (None, fixed) => Ok(fixed.map(Reward::Fixed)),
        }
    }

    fn duration(&self) -> Result<Option<CommissionDuration>, BadProgram> {
        match (self.months, self.first_payment, self.life) {
            (None, false, false) => Ok(None),
            (Some(months), false, false) => Ok(Some(CommissionDuration::Months(months))),
            (None, true, false) => Ok(Some(CommissionDuration::FirstPayment)),
            (None, false, true) => Ok(Some(CommissionDuration::Life)),
            (Some(_), _, _) | (None, true, true) => {
                Err(BadProgram::Alternatives("months, first payment and life"))
            }
        }
    }
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

impl PartnerIdentity {
    /// An address, and its company's domain.
    ///
    /// # Errors
    /// [`BadProgram::Email`].
    pub fn add_email(&mut self, email: &str) -> Result<(), BadProgram> {
        let known = Self::of(email);
        if known.mailboxes.is_empty() || email.trim().contains(char::is_whitespace) {
            return Err(BadProgram::Email);
        }
        self.merge(known);
        Ok(())
    }

    /// A company's domain.
    ///
    /// # Errors
    /// [`BadProgram::Domain`].
    pub fn add_domain(&mut self, domain: &str) -> Result<(), BadProgram> {
        let plain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
        let sound = domain.contains('.') && domain.chars().all(plain);
        // An address there says whether everybody has one.
        let known = Self::of(&format!("anybody@{domain}"));
        if !sound || known.domains.is_empty() {
            return Err(BadProgram::Domain(excerpt(domain)));
        }
        self.domains.extend(known.domains);
        Ok(())
    }

    /// What another is known by, too.
    pub fn merge(&mut self, other: Self) {
        self.mailboxes.extend(other.mailboxes);
        self.domains.extend(other.domains);
        self.fingerprints.extend(other.fingerprints);
    }

    /// Whether it is known by all that another is known by.
    pub fn is_superset(&self, other: &Self) -> bool {
        self.mailboxes.is_superset(&other.mailboxes)
            && self.domains.is_superset(&other.domains)
            && self.fingerprints.is_superset(&other.fingerprints)
    }
}

impl FromStr for Rate {
    type Err = BadProgram;

    fn from_str(text: &str) -> Result<Self, BadProgram> {
        let bad = || BadProgram::Rate(excerpt(text));
        let number = text.trim().strip_suffix('%').ok_or_else(bad)?;
        let (whole, fraction) = number.trim_end().split_once('.').unwrap_or((number, "0"));
        let points = |digits: &str, least, most| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            let sound = plain && (least..=most).contains(&digits.len());
            sound.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let hundreds = points(whole.trim(), 1, 3).and_then(|whole| whole.checked_mul(100));
        let rest = points(&format!("{fraction:0<2}"), 2, 2).filter(|_| !fraction.is_empty());
        let sum = hundreds.zip(rest).and_then(|(a, b)| a.checked_add(b));
        sum.map(Self).ok_or_else(bad)
    }
}

impl FromStr for Days {
    type Err = BadProgram;

    fn from_str(text: &str) -> Result<Self, BadProgram> {
        let digits = text.trim().strip_suffix('d');
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let days = digits.and_then(|digits| digits.parse().ok());
        days.map(Self)
            .ok_or_else(|| BadProgram::Days(excerpt(text)))
    }
}

impl FromStr for AttributionModel {
    type Err = BadProgram;

    fn from_str(text: &str) -> Result<Self, BadProgram> {
        [Self::First, Self::Last]
            .into_iter()
            .find(|claim| claim.as_str() == text)
            .ok_or_else(|| BadProgram::AttributionModel(excerpt(text)))
    }
}

/// Of a text, in a file, what the same text means at the command line.
fn from_text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    let read = text.map(|text| text.parse::<T>());
    read.transpose().map_err(serde::de::Error::custom)
}

/// The same of a list of texts.
fn list_from_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Tier>>, D::Error> {
    let texts = Option::<Vec<String>>::deserialize(deserializer)?;
    let read = texts.map(|texts| texts.iter().map(|text| text.parse()).collect());
    read.transpose().map_err(serde::de::Error::custom)
}

fn in_days(days: u16) -> String {
    format!("{days} days")
}

/// As much of what was typed as tells it apart.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}

const MAX_MONTHS: u16 = 1_200;
const MAX_DAYS: u16 = 3_650;
