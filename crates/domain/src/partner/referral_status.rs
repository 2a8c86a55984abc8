//! The status of partners' reports, and what partners know of it: rows that are never edited or
//! deleted, decided with the record's write like those of the commission ledger.
//!
//! A partner must not learn who is one of the shop's by reporting address after address. So
//! nothing is told before the customer's first payment counts, but what a person decided.

use crate::ids::{CustomerKey, PartnerId};
use crate::partner::attribution::{Partners, referral_key};
use crate::partner::identity::SelfReferralSignal;
use crate::partner::referral::ReferralRefusal;
use crate::payment::payments::Payments;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How a report stands on one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", content = "reason", rename_all = "snake_case")]
pub enum ReferralStatus {
    /// No payment counts, though one did: this is told only after another standing.
    Waiting,
    /// It is the one that counts.
    Attributed,
    /// It is the one that counts, and what it earns waits for a person.
    Held(SelfReferralSignal),
    /// It does not count.
    Refused(ReferralRefusal),
}

/// One row of what a partner is told of a report. Its key is referral, customer and number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralStatusRow {
    /// Who reported.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// Who it is about.
    pub customer: CustomerKey,
    /// Its number among the customer's rows of this kind.
    pub n: u64,
    /// How it stands from now on.
    #[serde(flatten)]
    pub status: ReferralStatus,
    /// When it was decided, by our clock.
    pub at: Timestamp,
}

/// What was told of a customer last. Bookkeeping: a cache of the rows, which can be
/// [recalled](ReferralStatuses::from_rows) from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralStatuses {
    /// The number of the next row of this customer.
    #[serde(default)]
    pub next_number: u64,
    /// By `partner/referral`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statuses: BTreeMap<String, ReferralStatus>,
}

impl ReferralStatus {
    /// As it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Attributed => "attributed",
            Self::Held(_) => "held",
            Self::Refused(_) => "refused",
        }
    }

    /// The code of its reason.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Waiting | Self::Attributed => None,
            Self::Held(suspicion) => Some(suspicion.as_str()),
            Self::Refused(reason) => Some(reason.as_str()),
        }
    }
}

/// How each report of a partner with a program stands, by `partner/referral`: a function of the
/// events alone. Of those of which nothing is to be told, nothing.
pub fn referral_statuses<'a>(
    partners: &'a Partners,
    payments: &Payments,
) -> BTreeMap<&'a String, ReferralStatus> {
    if partners.attribution_terms.is_empty() {
        return BTreeMap::new();
    }
    let paid = partners.first_paid_at(payments).is_some();
    let attribution = partners.attribution(payments);
    let of_one = |key: &String| {
        let referral = partners.referrals.get(key)?;
        let standing = match partners.refusal(key, referral, payments) {
            Some(ReferralRefusal::Void) => ReferralStatus::Refused(ReferralRefusal::Void),
            _ if !paid => return None,
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
        Some(standing)
    };
    let pinned = partners.attribution_terms.keys();
    pinned.filter_map(|key| Some((key, of_one(key)?))).collect()
}

impl ReferralStatuses {
    /// Nothing was told yet.
    pub fn is_empty(&self) -> bool {
        self.next_number == 0
    }

    /// What these rows told: all there are of this customer, in any order, none twice.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = &'a ReferralStatusRow>) -> Self {
        let mut rows: Vec<&ReferralStatusRow> = rows.into_iter().collect();
        rows.sort_by_key(|row| row.n);
        let mut recalled = Self::default();
        for row in rows {
            let key = referral_key(&row.partner, &row.referral);
            recalled.statuses.insert(key, row.status);
            recalled.next_number = row.n.saturating_add(1);
        }
        recalled
    }

    /// The rows that tell what is different by now, and what is then told.
    pub(crate) fn reconcile(
        &self,
        customer: &CustomerKey,
        partners: &Partners,
        payments: &Payments,
        now: Timestamp,
    ) -> (Self, Vec<ReferralStatusRow>) {
        let mut next = self.clone();
        let mut rows = Vec::new();
        let standings = referral_statuses(partners, payments);
        // What was told of a code may turn out to be of none: it was another partner's by then.
        let keys: BTreeSet<&String> = standings
            .keys()
            .copied()
            .chain(self.statuses.keys())
            .collect();
        for key in keys {
            let last = self.statuses.get(key).copied();
            let standing = standings
                .get(key)
                .copied()
                .unwrap_or(ReferralStatus::Waiting);
            if standing == last.unwrap_or(ReferralStatus::Waiting) {
                continue;
            }
            let Some((partner, referral)) = key.split_once('/') else {
                continue;
            };
            rows.push(ReferralStatusRow {
                partner: PartnerId::new(partner),
                referral: referral.into(),
                customer: customer.clone(),
                n: next.next_number,
                status: standing,
                at: now,
            });
            next.next_number = next.next_number.saturating_add(1);
            next.statuses.insert(key.clone(), standing);
        }
        (next, rows)
    }
}
