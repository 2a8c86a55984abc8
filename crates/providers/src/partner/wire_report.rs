//! A partner's report as it stands in a body.

use super::sub_ids::SubIds;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
pub(super) struct TypeField {
    #[serde(rename = "type")]
    pub(super) kind: Arc<str>,
}

#[derive(Deserialize)]
pub(super) struct WireReport {
    pub(super) data: ReportPayload,
}

#[derive(Deserialize)]
pub(super) struct ReportPayload {
    pub(super) referral_id: Arc<str>,
    #[serde(default)]
    pub(super) customer: Option<CustomerObject>,
    #[serde(default)]
    pub(super) occurred_at: Option<Arc<str>>,
    #[serde(default)]
    pub(super) email: Option<Arc<str>>,
    #[serde(default)]
    pub(super) customer_id: Option<Arc<str>>,
    #[serde(default)]
    pub(super) code: Option<Arc<str>>,
    #[serde(default)]
    pub(super) sub_ids: SubIds,
}

#[derive(Default, Deserialize)]
pub(super) struct CustomerObject {
    #[serde(default)]
    pub(super) email: Option<Arc<str>>,
    #[serde(default)]
    pub(super) id: Option<Arc<str>>,
    #[serde(default)]
    pub(super) code: Option<Arc<str>>,
}
