//! The answer to "may this customer use it?", as the shop's code reads it.
//!
//! Its JSON is stable: absent values are `null`, times are RFC 3339 in UTC, numbers are integers.
//!
//! ```json
//! {"feature":"seats","allowed":true,"kind":"limit","limit":7,"unlimited":false,"level":null,
//!  "soft":false,"until":null,"next_change":"2026-02-01T00:00:00Z","why":"in_plan",
//!  "sources":[{"kind":"plan","key":"grove","subscription":"sub_1","payment":null,"limit":5,
//!              "unlimited":false,"level":null,"soft":false,"until":null},
//!             {"kind":"add_on","key":"seat","subscription":"sub_1","payment":null,"limit":2,
//!              "unlimited":false,"level":null,"soft":false,"until":"2026-02-01T00:00:00Z"}],
//!  "as_of":"2026-01-15T10:00:00Z"}
//! ```

use crate::catalog::feature::FeatureKind;
use crate::ids::ObjectId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// All features of the catalog, for one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Entitlements {
    /// The moment of the answer. Nothing else in it depends on the clock until `next_change`: who
    /// compares answers leaves it out.
    pub as_of: Timestamp,
    /// The first of the features' moments of this name.
    pub next_change: Option<Timestamp>,
    /// An answer for each feature, by its key.
    pub features: Vec<Answer>,
}

/// What one customer may use of one feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Answer {
    /// The feature's key.
    pub feature: Arc<str>,
    /// Whether the customer may use it, and as much of it as was asked for.
    pub allowed: bool,
    /// `flag`, `limit` or `tier`; `null` for a feature that the catalog does not list.
    pub kind: Option<FeatureKind>,
    /// Of a limit: how many in all; `null` where there is no limit. Of other kinds `null`.
    pub limit: Option<u64>,
    /// Of a limit: whether any number may be used.
    pub unlimited: bool,
    /// Of a tier: the level, which is the first of the list where nothing gives one.
    pub level: Option<Arc<str>>,
    /// Whether what is allowed is allowed for the time being: the shop may warn, or allow less.
    pub soft: bool,
    /// When it is allowed no more, if nothing else is heard until then. `null` where it is not
    /// allowed, or goes on until an event says otherwise.
    pub until: Option<Timestamp>,
    /// When any part of this answer changes by itself: earlier than `until` where one source of
    /// several ends.
    pub next_change: Option<Timestamp>,
    /// Why it is allowed, or is not.
    pub why: AccessReason,
    /// What gives it: plans, then add-ons, then purchases.
    pub sources: Vec<EntitlementSource>,
    /// The moment of the answer.
    pub as_of: Timestamp,
}

/// One thing that gives a feature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EntitlementSource {
    /// `plan`, `add_on` or `purchase`.
    pub kind: EntitlementSourceKind,
    /// The shop's key of the product.
    pub key: Arc<str>,
    /// The subscription that it belongs to, by the provider's id.
    pub subscription: Option<ObjectId>,
    /// The payment that it was bought with, by the provider's id.
    pub payment: Option<ObjectId>,
    /// Of a limit: how many this one gives.
    pub limit: Option<u64>,
    /// Of a limit: whether this one gives any number.
    pub unlimited: bool,
    /// Of a tier: the level that this one gives.
    pub level: Option<Arc<str>>,
    /// Whether this one gives it for the time being.
    pub soft: bool,
    /// When this one gives it no more, if nothing else is heard until then.
    pub until: Option<Timestamp>,
}

/// The kind of what gives a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum EntitlementSourceKind {
    /// A plan.
    Plan,
    /// An add-on.
    AddOn,
    /// A one-off purchase.
    Purchase,
}

/// Why something is allowed, or is not. Of several reasons that hold, the answer names the first
/// in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum AccessReason {
    /// The plan gives it.
    InPlan,
    /// An add-on gives it.
    AddOn,
    /// A one-off purchase gives it.
    Purchase,
    /// It comes with a trial.
    Trial,
    /// A renewal failed, and the access policy lets it go on.
    GracePastDue,
    /// Not: what was paid for it is disputed, or a dispute of it was lost.
    Disputed,
    /// Not: the subscription, or its collection, is paused.
    Paused,
    /// Not: what was paid for it went back.
    Refunded,
    /// Not: its time is over, or that of a trial, or that which a failed renewal leaves.
    Expired,
    /// Not: the subscription ended.
    Ended,
    /// Not: nothing that the customer has or had gives it, or nothing gives so much.
    None,
    /// Not: the catalog lists no such feature.
    UnknownFeature,
    /// Not: no such customer is known.
    UnknownCustomer,
}

/// What somebody wants to use of a feature: a number of it, or a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Want {
    /// So many.
    Quantity(u64),
    /// This level or a higher one; a number as text is a number.
    Level(Arc<str>),
}

impl Answer {
    /// The answer of which nothing is known but the feature's key: it is not allowed.
    pub(super) fn refused(feature: &str, why: AccessReason, now: Timestamp) -> Self {
        Self {
            feature: feature.into(),
            allowed: false,
            kind: None,
            limit: None,
            unlimited: false,
            level: None,
            soft: false,
            until: None,
            next_change: None,
            why,
            sources: Vec::new(),
            as_of: now,
        }
    }

    /// The answer about a customer who is not known.
    pub fn unknown_customer(feature: &str, now: Timestamp) -> Self {
        Self::refused(feature, AccessReason::UnknownCustomer, now)
    }
}

impl From<EntitlementSourceKind> for AccessReason {
    fn from(kind: EntitlementSourceKind) -> Self {
        match kind {
            EntitlementSourceKind::Plan => Self::InPlan,
            EntitlementSourceKind::AddOn => Self::AddOn,
            EntitlementSourceKind::Purchase => Self::Purchase,
        }
    }
}

impl Want {
    /// As a number, if it is one.
    pub(super) fn quantity(&self) -> Option<u64> {
        match self {
            Self::Quantity(quantity) => Some(*quantity),
            Self::Level(text) => text.parse().ok(),
        }
    }

    /// As a word, if it is one.
    pub(super) fn level(&self) -> Option<&str> {
        match self {
            Self::Quantity(_) => None,
            Self::Level(level) => Some(level),
        }
    }
}
