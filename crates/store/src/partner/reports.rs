//! What a partner's door has heard: under the id of each report, so that the same id with another
//! content is a conflict and not a second report, and under the id of the referral it is about.

pub use crate::partner::report_row::{ReportIndex, StoredReport};

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::{ledger_partition, referral_rows, reports_partition};
use crate::port::{PutOutcome, Table, WriteCondition};
use domain::ids::PartnerId;
use domain::partner::referral_status::ReferralStatusRow;
use jiff::Timestamp;
use std::sync::Arc;

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
