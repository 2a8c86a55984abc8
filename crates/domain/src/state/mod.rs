//! The folded part of a record: what all known events together say of a customer, one slice for
//! each capability.

pub mod fold;

use crate::ids::PartnerId;
use crate::partner::attribution::{Attribution, Partners};
use crate::partner::referral::{Decision, Referral};
use crate::partner::tiers;
use crate::payment::invoice::Invoices;
use crate::payment::payments::{Payments, is_zero};
use crate::person::Person;
use crate::subscription::state::Subscriptions;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything the events say. Equal sets of events give equal states, whatever their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerState {
    /// Who it is.
    #[serde(default)]
    pub person: Person,
    /// Subscriptions by id; an ended one stays, and stays ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subscriptions: Subscriptions,
    /// Payments, refunds and disputes.
    #[serde(default, skip_serializing_if = "Payments::is_empty")]
    pub payments: Payments,
    /// Invoices that could not be collected at once, the latest few.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub invoices: Invoices,
    /// Who says that they sent the customer, and what that rests on.
    #[serde(default, skip_serializing_if = "Partners::is_empty")]
    pub partners: Partners,
    /// How many events are quarantined.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unclear: u32,
}

impl CustomerState {
    /// The referral that counts: see [`Partners::attribution`].
    pub fn attribution(&self) -> Option<Attribution<'_>> {
        self.partners.attribution(&self.payments)
    }

    /// A referral of a partner, as the partner names it; of a code `code/NAME`.
    pub fn referral(&self, partner: &PartnerId, referral: &str) -> Option<&Referral> {
        self.partners.referral(partner, referral)
    }

    /// The last decision of a person on it.
    pub fn decision(&self, partner: &PartnerId, referral: &str) -> Option<Decision> {
        self.partners.decision(partner, referral)
    }

    /// The partner for which this customer counts as active: see [`tiers::active_for`].
    pub fn active_for(&self, now: Timestamp) -> Option<&PartnerId> {
        tiers::active_for(&self.partners, &self.payments, &self.subscriptions, now)
    }
}
