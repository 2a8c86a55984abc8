//! What a partner's door has heard: under the id of each report, so that the same id with another
//! content is a conflict and not a second report, and under the id of the referral it is about.

use crate::items::{Item, ledger_partition, referral_rows, reports_partition};
use crate::port::{PutOutcome, StoreError, Table, WriteCondition};
use domain::ids::PartnerId;
use domain::partner::referral_status::ReferralStatusRow;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A report as the door heard it.
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

/// What a report is to those heard before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    /// New, or the same again: both are taken in, since nobody knows how far the first one came.
    /// What it says it says as of this moment.
    Accepted {
        /// When it was signed first.
        signed_at: Timestamp,
    },
    /// Another content under a known id.
    Conflict,
}

/// Notes a report before it is taken in. Nothing is ever overwritten.
///
/// # Errors
/// When it may not be noted: the partner must try again.
pub async fn record_report<T: Table>(
    table: &T,
    report: StoredReport,
    content: &[u8],
) -> Result<ReportOutcome, StoreError> {
    let report = Arc::new(report);
    let item = |place, report: &Arc<StoredReport>| Item::Report(place, report.clone());
    let put = table
        .put(item(ReportIndex::Message, &report), WriteCondition::Absent)
        .await?;
    let first = match put {
        PutOutcome::Done => report,
        PutOutcome::Refused(there) => {
            let there = there.and_then(|there| there.into_report());
            let there = there.ok_or_else(|| StoreError::NoAnswer("what is there".into()))?;
            if there.digest != report.digest {
                let kept = StoredReport {
                    content: Some(String::from_utf8_lossy(content).into()),
                    ..StoredReport::clone(&report)
                };
                let kept = item(ReportIndex::Conflict, &Arc::new(kept));
                table.put(kept, WriteCondition::Absent).await?;
                return Ok(ReportOutcome::Conflict);
            }
            there
        }
    };
    table
        .put(item(ReportIndex::Referral, &first), WriteCondition::Absent)
        .await?;
    Ok(ReportOutcome::Accepted {
        signed_at: first.signed_at,
    })
}

/// What was heard and what is told of a referral, of each at most a page of the table.
///
/// # Errors
/// When the table does not answer.
pub async fn read_referral<T: Table>(
    table: &T,
    partner: &PartnerId,
    referral: &str,
) -> Result<(Vec<Arc<StoredReport>>, Vec<Arc<ReferralStatusRow>>), StoreError> {
    let rows = referral_rows(referral);
    let heard = table
        .query(&reports_partition(partner), &rows, None)
        .await?;
    let told = table.query(&ledger_partition(partner), &rows, None).await?;
    Ok((
        heard
            .items
            .into_iter()
            .filter_map(Item::into_report)
            .collect(),
        told.items
            .into_iter()
            .filter_map(Item::into_referral_status)
            .collect(),
    ))
}
