//! A verified report: noted under its id, then appended or parked, folded, answered.

use domain::record::Entry;
use jiff::Timestamp;
use providers::partner::{FirstHeard, NORMALIZER, VerifiedReport};
use runtime::http::HttpResponse;
use serde::Serialize;
use std::sync::Arc;
use store::ingest::{AppendOutcome, ingest_entries};
use store::partners::PartnerRow;
use store::reports::{ReportOutcome, StoredReport, has_room, record_report};
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
    id: &'a str,
    /// As you reported it.
    referral_id: &'a str,
}

// One word whether the customer is known or not: a partner must not learn who is one of the shop's
// by asking address after address.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
enum ReportVerdict {
    Accepted,
    Repeated,
}

/// What became of a report.
enum IngestOutcome {
    /// It is kept: the word for the log, and the word for the partner.
    Kept(&'static str, ReportVerdict),
    /// Its id came before with another content.
    Conflict,
    /// The partner has reported this customer so often that more changes nothing.
    TooMany,
}

/// Takes a report in, and answers it.
pub(crate) async fn ingest_report<T: Table>(
    table: &T,
    row: &PartnerRow,
    reported: VerifiedReport,
    receipt: &str,
    now: Timestamp,
) -> HttpResponse {
    let (partner, report) = (&row.partner, &reported.report);
    let (kind, message) = (report.kind().as_str(), &*reported.message_id);
    let refused = |verdict, why| {
        let metrics = "partner_conflicts";
        tracing::warn!(partner = %partner, kind, verdict, metrics);
        HttpResponse::error(409, &why)
    };
    match record_and_append(table, row, &reported, receipt, now).await {
        Ok(IngestOutcome::Kept(verdict, word)) => {
            let id = format!("partner/{partner}/{message}");
            tracing::info!(partner = %partner, id, kind, verdict);
            let response = ReportResponse {
                verdict: word,
                id: &id,
                referral_id: report.referral(),
            };
            HttpResponse::json(202, &response)
        }
        Ok(IngestOutcome::Conflict) => refused("conflict", CONFLICT),
        Ok(IngestOutcome::TooMany) => refused("too_many", TOO_MANY),
        Err(error) => HttpResponse::not_durable(&error),
    }
}

async fn record_and_append<T: Table>(
    table: &T,
    row: &PartnerRow,
    reported: &VerifiedReport,
    receipt: &str,
    now: Timestamp,
) -> Result<IngestOutcome, StoreError> {
    let (report, raw) = (&reported.report, &reported.raw);
    let event = report.event(FirstHeard {
        signed_at: reported.signed_at,
        heard_at: now,
    });
    if !has_room(table, &row.partner, &event).await? {
        return Ok(IngestOutcome::TooMany);
    }
    let note = StoredReport {
        partner: row.partner.clone(),
        message: reported.message_id.clone(),
        kind: report.kind().as_str().into(),
        referral: report.referral().clone(),
        references: report.leading_references(),
        sub_ids: report.sub_ids().clone(),
        digest: reported.digest().into(),
        signed_at: reported.signed_at,
        received_at: now,
        content: None,
    };
    let recorded = record_report(table, note, raw).await?;
    let ReportOutcome::Accepted {
        signed_at,
        heard_at,
    } = recorded
    else {
        return Ok(IngestOutcome::Conflict);
    };
    // Told again it means what it meant first, on the terms of that day.
    let mut event = report.event(FirstHeard {
        signed_at,
        heard_at,
    });
    row.add_attribution_terms(&mut event, heard_at);
    let entry = Entry::new(event, raw.clone(), NORMALIZER, now, receipt.into());
    let verdicts = ingest_entries(table, &[Arc::new(entry)], now).await?;
    Ok(match verdicts.first() {
        Some(AppendOutcome::Appended) => IngestOutcome::Kept("applied", ReportVerdict::Accepted),
        Some(AppendOutcome::Parked) => IngestOutcome::Kept("parked", ReportVerdict::Accepted),
        Some(AppendOutcome::Repeated) | None => {
            IngestOutcome::Kept("repeated", ReportVerdict::Repeated)
        }
    })
}

const CONFLICT: &str = "this id came before with another content; what it said first stands, \
    and both are kept; send what is new under an id of its own";

const TOO_MANY: &str = "you have reported this customer so often that one more report changes \
    nothing, so it is not kept; if the customer is named by a code alone, name it by email or id";
