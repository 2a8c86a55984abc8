//! The folded part of a record: what all known events together say of a customer.

pub mod fold;

use crate::event::Profile;
use crate::ids::{ObjectId, PartnerId};
use crate::money::{Currency, Money};
use crate::partner::attribution::Partners;
use crate::payment::payments::Payments;
use crate::payment::snapshot::InvoiceState;
use crate::subscription::terms::SubscriptionTerms;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything the events say. Equal sets of events give equal states, whatever their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerState {
    /// Who it is.
    #[serde(default)]
    pub person: Person,
    /// Subscriptions by id; an ended one stays, and stays ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subscriptions: BTreeMap<ObjectId, Subscription>,
    /// Payments, refunds and disputes.
    #[serde(default, skip_serializing_if = "Payments::is_empty")]
    pub payments: Payments,
    /// Invoices that could not be collected at once, the latest few.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub invoices: BTreeMap<ObjectId, Invoice>,
    /// Partners' reports, by `partner/referral`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub referrals: BTreeMap<String, Referral>,
    /// What attribution rests on besides the reports.
    #[serde(default, skip_serializing_if = "Partners::is_empty")]
    pub partners: Partners,
    /// Referral codes seen in what the provider sent.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub codes: BTreeSet<Arc<str>>,
    /// How many events are quarantined.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unclear: u32,
}

/// Who a customer is: what its provider states as a whole, and what else was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The provider's customer object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_profile: Option<Profile>,
    /// Seen elsewhere; fills gaps.
    #[serde(default)]
    pub fallback_profile: Profile,
    /// When the provider deleted the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// A subscription as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// When it began.
    pub started_at: Timestamp,
    /// What it is billed in, once an event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Status, items, period, trial, cancel and pause.
    #[serde(flatten)]
    pub terms: SubscriptionTerms,
    /// When its end was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When it was first seen running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// The instant of the statement these terms come from.
    pub as_of: Timestamp,
    /// Statements of one instant contradict each other and nothing says which came last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
}

/// An invoice that failed at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// How it stands.
    pub state: InvoiceState,
    /// Of which subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
    /// What was owed when it failed.
    pub due: Money,
    /// When it first failed.
    pub failed_at: Timestamp,
    /// How often collection was tried.
    #[serde(default)]
    pub attempts: u32,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// When it was paid or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
}

/// A partner's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// Who reported.
    pub partner: PartnerId,
    /// The partner's id of it.
    pub referral: Arc<str>,
    /// When the partner sent the customer.
    pub referred_at: Timestamp,
    /// Taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canceled: bool,
}

impl Person {
    /// The address to write to, unless the provider deleted the customer.
    pub fn email(&self) -> Option<&str> {
        if self.deleted_at.is_some() {
            return None;
        }
        self.field(|profile| profile.email.as_deref())
    }

    /// The name.
    pub fn name(&self) -> Option<&str> {
        self.field(|profile| profile.name.as_deref())
    }

    /// The language, as a BCP 47 tag.
    pub fn locale(&self) -> Option<&str> {
        self.field(|profile| profile.locale.as_deref())
    }

    /// The country.
    pub fn country(&self) -> Option<&str> {
        self.field(|profile| profile.country.as_deref())
    }

    /// Every address known, also of a customer that the provider deleted.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        let stated = self
            .provider_profile
            .as_ref()
            .and_then(|p| p.email.as_deref());
        stated
            .into_iter()
            .chain(self.fallback_profile.email.as_deref())
    }

    fn field<'a>(&'a self, get: impl Fn(&'a Profile) -> Option<&'a str>) -> Option<&'a str> {
        self.provider_profile
            .as_ref()
            .and_then(&get)
            .or_else(|| get(&self.fallback_profile))
    }
}

pub(crate) fn is_zero(count: &u32) -> bool {
    *count == 0
}
