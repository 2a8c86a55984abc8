//! Referrals: what partners report, on what terms, and what people decide about it.

use crate::ids::PartnerId;
use crate::partner::identity::PartnerIdentity;
use crate::partner::program::Program;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A partner's report that it sent a customer, as an event shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralSnapshot {
    /// The partner that reports.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner sent the customer.
    pub referred_at: Timestamp,
}

/// A referral, as its events together show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// The partner that reported it.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner sent the customer.
    pub referred_at: Timestamp,
    /// Whether the partner canceled it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canceled: bool,
}

/// The terms of a report: the program in force when it was reported. They stay the same when the
/// program changes later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributionTerms {
    /// The partner that reported.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner signed the report.
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
    pub code: Arc<str>,
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
