//! What a partner endpoint has heard: under the id of each report, so that the same id with another
//! content is a conflict and not a second report, and under the id of the referral it is about.

pub use crate::partner::report_row::{ReportIndex, ReportRow, StoredReport};

use crate::error::StoreError;
use crate::items::item::TableRow;
use crate::items::key::{
    Key, PARKED, REFERRAL, ledger_partition, reference_partition, referral_rows, reports_partition,
};
use crate::port::{InsertOutcome, Table, query_at_least};
use domain::event::{About, NormalizedEvent};
use domain::ids::{PartnerId, normalize_referral_id};
use domain::partner::referral_status::ReferralStatusRow;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a report is to those heard before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    /// New, or the same again: both are taken in, since nobody knows how far the first one came.
    /// What it says it says as of this moment.
    Accepted {
        /// When it was signed first.
        signed_at: Timestamp,
        /// When it was heard first, by our clock.
        heard_at: Timestamp,
    },
    /// Another content under a known id.
    Conflict,
}

/// Whether one more report of a partner may be kept under what it names. What is kept there goes
/// to every customer of these names, so it is bounded; one that is there already has its place.
///
/// # Errors
/// When the table does not answer.
pub async fn has_room<T: Table>(
    table: &T,
    partner: &PartnerId,
    event: &NormalizedEvent,
) -> Result<bool, StoreError> {
    let About::ByReference(references) = &event.about else {
        return Ok(true);
    };
    let of_partner = format!("{PARKED}partner/{partner}/");
    for reference in references {
        let partition = reference_partition(reference);
        let (mut count, mut after) = (0_usize, None);
        loop {
            let page = table.query(&partition, &of_partner, after).await?;
            if page
                .items
                .iter()
                .any(|item| item.key() == Key::parked(reference, &event.id))
            {
                return Ok(true);
            }
            count = count.saturating_add(page.items.len());
            if count >= MAX_REPORTS {
                return Ok(false);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(true)
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
    let row = |index, report: &Arc<StoredReport>| ReportRow {
        index,
        report: report.clone(),
    };
    let first = match table.insert(row(ReportIndex::Message, &report)).await? {
        InsertOutcome::Inserted => report,
        InsertOutcome::Present(present) => {
            let present = present.ok_or_else(|| StoreError::NoAnswer("what is there".into()))?;
            let present = present.report;
            if present.digest != report.digest {
                let conflict = StoredReport {
                    content: Some(String::from_utf8_lossy(content).into()),
                    ..StoredReport::clone(&report)
                };
                let conflict = row(ReportIndex::Conflict, &Arc::new(conflict));
                table.insert(conflict).await?;
                return Ok(ReportOutcome::Conflict);
            }
            present
        }
    };
    table.insert(row(ReportIndex::Referral, &first)).await?;
    Ok(ReportOutcome::Accepted {
        signed_at: first.signed_at,
        heard_at: first.received_at,
    })
}

/// All that is told of a partner's referrals.
///
/// # Errors
/// When the table does not answer.
pub async fn read_statuses<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<Vec<Arc<ReferralStatusRow>>, StoreError> {
    table.query_rows(&ledger_partition(partner), REFERRAL).await
}

/// What was heard and what is told of a referral: of each the first 250, and what comes on
/// the same page.
///
/// # Errors
/// When the table does not answer.
pub async fn read_referral<T: Table>(
    table: &T,
    partner: &PartnerId,
    referral: &str,
) -> Result<(Vec<Arc<StoredReport>>, Vec<Arc<ReferralStatusRow>>), StoreError> {
    let (reports, ledger) = (reports_partition(partner), ledger_partition(partner));
    let (mut heard, mut told) = (Vec::new(), Vec::new());
    // As it is asked for, and where that spells a code otherwise, as the code is spelled here.
    for id in BTreeSet::from([referral.into(), normalize_referral_id(referral)]) {
        let rows = referral_rows(&id);
        heard.extend(query_at_least(table, &reports, &rows, SHOWN_ROWS).await?);
        told.extend(query_at_least(table, &ledger, &rows, SHOWN_ROWS).await?);
    }
    let reports = heard.into_iter().filter_map(ReportRow::from_item);
    let statuses = told.into_iter().filter_map(TableRow::from_item);
    Ok((reports.map(|row| row.report).collect(), statuses.collect()))
}

/// All reports of a referral: what leads to its customers stands in any of them.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn read_reports<T: Table>(
    table: &T,
    partner: &PartnerId,
    referral: &str,
) -> Result<Vec<Arc<StoredReport>>, StoreError> {
    let heard: Vec<ReportRow> = table
        .query_rows(&reports_partition(partner), &referral_rows(referral))
        .await?;
    Ok(heard.into_iter().map(|row| row.report).collect())
}

/// How many reports of one partner are kept under one name of a customer.
pub const MAX_REPORTS: usize = 32;

/// How many rows of one referral its partner is shown: a partner may repeat a report for ever, and
/// reading them all is ours to pay.
const SHOWN_ROWS: usize = 250;
