//! A notice of every kind, made up, so that a partner's receiver can be tried before there is
//! anything to tell.

use anyhow::Context;
use domain::ids::PartnerId;
use domain::partner::ledger::CommissionRow;
use domain::partner::notice::{Notice, of_commission, of_payout, of_referral_status};
use domain::partner::payout::Payout;
use domain::partner::referral_status::ReferralStatusRow;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A notice, and the row's key that its ids are made from.
pub(super) struct SampleNotice {
    /// The notice.
    pub(super) notice: Notice,
    /// Another one for each run, or a receiver would drop the second run's as repetitions.
    pub(super) row: String,
}

/// One of each kind that there is, as of `now`.
///
/// # Errors
/// When the rows they are about have another shape by now.
pub(super) fn sample_notices(
    partner: &PartnerId,
    now: Timestamp,
) -> anyhow::Result<Vec<SampleNotice>> {
    let mut samples: Vec<SampleNotice> = Vec::new();
    let mut add = |notice: Notice| {
        let row = format!("test#{now}#{}", samples.len());
        let known = samples.iter().any(|one| one.notice.kind == notice.kind);
        if !known {
            samples.push(SampleNotice { notice, row });
        }
    };
    for status in [
        json!({ "status": "attributed" }),
        json!({ "status": "held", "reason": "same_email" }),
        json!({ "status": "refused", "reason": "void" }),
        json!({ "status": "waiting" }),
    ] {
        let row: ReferralStatusRow = row(partner, now, status)?;
        add(of_referral_status(&row));
    }
    let later = now.saturating_add(SignedDuration::from_hours(24 * 30))?;
    for (kind, minor) in [
        ("commission", 480),
        ("refund", -120),
        ("dispute", -360),
        ("reversal", -480),
    ] {
        let amount = json!({ "kind": kind, "amount_minor": minor, "currency": "eur",
            "exponent": 2, "payment": "test-payment",
            "releases_at": later });
        let row: CommissionRow = row(partner, now, amount)?;
        of_commission(&row).into_iter().for_each(&mut add);
    }
    let paid = json!({ "amounts": [{ "amount_minor": 480, "currency": "eur", "exponent": 2 }],
        "date": now.strftime("%Y-%m-%d").to_string(), "until": now, "complete_until": now });
    let payout: Payout = row(partner, now, paid)?;
    add(of_payout(&payout));
    Ok(samples)
}

/// A row as the table has it, of nobody's.
fn row<R: serde::de::DeserializeOwned>(
    partner: &PartnerId,
    now: Timestamp,
    mut fields: Value,
) -> anyhow::Result<R> {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("partner".into(), partner.as_str().into());
        fields.insert("customer".into(), "test/test/nobody".into());
        fields.insert("referral".into(), "test-referral".into());
        fields.insert("n".into(), 1.into());
        fields.insert("at".into(), now.to_string().into());
    }
    serde_json::from_value(fields).context("a sample row does not have the shape of rows")
}
