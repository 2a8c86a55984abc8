//! The status of partners' referrals, and what partners were told of it: rows that are never
//! changed or deleted. Like the rows of the commission ledger they are decided with the record's
//! write.
//!
//! A partner must not find out who is a customer of the shop by reporting one address after
//! another. So before the customer's first payment a partner is told nothing, except that a person
//! voided the referral.

use crate::ids::{CustomerKey, PartnerId, normalize_referral_id};
use crate::partner::attribution::{Partners, referral_key};
use crate::partner::identity::SelfReferralSignal;
use crate::partner::referral::{ReferralRefusal, SubIds};
use crate::payment::payments::Payments;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The status of a referral for one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", content = "reason", rename_all = "snake_case")]
pub enum ReferralStatus {
    /// No payment counts. A partner is told this only after another status.
    Waiting,
    /// It is the referral that counts.
    Attributed,
    /// It is the referral that counts, but its commissions wait for a person's decision.
    Held(SelfReferralSignal),
    /// It does not count.
    Refused(ReferralRefusal),
}

/// One row of what a partner is told: a change of a referral's status. Its key is made of referral,
/// customer and number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralStatusRow {
    /// The partner that reported.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// The partner's own ids of the referral.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sub_ids: SubIds,
    /// The customer it is about.
    pub customer: CustomerKey,
    /// Its number among the customer's rows of this kind, from 0.
    pub n: u64,
    /// The status from now on.
    #[serde(flatten)]
    pub status: ReferralStatus,
    /// When it was decided, by our clock.
    pub at: Timestamp,
}

/// What partners were told last about a customer. It is bookkeeping: a cache that can be made again
/// [from the rows](ReferralStatuses::from_rows).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralStatuses {
    /// The number of the customer's next row.
    #[serde(default)]
    pub next_number: u64,
    /// The status told last, by `partner/referral`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statuses: BTreeMap<String, ReferralStatus>,
}

impl ReferralStatus {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Attributed => "attributed",
            Self::Held(_) => "held",
            Self::Refused(_) => "refused",
        }
    }

    /// The name of its reason, for a held or refused referral.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Waiting | Self::Attributed => None,
            Self::Held(signal) => Some(signal.as_str()),
            Self::Refused(reason) => Some(reason.as_str()),
        }
    }
}

/// The status of each referral of a partner with a program, by `partner/referral`. It depends on
/// the events alone. Referrals of which the partner may be told nothing are left out.
pub fn referral_statuses<'a>(
    partners: &'a Partners,
    payments: &Payments,
) -> BTreeMap<&'a String, ReferralStatus> {
    if partners.attribution_terms.is_empty() {
        return BTreeMap::new();
    }
    let first_paid_at = partners.first_paid_at(payments);
    let attribution = partners.attribution(payments);
    let status_of = |key: &String| {
        let referral = partners.referrals.get(key)?;
        if !partners.is_about_customer(referral) {
            return None;
        }
        let status = match partners.refusal(key, referral, first_paid_at) {
            Some(ReferralRefusal::Void) => ReferralStatus::Refused(ReferralRefusal::Void),
            _ if first_paid_at.is_none() => return None,
            Some(reason) => ReferralStatus::Refused(reason),
            None => match attribution? {
                counts if counts.referral == referral => {
                    let held = counts.self_referral_signal.map(ReferralStatus::Held);
                    held.unwrap_or(ReferralStatus::Attributed)
                }
                counts if counts.referral.partner == referral.partner => {
                    ReferralStatus::Refused(ReferralRefusal::AnotherReport)
                }
                _ => ReferralStatus::Refused(ReferralRefusal::AnotherPartner),
            },
        };
        Some(status)
    };
    let keys = partners.attribution_terms.keys();
    keys.filter_map(|key| Some((key, status_of(key)?)))
        .collect()
}

impl ReferralStatuses {
    /// Whether no partner was ever told anything.
    pub fn is_empty(&self) -> bool {
        self.next_number == 0
    }

    /// The statuses that these rows told. They must be all rows of the customer, each once, in any
    /// order.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = &'a ReferralStatusRow>) -> Self {
        let mut rows: Vec<&ReferralStatusRow> = rows.into_iter().collect();
        rows.sort_by_key(|row| row.n);
        let mut statuses = Self::default();
        for row in rows {
            let key = referral_key(&row.partner, &row.referral);
            statuses.statuses.insert(key, row.status);
            statuses.next_number = row.n.saturating_add(1);
        }
        statuses
    }

    /// What was told, by today's keys: earlier versions told of codes as they were typed.
    fn by_key(&self) -> BTreeMap<String, ReferralStatus> {
        let key = |key: &String| match key.split_once('/') {
            Some((partner, referral)) => {
                format!("{partner}/{}", normalize_referral_id(referral))
            }
            None => key.clone(),
        };
        let told = self.statuses.iter();
        told.map(|(old, status)| (key(old), *status)).collect()
    }

    /// The rows that tell what has changed, and the statuses told with them.
    pub(crate) fn reconcile(
        &self,
        customer: &CustomerKey,
        partners: &Partners,
        payments: &Payments,
        now: Timestamp,
    ) -> (Self, Vec<ReferralStatusRow>) {
        let mut next = Self {
            statuses: self.by_key(),
            ..self.clone()
        };
        let mut rows = Vec::new();
        let told = next.statuses.clone();
        let current = referral_statuses(partners, payments);
        // A status that was told may have lost its referral: the code was another partner's by
        // then.
        let keys: BTreeSet<&String> = current.keys().copied().chain(told.keys()).collect();
        for key in keys {
            let last = told.get(key).copied();
            let status = current.get(key).copied().unwrap_or(ReferralStatus::Waiting);
            if status == last.unwrap_or(ReferralStatus::Waiting) {
                continue;
            }
            let Some((partner, referral)) = key.split_once('/') else {
                continue;
            };
            let Ok(partner) = PartnerId::parse(partner) else {
                continue;
            };
            let known = partners.referrals.get(key);
            rows.push(ReferralStatusRow {
                partner,
                sub_ids: known.map(|known| known.sub_ids.clone()).unwrap_or_default(),
                referral: referral.into(),
                customer: customer.clone(),
                n: next.next_number,
                status,
                at: now,
            });
            next.next_number = next.next_number.saturating_add(1);
            next.statuses.insert(key.clone(), status);
        }
        (next, rows)
    }
}
