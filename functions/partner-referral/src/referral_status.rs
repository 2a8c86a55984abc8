//! A referral's status, as far as its partner may know it.

use domain::ids::PartnerId;
use domain::partner::identity::SelfReferralSignal;
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

/// How a referral stands.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "openapi",
    schemars(rename = "Referral", deny_unknown_fields)
)]
pub(crate) struct ReferralResponse<'a> {
    /// As you reported it.
    referral_id: &'a str,
    /// Of several customers the best. `lead`: no more than leads were reported. `waiting`: nobody
    /// it leads to has paid. `attributed`: what the customer pays earns. `held`: it waits for a
    /// person's decision. `refused`: it does not earn.
    state: ReferralState,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "StatusReason"))]
    reason: Option<StatusReason>,
    /// When the first report of it was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "Timestamp"))]
    reported_at: Option<Timestamp>,
    /// As you reported them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sub_ids: BTreeMap<&'a str, &'a str>,
    /// One for each customer of whom anything is told: several may share an address or a code.
    #[cfg_attr(feature = "openapi", schemars(length(max = MAX_CUSTOMERS)))]
    customers: Vec<CustomerStatus>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(inline, deny_unknown_fields))]
struct CustomerStatus {
    state: CustomerState,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "StatusReason"))]
    reason: Option<StatusReason>,
    since: Timestamp,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
enum ReferralState {
    Lead,
    Waiting,
    Attributed,
    Held,
    Refused,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
enum CustomerState {
    Waiting,
    Attributed,
    Held,
    Refused,
}

/// Of `held`: in what the customer looks like you, or `shared_code`: the report names only a code,
/// which anybody may show. Of `refused`: you took it back; a person
/// decided so; the first payment lies outside the window; another partner's report counts; another
/// report of yours counts.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Reason"))]
enum StatusReason {
    Canceled,
    Void,
    OutsideWindow,
    AnotherPartner,
    AnotherReport,
    SameEmail,
    SameDomain,
    SamePayment,
    SharedCode,
}

impl From<CustomerState> for ReferralState {
    fn from(state: CustomerState) -> Self {
        match state {
            CustomerState::Waiting => Self::Waiting,
            CustomerState::Attributed => Self::Attributed,
            CustomerState::Held => Self::Held,
            CustomerState::Refused => Self::Refused,
        }
    }
}

impl From<ReferralStatus> for CustomerState {
    fn from(status: ReferralStatus) -> Self {
        match status {
            ReferralStatus::Waiting => Self::Waiting,
            ReferralStatus::Attributed => Self::Attributed,
            ReferralStatus::Held(_) => Self::Held,
            ReferralStatus::Refused(_) => Self::Refused,
        }
    }
}

impl StatusReason {
    /// Why it stands so, where a reason is told.
    fn of(status: ReferralStatus) -> Option<Self> {
        match status {
            ReferralStatus::Waiting | ReferralStatus::Attributed => None,
            ReferralStatus::Held(signal) => Some(match signal {
                SelfReferralSignal::SameEmail => Self::SameEmail,
                SelfReferralSignal::SameDomain => Self::SameDomain,
                SelfReferralSignal::SamePayment => Self::SamePayment,
                SelfReferralSignal::SharedCode => Self::SharedCode,
            }),
            ReferralStatus::Refused(refusal) => Some(match refusal {
                ReferralRefusal::Canceled => Self::Canceled,
                ReferralRefusal::Void => Self::Void,
                ReferralRefusal::OutsideWindow => Self::OutsideWindow,
                ReferralRefusal::AnotherPartner => Self::AnotherPartner,
                ReferralRefusal::AnotherReport => Self::AnotherReport,
            }),
        }
    }
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
            (ReferralState::Refused, Some(StatusReason::Canceled))
        } else if reports.iter().all(|report| is(report, ReportKind::Lead)) && !reports.is_empty() {
            (ReferralState::Lead, None)
        } else {
            (ReferralState::Waiting, None)
        };
        let best = latest.values().map(|row| row.status).max_by_key(rank);
        let (state, reason) = match best {
            None | Some(ReferralStatus::Waiting) => unmet,
            Some(best) => (CustomerState::from(best).into(), StatusReason::of(best)),
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
                    state: row.status.into(),
                    reason: StatusReason::of(row.status),
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
