//! A referral's status, as far as its partner may know it.

use domain::ids::PartnerId;
use domain::partner::referral::ReferralRefusal;
use domain::partner::referral_status::{ReferralStatus, ReferralStatusRow};
use jiff::Timestamp;
use providers::partner::ReportKind;
use runtime::http::HttpResponse;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Table;
use store::reports::{self, StoredReport};

/// Answers for one referral.
pub(crate) async fn respond<T: Table>(table: &T, partner: &PartnerId, id: &str) -> HttpResponse {
    let (reports, statuses) = match reports::read_referral(table, partner, id).await {
        Ok(known) => known,
        Err(error) => return HttpResponse::not_readable(&error),
    };
    match ReferralResponse::of(id, &reports, &statuses) {
        Some(referral) => HttpResponse::json(200, &referral),
        None => HttpResponse::error(404, &"no referral was reported under this id"),
    }
}

/// The answer to a partner's question.
#[derive(Serialize)]
struct ReferralResponse<'a> {
    referral_id: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reported_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sub_ids: BTreeMap<&'a str, &'a str>,
    /// One for each customer whose status is told: several may share an address or a code.
    customers: Vec<CustomerStatus>,
}

#[derive(Serialize)]
struct CustomerStatus {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    since: Timestamp,
}

impl<'a> ReferralResponse<'a> {
    /// None if nothing is known under the id.
    fn of(
        id: &'a str,
        reports: &'a [Arc<StoredReport>],
        statuses: &[Arc<ReferralStatusRow>],
    ) -> Option<Self> {
        if reports.is_empty() && statuses.is_empty() {
            return None;
        }
        let mut latest = BTreeMap::new();
        for row in statuses {
            let known = latest.entry(&row.customer).or_insert(row);
            if known.n < row.n {
                *known = row;
            }
        }
        let is = |report: &StoredReport, kind: ReportKind| &*report.kind == kind.as_str();
        let is_known_as = |kind| reports.iter().any(|report| is(report, kind));
        // What the partner itself said is no news of anybody.
        let unmet = if is_known_as(ReportKind::Canceled) {
            ("refused", Some(ReferralRefusal::Canceled.as_str()))
        } else if reports.iter().all(|report| is(report, ReportKind::Lead)) && !reports.is_empty() {
            ("lead", None)
        } else {
            ("waiting", None)
        };
        let best = latest.values().map(|row| row.status).max_by_key(rank);
        let (state, reason) = match best {
            None | Some(ReferralStatus::Waiting) => unmet,
            Some(best) => (best.as_str(), best.reason()),
        };
        let named = reports.iter().flat_map(|report| &report.sub_ids);
        Some(Self {
            referral_id: id,
            state,
            reason,
            reported_at: reports.iter().map(|report| report.signed_at).min(),
            sub_ids: named.map(|(name, text)| (&**name, &**text)).collect(),
            customers: latest
                .values()
                .take(MAX_CUSTOMERS)
                .map(|row| CustomerStatus {
                    state: row.status.as_str(),
                    reason: row.status.reason(),
                    since: row.at,
                })
                .collect(),
        })
    }
}

/// Of several customers' statuses, the one that comes first.
fn rank(standing: &ReferralStatus) -> u8 {
    match standing {
        ReferralStatus::Waiting => 0,
        ReferralStatus::Refused(_) => 1,
        ReferralStatus::Held(_) => 2,
        ReferralStatus::Attributed => 3,
    }
}

const MAX_CUSTOMERS: usize = 100;
