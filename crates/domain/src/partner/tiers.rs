//! Tiers: a partner with many active customers earns more on those it sends next.
//!
//! A fold must not read other customers, so it knows nothing of tiers. The partner endpoint adds
//! the program of the tier that the partner has reached to each report. The audit, which reads
//! every record anyway, counts the active customers of each partner once a day.

use crate::ids::PartnerId;
use crate::money::Money;
use crate::partner::attribution::Partners;
use crate::partner::program::BadProgram;
use crate::partner::program::{Program, Reward};
use crate::partner::rate::Rate;
use crate::partner::rate::excerpt;
use crate::payment::payments::Payments;
use crate::subscription::state::Subscriptions;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What is agreed with a partner: a program, and other rewards for customers sent once enough of
/// its customers are active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramTerms {
    /// The program below the first tier. The tiers change only its reward.
    pub program: Program,
    /// The tiers, by rising number of active customers; at most 10.
    pub tiers: Vec<Tier>,
}

/// Another reward from a number of active customers on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// The number of active customers that is needed, from 1.
    pub from: u32,
    /// What is earned on customers sent from then on.
    pub reward: Reward,
}

impl ProgramTerms {
    /// The program for customers sent while the partner has `active` active customers: that of the
    /// highest tier reached.
    pub fn at(&self, active: u32) -> Program {
        let reached = self.tiers.iter().filter(|tier| tier.from <= active);
        let highest = reached.max_by_key(|tier| tier.from);
        Program {
            reward: highest.map_or(self.program.reward, |tier| tier.reward),
            ..self.program.clone()
        }
    }

    /// Returns the terms if there are not too many tiers, their numbers rise, and their rewards are
    /// of the same kind as the program's.
    ///
    /// # Errors
    /// [`BadProgram::Bounds`] names the first term that is out of its bounds.
    pub fn checked(self) -> Result<Self, BadProgram> {
        let outside = |what, value, bounds| {
            Err(BadProgram::Bounds {
                what,
                value,
                bounds,
            })
        };
        if self.tiers.len() > MAX_TIERS {
            let number = self.tiers.len().to_string();
            return outside("a number of tiers", number, "it must be at most 10");
        }
        let mut below = 0;
        for tier in &self.tiers {
            if tier.from <= below || tier.from > MAX_CUSTOMERS {
                let bounds = "the numbers of active customers must rise, from 1 to 1,000,000";
                return outside("a tier", tier.to_string(), bounds);
            }
            below = tier.from;
            if !tier.reward.is_like(self.program.reward) {
                let bounds = "it must be a rate or an amount in one currency, as in the program";
                return outside("a tier", tier.to_string(), bounds);
            }
            let program = Program {
                reward: tier.reward,
                ..self.program.clone()
            };
            program.checked()?;
        }
        Ok(self)
    }
}

impl From<Program> for ProgramTerms {
    fn from(program: Program) -> Self {
        Self {
            program,
            tiers: Vec::new(),
        }
    }
}

impl Reward {
    /// Whether both are rates, or amounts in one currency.
    fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::BasisPoints(_), Self::BasisPoints(_)) => true,
            (Self::Fixed(one), Self::Fixed(other)) => one.is_same_unit(other),
            (Self::BasisPoints(_), Self::Fixed(_)) | (Self::Fixed(_), Self::BasisPoints(_)) => {
                false
            }
        }
    }
}

/// The partner for which a customer counts as active. It has a program, its referral counts, and
/// nothing is held. The customer has paid and has a running subscription; a customer who never had
/// a subscription has paid within the last 365 days. `None` when there is no such partner.
pub fn active_for<'a>(
    partners: &'a Partners,
    payments: &Payments,
    subscriptions: &Subscriptions,
    now: Timestamp,
) -> Option<&'a PartnerId> {
    let attribution = partners.attribution(payments)?;
    attribution.terms?;
    partners.first_paid_at(payments)?;
    let active = if subscriptions.is_empty() {
        let last = payments.open.iter().filter_map(|p| p.paid_at()).max();
        last.is_some_and(|paid| now.duration_since(paid) <= A_YEAR)
    } else {
        let mut all = subscriptions.values();
        all.any(|subscription| subscription.terms.status.is_running())
    };
    let partner = &attribution.referral.partner;
    (active && attribution.self_referral_signal.is_none()).then_some(partner)
}

impl FromStr for Tier {
    type Err = BadProgram;

    fn from_str(text: &str) -> Result<Self, BadProgram> {
        let bad = || BadProgram::Tier(excerpt(text));
        let (from, reward) = text.split_once(':').ok_or_else(bad)?;
        let only_digits = from.bytes().all(|byte| byte.is_ascii_digit());
        let from = only_digits
            .then(|| from.parse().ok())
            .flatten()
            .ok_or_else(bad)?;
        let reward = match reward.trim_end().ends_with('%') {
            true => Reward::BasisPoints(reward.parse::<Rate>()?.0),
            false => Reward::Fixed(reward.parse::<Money>().map_err(|_| bad())?),
        };
        Ok(Self { from, reward })
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} active customers", self.reward, self.from)
    }
}

impl fmt::Display for ProgramTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program)?;
        let Some((first, more)) = self.tiers.split_first() else {
            return Ok(());
        };
        write!(f, "; {first}")?;
        more.iter().try_for_each(|tier| write!(f, ", {tier}"))
    }
}

const A_YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
const MAX_TIERS: usize = 10;
const MAX_CUSTOMERS: u32 = 1_000_000;
