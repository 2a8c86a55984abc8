//! Partners: they report whom they sent, signed with Standard Webhooks under their own secret.
//!
//! `POST /partners/{partner}/events`, one report a body:
//! `{"type":"referral.created","data":{"referral_id":"r-1","customer":{"email":"…"}}}`.
//! The customer is named by `email`, by `id` (the shop's own) or by `code`, any of them, at
//! least one; `email`, `customer_id` and `code` may also stand in `data` itself.
//! `referral.canceled` takes a referral back. `occurred_at` (RFC 3339) is when the partner sent
//! the customer; without it, when the partner signed.

mod report;

use crate::json::sound;
use crate::samples::bodies;
use crate::{Outcome, PersonKey, Received, Refused, Request, Secret, Secrets, SignedHeaders};
use crate::{Verified, standard};
use domain::ids::{EventId, PartnerId};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What a partner's report says, and when it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its bytes and what they mean.
    pub received: Received,
    /// By the partner's clock, which was near ours.
    pub signed_at: Timestamp,
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
) -> Result<Reported, NotReceived> {
    let verified = standard::verify(request, secrets, now)?;
    let message = verified.message().unwrap_or_default();
    let raw = only_item(&verified)?;
    let text = sound(&raw).map_err(|fault| Unreadable::Body(fault.to_string()))?;
    let id = EventId::new(format!("partner/{partner}/{message}"));
    let outcome = match report::Report::read(text, verified.signed_at())? {
        Some(report) => Outcome::Reading(report.reading(id, partner, keys)),
        None => Outcome::Ignored {
            id: Some(id),
            kind: report::kind(text)?,
        },
    };
    Ok(Reported {
        received: Received { raw, outcome },
        signed_at: verified.signed_at(),
    })
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
pub enum NotReceived {
    /// It proves nothing.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is the partner's, and says nothing we can read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl NotReceived {
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
pub enum Unreadable {
    /// Not JSON that can be read in one way.
    #[error("{0}; send one JSON object, encoded as UTF-8")]
    Body(String),
    /// A field that is missing or not what it should be.
    #[error("`{field}` {what}; mend it and send the report again under the same webhook-id")]
    Field {
        /// Which.
        field: String,
        /// What is wrong.
        what: &'static str,
    },
}

impl Unreadable {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Body(_) => 400,
            Self::Field { .. } => 422,
        }
    }
}

/// The version of the normalizer; a reading made by an older one may be made again.
pub const NORMALIZER: u16 = 1;

fn only_item(verified: &Verified) -> Result<Arc<[u8]>, Unreadable> {
    let item = verified.items().first().cloned();
    item.ok_or_else(|| Unreadable::Body("the body is empty".into()))
}

static SAMPLES: &[(&str, &str)] = bodies!["partner":
    "referral.canceled",
    "referral.created",
    "referral.created-by-code",
    "referral.created-flat",
];
