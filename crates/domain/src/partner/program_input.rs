//! A program's terms, and a partner's identity, as people write them.

use crate::money::Money;
use crate::partner::identity::PartnerIdentity;
use crate::partner::program::BadProgram;
use crate::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use crate::partner::rate::{Days, Rate, excerpt};
use crate::partner::tiers::{ProgramTerms, Tier};
use serde::{Deserialize, Deserializer};
use std::fmt::Display;
use std::str::FromStr;

/// The terms of a program as people write them. A term that is left out stays as it is in the
/// program that these are merged onto.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProgramInput {
    /// The part of each payment without tax that is earned: `20%`.
    #[serde(deserialize_with = "from_text")]
    pub rate: Option<Rate>,
    /// The amount that is earned for each payment in its currency: `5.00 eur`.
    #[serde(deserialize_with = "from_text")]
    pub fixed: Option<Money>,
    /// Payments earn for this number of months from the first one.
    pub months: Option<u16>,
    /// Only the first payment earns.
    pub first_payment: bool,
    /// Every payment earns.
    pub life: bool,
    /// The days from a payment until its commission is released: `30d`.
    #[serde(deserialize_with = "from_text")]
    pub hold: Option<Days>,
    /// The largest number of days between a report and the first payment, in either order: `60d`.
    #[serde(deserialize_with = "from_text")]
    pub window: Option<Days>,
    /// Which report counts when there are several: `first` or `last`.
    pub attribution_model: Option<AttributionModel>,
    /// Other rewards from a number of active customers on: `10:25%`, `50:30%`.
    #[serde(deserialize_with = "list_from_text")]
    pub tiers: Option<Vec<Tier>>,
}

impl ProgramInput {
    /// Whether it states no term.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The program terms with these terms in place of those of `base`. Without `base`, the program
    /// must be complete here.
    ///
    /// # Errors
    /// [`BadProgram`] when a term is missing, contradicts another or is out of its bounds.
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
        let duration = self.duration()?.or(base.map(|base| base.duration));
        let hold = self.hold.map(|days| days.0);
        let hold = hold.or(base.map(|base| base.hold_days));
        let window = self.window.map(|days| days.0);
        let window = window.or(base.map(|base| base.window_days));
        let attribution_model = self
            .attribution_model
            .or(base.map(|base| base.attribution_model));
        let (Some(reward), Some(duration), Some(hold_days), Some(window_days)) =
            (reward, duration, hold, window)
        else {
            let terms = [
                ("rate or fixed", reward.is_none()),
                ("months, first payment or life", duration.is_none()),
                ("hold", hold.is_none()),
                ("window", window.is_none()),
            ];
            let missing = terms.iter().filter(|(_, missing)| *missing);
            let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
            return Err(BadProgram::Missing(missing.join("; ")));
        };
        Program {
            reward,
            duration,
            hold_days,
            window_days,
            attribution_model: attribution_model.unwrap_or_default(),
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
    /// Adds an e-mail address, and its domain unless that is a public mail host.
    ///
    /// # Errors
    /// [`BadProgram::Email`] when the text is not an e-mail address.
    pub fn add_email(&mut self, email: &str) -> Result<(), BadProgram> {
        let identity = Self::of(email);
        if identity.mailboxes.is_empty() || email.trim().contains(char::is_whitespace) {
            return Err(BadProgram::Email);
        }
        self.merge(identity);
        Ok(())
    }

    /// Adds a company's domain.
    ///
    /// # Errors
    /// [`BadProgram::Domain`] when the text is not a domain, or is a public mail host.
    pub fn add_domain(&mut self, domain: &str) -> Result<(), BadProgram> {
        let is_allowed = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
        let well_formed = domain.contains('.') && domain.chars().all(is_allowed);
        // An identity made of an address there leaves out the domain of a public mail host.
        let identity = Self::of(&format!("anybody@{domain}"));
        if !well_formed || identity.domains.is_empty() {
            return Err(BadProgram::Domain(excerpt(domain)));
        }
        self.domains.extend(identity.domains);
        Ok(())
    }

    /// Adds everything of another identity.
    pub fn merge(&mut self, other: Self) {
        self.mailboxes.extend(other.mailboxes);
        self.domains.extend(other.domains);
        self.fingerprints.extend(other.fingerprints);
    }

    /// Whether it has everything of another identity.
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
            .find(|attribution_model| attribution_model.as_str() == text)
            .ok_or_else(|| BadProgram::AttributionModel(excerpt(text)))
    }
}

/// Reads a value from text in a file, as the command line reads it.
fn from_text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    let parsed = text.map(|text| text.parse::<T>());
    parsed.transpose().map_err(serde::de::Error::custom)
}

/// Reads a list of values from a list of texts.
fn list_from_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Tier>>, D::Error> {
    let texts = Option::<Vec<String>>::deserialize(deserializer)?;
    let parsed = texts.map(|texts| texts.iter().map(|text| text.parse()).collect());
    parsed.transpose().map_err(serde::de::Error::custom)
}
