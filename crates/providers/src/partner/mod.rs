//! Partners report the customers they sent, signed with Standard Webhooks under their own secret.
//!
//! `POST /partners/{partner}/events`, one report a body:
//! `{"type":"referral.created","data":{"referral_id":"r-1","customer":{"email":"…"}}}`.
//! The customer is named by `email`, by `id` (the shop's own) or by `code`, at least one of them;
//! of several, all must be the customer's. `email`, `customer_id` and `code` may also stand in
//! `data` itself. `referral.canceled` takes a referral back, `lead.created` reports somebody who
//! may become one. `occurred_at` (RFC 3339) is when the partner sent the customer; without it, when
//! the partner signed. `sub_ids` are the partner's own ids of the click.
//!
//! `GET /partners/{partner}/referrals/{id}` asks for the status of a referral, signed over the text
//! `GET /partners/{partner}/referrals/{id}`. `GET /partners/{partner}/postback` reports as trackers
//! do, in a query.

mod verified_report;
mod report;
mod wire_report;
#[cfg(feature = "openapi")]
pub mod schema;
#[cfg(feature = "openapi")]
pub mod report_schema;
mod sub_ids;
mod query;
mod error;

pub mod postback;

use crate::json::validate_json;
use crate::keys::PersonKey;
use crate::provider::SignedHeaders;
use crate::request::Request;
use crate::samples::bodies;
use crate::secret::{Secret, Secrets};
use crate::standard;
use crate::verification_error::VerificationError;
use domain::ids::{EventId, PartnerId};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use error::{ReportError, UnreadableReport};
pub use report::{FirstHeard, ReferralReport, ReportKind};
pub use sub_ids::SubIds;
pub use verified_report::VerifiedReport;

/// Verifies and reads a partner's report.
///
/// # Errors
/// [`ReportError`] when nothing shows that this partner sent it, or it can't be read.
pub fn receive(
    partner: &PartnerId,
    request: &Request<'_>,
    secrets: &Secrets,
    keys: &PersonKey,
    now: Timestamp,
) -> Result<VerifiedReport, ReportError> {
    let verified = standard::verify(request, secrets, now)?;
    let message = verified.message_id().unwrap_or_default();
    let signed_at = verified.signed_at();
    let raw = verified_report::only_item(&verified)?;
    let text = validate_json(&raw).map_err(|fault| UnreadableReport::Body(fault.to_string()))?;
    let id = EventId::parse(format!("partner/{partner}/{message}"))
        .map_err(|_| error::field("webhook-id", "is not a valid message id"))?;
    let report = ReferralReport::read(text, (id, partner), signed_at, keys)?;
    Ok(VerifiedReport {
        raw,
        signed_at,
        message_id: message.into(),
        report,
    })
}

/// Verifies that the partner asks for the status of this referral. The signed text is not JSON, so
/// a signed question can't be sent as a report, nor a report as a question.
///
/// # Errors
/// [`VerificationError`] when nothing shows that the partner asks.
pub fn verify_status_request(
    partner: &PartnerId,
    referral: &str,
    request: &Request<'_>,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<(), VerificationError> {
    let text = status_request_text(partner, referral);
    let signed = Request {
        body: text.as_bytes(),
        ..*request
    };
    standard::verify(&signed, secrets, now).map(|_| ())
}

/// Whether a request says that it is signed with a key of the partner's own (`v1a`).
pub fn offers_own_key(request: &Request<'_>) -> bool {
    let mut values = request.headers.all("webhook-signature");
    values.any(|value| value.split(' ').any(|item| item.starts_with("v1a,")))
}

/// The text to sign when asking for the status of a referral: with the id as it was reported,
/// however it is encoded in the URL.
pub fn status_request_text(partner: &PartnerId, referral: &str) -> String {
    format!("GET /partners/{partner}/referrals/{referral}")
}

/// Signs a body as a partner would, for the command that sends samples. The message id is a
/// hash of body and time: the same report sent again at the same second is a repetition.
pub fn sign(body: &[u8], secret: &Secret, now: Timestamp) -> SignedHeaders {
    let digest = Sha256::new()
        .chain_update(now.as_second().to_be_bytes())
        .chain_update(body)
        .finalize();
    let id: String = hex::encode(digest).chars().take(24).collect();
    standard::sign(&format!("msg_{id}"), body, secret, now)
}

/// Ready-made reports: name and JSON.
pub fn samples() -> &'static [(&'static str, &'static str)] {
    SAMPLES
}

/// The version of the normalizer. Events that an older one made may be normalized again.
pub const NORMALIZER: u16 = 2;

static SAMPLES: &[(&str, &str)] = bodies!["partner":
    "lead.created",
    "referral.canceled",
    "referral.created",
    "referral.created-by-code",
    "referral.created-flat",
];
