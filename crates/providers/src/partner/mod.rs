//! Partners: they report whom they sent, signed with Standard Webhooks under their own secret.
//!
//! `POST /partners/{partner}/events`, one report a body:
//! `{"type":"referral.created","data":{"referral_id":"r-1","customer":{"email":"…"}}}`.
//! The customer is named by `email`, by `id` (the shop's own) or by `code`, any of them, at
//! least one; `email`, `customer_id` and `code` may also stand in `data` itself.
//! `referral.canceled` takes a referral back, `lead.created` tells of somebody who may become
//! one. `occurred_at` (RFC 3339) is when the partner sent the customer; without it, when the
//! partner signed. `sub_ids` is what the partner knows the click by.
//!
//! `GET /partners/{partner}/referrals/{id}` asks how a referral stands, signed alike over the text
//! `GET /partners/{partner}/referrals/{id}`. `GET /partners/{partner}/postback` reports as trackers
//! do, in a query.

mod report;
mod wire_report;
#[cfg(feature = "openapi")]
pub mod schema;
mod sub_ids;
mod query;

pub mod postback;

use crate::json::validate_json;
use crate::samples::bodies;
use crate::{
    ItemOutcome, PersonKey, ReceivedItem, Request, Secret, Secrets, SignedHeaders,
    VerificationError,
};
use crate::{VerifiedItems, standard};
use domain::ids::{EventId, PartnerId};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

pub use report::{ReferralReport, ReportKind};
pub use sub_ids::SubIds;

/// What a partner's report says, and when it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReport {
    /// Its bytes and what they mean.
    pub received: ReceivedItem,
    /// By the partner's clock, which was near ours; of a token, which has none, by ours.
    pub signed_at: Timestamp,
    /// What the partner calls it: told again under this id, it is the same or a conflict.
    pub message_id: Arc<str>,
    /// What it says; none of a type we do not act on.
    pub report: Option<ReferralReport>,
}

impl VerifiedReport {
    /// A hash of what was said, by which a repetition is told from a conflict.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.received.raw))
    }
}

/// The partners' door. Types we do not act on are [`Outcome::Ignored`].
///
/// # Errors
/// [`NotReceived`]: not shown to come from this partner, or nothing we can read.
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
    let raw = only_item(&verified)?;
    let text = validate_json(&raw).map_err(|fault| UnreadableReport::Body(fault.to_string()))?;
    let id = EventId::new(format!("partner/{partner}/{message}"));
    let report = report::ReferralReport::read(text, (id.clone(), partner), signed_at, keys)?;
    let outcome = match &report {
        Some(report) => ItemOutcome::Event(report.event(signed_at)),
        None => ItemOutcome::Ignored {
            id: Some(id),
            kind: report::kind(text)?,
        },
    };
    Ok(VerifiedReport {
        received: ReceivedItem { raw, outcome },
        signed_at,
        message_id: message.into(),
        report,
    })
}

/// Proves that the partner asks how this referral of its stands. What is signed is no JSON, so
/// nothing signed to ask can be sent to report, nor the reverse.
///
/// # Errors
/// [`Refused`].
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

/// The text to sign for asking how a referral stands: the id as it was reported, whatever has to
/// be encoded in the address.
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

/// Why a partner's report was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// It proves nothing.
    #[error(transparent)]
    Refused(#[from] VerificationError),
    /// It is the partner's, and says nothing we can read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableReport),
}

impl ReportError {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused(refused) => refused.status(),
            Self::Unreadable(unreadable) => unreadable.status(),
        }
    }
}

/// What a partner's own people can mend: said to them, journaled nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableReport {
    /// Not JSON that can be read in one way.
    #[error("{0}; send one JSON object, encoded as UTF-8")]
    Body(String),
    /// Not a query that can be read in one way.
    #[error("the query {what}; send every name once, percent-encoded as UTF-8")]
    Query {
        /// What is wrong.
        what: &'static str,
    },
    /// A field that is missing or not what it should be.
    #[error("`{field}` {what}; mend it and send the report again under the same id")]
    Field {
        /// Which.
        field: String,
        /// What is wrong.
        what: &'static str,
    },
}

impl UnreadableReport {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Body(_) | Self::Query { .. } => 400,
            Self::Field { .. } => 422,
        }
    }
}

/// The version of the normalizer; a reading made by an older one may be made again.
pub const NORMALIZER: u16 = 1;

fn only_item(verified: &VerifiedItems) -> Result<Arc<[u8]>, UnreadableReport> {
    let item = verified.items().first().cloned();
    item.ok_or_else(|| UnreadableReport::Body("the body is empty".into()))
}

const TOLERANCE_SECONDS: u16 = 300;

static SAMPLES: &[(&str, &str)] = bodies!["partner":
    "lead.created",
    "referral.canceled",
    "referral.created",
    "referral.created-by-code",
    "referral.created-flat",
];
