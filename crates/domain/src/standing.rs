//! How partners' reports stand, and which of it was told: rows that are never edited or deleted,
//! decided with the record's write like those of the commission ledger.
//!
//! A partner must not learn who is one of the shop's by reporting address after address. So
//! nothing is told before the customer's first payment counts, but what a person decided.

use crate::ids::{CustomerKey, PartnerId};
use crate::program::Suspicion;
use crate::state::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How a report stands on one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", content = "reason", rename_all = "snake_case")]
pub enum Standing {
    /// No payment counts, though one did: this is told only after another standing.
    Waiting,
    /// It is the one that counts.
    Attributed,
    /// It is the one that counts, and what it earns waits for a person.
    Held(Suspicion),
    /// It does not count.
    Refused(Reason),
}

/// Why a report does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
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

/// One row of what a partner is told. Its key is referral, customer and number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingRow {
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
    pub standing: Standing,
    /// When it was decided, by our clock.
    pub at: Timestamp,
}

/// What was told of a customer last. Bookkeeping: a cache of the rows, which can be
/// [recalled](Standings::recalled) from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standings {
    /// The number of the next row of this customer.
    #[serde(default)]
    pub next: u64,
    /// By `partner/referral`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<String, Standing>,
}

impl Standing {
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

impl Reason {
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

/// How each report of a partner with a program stands, by `partner/referral`: a function of the
/// events alone. Of those of which nothing is to be told, nothing.
pub fn standings(state: &State) -> BTreeMap<&String, Standing> {
    if state.partners.pins.is_empty() {
        return BTreeMap::new();
    }
    let paid = state.first_paid_at().is_some();
    let attribution = state.attribution();
    let of_one = |key: &String| {
        let referral = state.referrals.get(key)?;
        let standing = match state.refusal(key, referral) {
            Some(Reason::Void) => Standing::Refused(Reason::Void),
            _ if !paid => return None,
            Some(reason) => Standing::Refused(reason),
            None => match attribution? {
                counts if counts.referral == referral => {
                    let held = counts.suspicion.map(Standing::Held);
                    held.unwrap_or(Standing::Attributed)
                }
                counts if counts.referral.partner == referral.partner => {
                    Standing::Refused(Reason::AnotherReport)
                }
                _ => Standing::Refused(Reason::AnotherPartner),
            },
        };
        Some(standing)
    };
    let pinned = state.partners.pins.keys();
    pinned.filter_map(|key| Some((key, of_one(key)?))).collect()
}

impl Standings {
    /// Nothing told.
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }

    /// What these rows told: all there are of this customer, in any order, none twice.
    pub fn recalled<'a>(rows: impl IntoIterator<Item = &'a StandingRow>) -> Self {
        let mut rows: Vec<&StandingRow> = rows.into_iter().collect();
        rows.sort_by_key(|row| row.n);
        let mut recalled = Self::default();
        for row in rows {
            let key = crate::attribution::key(&row.partner, &row.referral);
            recalled.told.insert(key, row.standing);
            recalled.next = row.n.saturating_add(1);
        }
        recalled
    }

    /// The rows that tell what is different by now, and what is then told.
    pub(crate) fn settle(
        &self,
        customer: &CustomerKey,
        state: &State,
        now: Timestamp,
    ) -> (Self, Vec<StandingRow>) {
        let mut next = self.clone();
        let mut rows = Vec::new();
        let standings = standings(state);
        // What was told of a code may turn out to be of none: it was another partner's by then.
        let keys: BTreeSet<&String> = standings.keys().copied().chain(self.told.keys()).collect();
        for key in keys {
            let told = self.told.get(key).copied();
            let standing = standings.get(key).copied().unwrap_or(Standing::Waiting);
            if standing == told.unwrap_or(Standing::Waiting) {
                continue;
            }
            let Some((partner, referral)) = key.split_once('/') else {
                continue;
            };
            rows.push(StandingRow {
                partner: PartnerId::new(partner),
                referral: referral.into(),
                customer: customer.clone(),
                n: next.next,
                standing,
                at: now,
            });
            next.next = next.next.saturating_add(1);
            next.told.insert(key.clone(), standing);
        }
        (next, rows)
    }
}
