//! Referrals: what partners report, on what terms, and what people decide about it.

use crate::ids::{PartnerId, Reference, ReferralCode};
use crate::partner::identity::PartnerIdentity;
use crate::partner::program::Program;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A partner's own ids of the campaign, page or person through which a customer came: values by
/// name, both as the partner writes them.
pub type SubIds = BTreeMap<Arc<str>, Arc<str>>;

/// A partner's report that it sent a customer, as an event shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralSnapshot {
    /// The partner that reports.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner sent the customer, as the partner says. It proves nothing.
    pub referred_at: Timestamp,
    /// When the report was first heard, by our clock. Older reports do not have it, and count as
    /// heard before all that do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// All that the report names its customer by. Older reports do not have it; theirs are the
    /// references of their event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Reference>,
    /// The partner's own ids of the click.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sub_ids: SubIds,
}

/// A referral, as its events together show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// The partner that reported it.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner sent the customer, as the partner says.
    pub referred_at: Timestamp,
    /// When it was first heard of, by our clock. `None` for older reports, for codes, and while
    /// only the cancellation is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// All that its report names the customer by: it is about whoever has all of these names.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<Reference>,
    /// The partner's own ids of the click.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sub_ids: SubIds,
    /// Whether only its cancellation is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unreported: bool,
    /// Whether the partner canceled it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canceled: bool,
    /// When its cancellation was heard, where that was before its report. It is heard of from then
    /// on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled_first_at: Option<Timestamp>,
}

impl Referral {
    /// A referral of which no report is known.
    pub(crate) fn new(partner: PartnerId, referral: Arc<str>, referred_at: Timestamp) -> Self {
        Self {
            partner,
            referral,
            referred_at,
            reported_at: None,
            names: BTreeSet::new(),
            sub_ids: SubIds::new(),
            is_unreported: false,
            canceled: false,
            canceled_first_at: None,
        }
    }
}

/// The terms of a report: the program in force when it was reported. They stay the same when the
/// program changes later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributionTerms {
    /// The partner that reported.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the report was first heard, by our clock; of older reports when it was signed.
    pub reported_at: Timestamp,
    /// The program in force.
    pub program: Program,
    /// What the partner is recognized by.
    #[serde(default)]
    pub identity: PartnerIdentity,
}

/// A code that was given to a partner. A customer who uses it from then on was sent by the partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeGranted {
    /// The code.
    pub code: ReferralCode,
    /// The partner that has it.
    pub partner: PartnerId,
    /// The program in force.
    pub program: Program,
    /// What the partner is recognized by.
    #[serde(default)]
    pub identity: PartnerIdentity,
}

/// A person's decision about a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The referral counts, and its commissions wait no longer.
    Release,
    /// The referral does not count.
    Void,
}

/// Why a referral does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferralRefusal {
    /// Its partner canceled it.
    Canceled,
    /// A person voided it.
    Void,
    /// It is too far in time from the first payment.
    OutsideWindow,
    /// Another partner's referral counts.
    AnotherPartner,
    /// Another referral of the same partner counts.
    AnotherReport,
}

impl ReferralRefusal {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Void => "void",
            Self::OutsideWindow => "outside_window",
            Self::AnotherPartner => "another_partner",
            Self::AnotherReport => "another_report",
        }
    }
}
