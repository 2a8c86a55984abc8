//! A partner's report, as the table keeps it.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, from_fields, text, to_fields};
use crate::items::key::{Key, referral_rows, reports_partition};
use crate::items::stored_item::StoredItem;
use domain::ids::{PartnerId, Reference};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A report as the partner endpoint heard it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredReport {
    /// Who reported.
    pub partner: PartnerId,
    /// The partner's id of the report.
    pub message: Arc<str>,
    /// Its type: `referral.created`.
    pub kind: Arc<str>,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// What leads to its customer: it waits under these for whoever comes later. Older reports do
    /// not say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// What the partner knows the click by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sub_ids: BTreeMap<Arc<str>, Arc<str>>,
    /// Of its content.
    pub digest: Arc<str>,
    /// When the partner signed it first.
    pub signed_at: Timestamp,
    /// When it was first heard, by our clock.
    pub received_at: Timestamp,
    /// Its content, of one that is a conflict: no journal has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Arc<str>>,
}

/// Under what a report stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportIndex {
    /// Its own id: what came under it first.
    Message,
    /// Its own id and its digest: what came under that id later, and was another.
    Conflict,
    /// The referral's id and its own.
    Referral,
}

impl ReportIndex {
    /// Its name in the table.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Message => "report",
            Self::Conflict => "conflict",
            Self::Referral => "referral",
        }
    }

    /// The place of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Message, Self::Conflict, Self::Referral]
            .into_iter()
            .find(|place| place.as_str() == name)
    }

    pub(crate) fn sort_key(self, report: &StoredReport) -> String {
        let StoredReport {
            message, digest, ..
        } = report;
        match self {
            Self::Message => format!("report#{message}"),
            Self::Conflict => format!("conflict#{digest}#{message}"),
            Self::Referral => [&referral_rows(&report.referral), &**message].concat(),
        }
    }
}

impl Key {
    /// Of what a partner endpoint has heard.
    pub fn report(place: ReportIndex, report: &StoredReport) -> Self {
        Self::new(reports_partition(&report.partner), place.sort_key(report))
    }
}

/// A report under one of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// Which of its keys.
    pub index: ReportIndex,
    /// The report.
    pub report: Arc<StoredReport>,
}

impl StoredItem for ReportRow {
    fn type_name(&self) -> &'static str {
        self.index.as_str()
    }

    fn key(&self) -> Key {
        Key::report(self.index, &self.report)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        to_fields(&*self.report)
    }

    fn from_fields(_: &Key, attributes: Attributes) -> Result<Self, String> {
        let index = text(&attributes, "type").and_then(ReportIndex::parse);
        Ok(Self {
            index: index.ok_or("not a report")?,
            report: Arc::new(from_fields(attributes)?),
        })
    }
}
