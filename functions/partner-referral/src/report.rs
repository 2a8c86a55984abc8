//! A verified report: noted under its id, then appended or parked, folded, answered.

use domain::record::Entry;
use jiff::Timestamp;
use providers::ItemOutcome;
use providers::partner::{NORMALIZER, VerifiedReport};
use runtime::http::HttpResponse;
use serde::Serialize;
use std::sync::Arc;
use store::ingest::{AppendOutcome, ingest_entries};
use store::partners::PartnerRow;
use store::reports::{ReportOutcome, StoredReport, record_report};
use store::{StoreError, Table};

/// What becomes of a report.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "openapi",
    schemars(rename = "Accepted", deny_unknown_fields)
)]
pub(crate) struct ReportResponse<'a> {
    verdict: ReportVerdict,
    /// Its name here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "String"))]
    id: Option<&'a str>,
    /// As you reported it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "String"))]
    referral_id: Option<&'a str>,
}

// One word whether the customer is known or not: a partner must not learn who is one of the shop's
// by asking address after address.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
enum ReportVerdict {
    Accepted,
    Repeated,
    Ignored,
}

/// Takes a report in, and answers it.
pub(crate) async fn ingest_report<T: Table>(
    table: &T,
    row: &PartnerRow,
    reported: VerifiedReport,
    receipt: &str,
    now: Timestamp,
) -> HttpResponse {
    let partner = &row.partner;
    let Some(report) = &reported.report else {
        let kind = match &reported.received.outcome {
            ItemOutcome::Ignored { kind, .. }
            | ItemOutcome::WrongMode { kind }
            | ItemOutcome::OtherAccount { kind } => kind,
            ItemOutcome::Event(event) => &event.kind,
        };
        tracing::info!(partner = %partner, kind = &**kind, verdict = "ignored");
        let response = ReportResponse {
            verdict: ReportVerdict::Ignored,
            id: None,
            referral_id: None,
        };
        return HttpResponse::json(202, &response);
    };
    let (kind, message) = (report.kind().as_str(), &*reported.message_id);
    match record_and_append(table, row, &reported, receipt, now).await {
        Ok(Some((verdict, word))) => {
            let id = format!("partner/{partner}/{message}");
            tracing::info!(partner = %partner, id, kind, verdict);
            let response = ReportResponse {
                verdict: word,
                id: Some(&id),
                referral_id: Some(report.referral()),
            };
            HttpResponse::json(202, &response)
        }
        Ok(None) => {
            tracing::warn!(partner = %partner, kind, verdict = "conflict");
            HttpResponse::error(409, &CONFLICT)
        }
        Err(error) => HttpResponse::not_durable(&error),
    }
}

/// The verdict, and what the partner is told of it; none of a conflict.
async fn record_and_append<T: Table>(
    table: &T,
    row: &PartnerRow,
    reported: &VerifiedReport,
    receipt: &str,
    now: Timestamp,
) -> Result<Option<(&'static str, ReportVerdict)>, StoreError> {
    let Some(report) = &reported.report else {
        return Ok(None);
    };
    let note = StoredReport {
        partner: row.partner.clone(),
        message: reported.message_id.clone(),
        kind: report.kind().as_str().into(),
        referral: report.referral().clone(),
        sub_ids: report.sub_ids().clone(),
        digest: reported.digest().into(),
        signed_at: reported.signed_at,
        received_at: now,
        content: None,
    };
    let raw = &reported.received.raw;
    let ReportOutcome::Accepted { signed_at } = record_report(table, note, raw).await? else {
        return Ok(None);
    };
    // Told again it means what it meant first, on the terms of that day.
    let mut event = report.event(signed_at);
    row.add_attribution_terms(&mut event, signed_at);
    let entry = Entry::new(event, raw.clone(), NORMALIZER, now, receipt.into());
    let verdicts = ingest_entries(table, &[Arc::new(entry)], now).await?;
    Ok(Some(match verdicts.first() {
        Some(AppendOutcome::Appended) => ("applied", ReportVerdict::Accepted),
        Some(AppendOutcome::Parked) => ("parked", ReportVerdict::Accepted),
        Some(AppendOutcome::Repeated) | None => ("repeated", ReportVerdict::Repeated),
    }))
}

const CONFLICT: &str = "this id came before with another content; what it said first stands, \
    and both are kept; send what is new under an id of its own";
