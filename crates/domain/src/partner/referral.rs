//! Referrals: what partners report, what is decided of it, and on what terms.

use crate::ids::PartnerId;
use crate::partner::identity::PartnerIdentity;
use crate::partner::program::Program;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A partner's report of a customer it sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralSnapshot {
    /// Who reports.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner sent the customer.
    pub referred_at: Timestamp,
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

/// A report's program as it was in force when the partner sent the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributionTerms {
    /// The partner whose terms they are.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner signed the report.
    pub reported_at: Timestamp,
    /// On what terms.
    pub program: Program,
    /// Who the partner is.
    #[serde(default)]
    pub identity: PartnerIdentity,
}

/// A code that was given to a partner: whoever pays with it from then on was sent by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeGranted {
    /// The code.
    pub code: Arc<str>,
    /// Whose it is.
    pub partner: PartnerId,
    /// On what terms.
    pub program: Program,
    /// Who the partner is.
    #[serde(default)]
    pub identity: PartnerIdentity,
}

/// What a person says of a suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is an honest referral.
    Release,
    /// It counts for nothing.
    Void,
}

/// Why a report does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferralRefusal {
    /// Its partner took it back.
    Canceled,
    /// A person decided so.
    Void,
    /// The first payment lies too far from it.
    OutsideWindow,
    /// The report of another partner counts.
    AnotherPartner,
    /// Another report of the same partner counts.
    AnotherReport,
}

impl ReferralRefusal {
    /// As it stands in JSON.
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
