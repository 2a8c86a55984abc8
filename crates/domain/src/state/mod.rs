//! The folded part of a record: what all events say of a customer. Each capability has one slice of
//! it.

pub mod fold;

use crate::ids::{CustomerKey, PartnerId};
use crate::partner::attribution::{Attribution, Partners};
use crate::partner::referral::{Decision, Referral};
use crate::partner::tiers;
use crate::payment::invoice::Invoices;
use crate::payment::payments::{Payments, is_zero};
use crate::person::Person;
use crate::subscription::state::Subscriptions;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What all events of a customer say. Equal sets of events give equal states, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerState {
    /// Who the customer is.
    #[serde(default)]
    pub person: Person,
    /// Subscriptions by id. An ended one stays ended; the latest of them stay in the record.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subscriptions: Subscriptions,
    /// How many subscriptions left the record: see [`crate::subscription::closing`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub closed_subscriptions: u32,
    /// Whether there was no room for all subscriptions but the ended ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub crowded: bool,
    /// Payments with their refunds and disputes.
    #[serde(default, skip_serializing_if = "Payments::is_empty")]
    pub payments: Payments,
    /// The latest invoices that failed at least once, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub invoices: Invoices,
    /// Which partners report that they sent the customer, and on what terms.
    #[serde(default, skip_serializing_if = "Partners::is_empty")]
    pub partners: Partners,
    /// The customers whom a guest turned out to be. Then nothing else stands here: it stands in
    /// theirs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub identified_as: BTreeSet<CustomerKey>,
    /// The number of quarantined events.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unclear: u32,
}

impl CustomerState {
    /// The referral that counts. See [`Partners::attribution`].
    pub fn attribution(&self) -> Option<Attribution<'_>> {
        self.partners.attribution(&self.payments)
    }

    /// A partner's referral by the partner's id of it; `code/NAME` for a referral by code.
    pub fn referral(&self, partner: &PartnerId, referral: &str) -> Option<&Referral> {
        self.partners.referral(partner, referral)
    }

    /// The last decision of a person on a referral, named as in [`referral`](Self::referral).
    pub fn decision(&self, partner: &PartnerId, referral: &str) -> Option<Decision> {
        self.partners.decision(partner, referral)
    }

    /// The partner for which this customer counts as active. See [`tiers::active_for`].
    pub fn active_for(&self, now: Timestamp) -> Option<&PartnerId> {
        tiers::active_for(&self.partners, &self.payments, &self.subscriptions, now)
    }
}
