//! A program as people write it down, and the bounds that every program keeps.

use crate::money::Money;
use crate::partner::identity::PartnerIdentity;
use crate::partner::program::BadProgram;
use crate::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use crate::partner::rate::{Days, Rate, excerpt};
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
        let is_allowed = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
        let is_valid = domain.contains('.') && domain.chars().all(is_allowed);
        // An address there says whether everybody has one.
        let known = Self::of(&format!("anybody@{domain}"));
        if !is_valid || known.domains.is_empty() {
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
