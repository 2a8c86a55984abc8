//! Standard Webhooks: how partners and the shop's own application sign, how we sign to them,
//! and an endpoint for a shop that bills by itself and reports in our vocabulary.
//!
//! Signature: <https://www.standardwebhooks.com>, the specification. Keys: `whsec_` and base64
//! (HMAC), `whpk_` and base64 (Ed25519), or the bare text of older senders.
//!
//! An event is `{"type":"payment.succeeded","timestamp":"2026-01-15T10:00:00Z","data":{…}}`; its
//! id is `webhook-id`. `timestamp` is when it happened. Times are RFC 3339, amounts integers in
//! minor units of ISO 4217 with `currency` beside them. `livemode` may say which money it is.
//! What `data` holds; a question mark is what may be left out:
//!
//! - `customer.created`, `.updated`: `customer` (the shop's own id), `email`? `name`? `locale`?
//!   `country`? `metadata`?
//! - `customer.deleted`: `customer`
//! - `subscription.created`, `.updated`, `.ended`: `subscription`, `customer`, `status`,
//!   `started_at`, `items`, `currency`? `period`? `trial`? `cancel_at`? `cancel_at_period_end`?
//!   `canceled_at`? `ended_at`? `end_reason`? `pause`? `metadata`?
//! - `payment.succeeded`: `payment`, `amount`, `currency`, `customer`? `invoice`? `subscription`?
//!   `tax`? `paid_at`? `email`? `fingerprint`? `items`? (what was bought once) `metadata`?
//! - `payment.failed`, `.action_required`, `.abandoned`, `.voided`: `invoice`, `amount`,
//!   `currency`, `customer`? `subscription`? `attempts`? `next_attempt_at`?
//! - `refund.created`, `.updated`: `refund`, `payment`, `amount`, `status`, `currency`? `tax`?
//!   `customer`? `created_at`?
//! - `dispute.created`, `.updated`: `dispute`, `payment`, `amount`, `status`, `currency`?
//!   `customer`?
//!
//! `next_attempt_at` is when the shop tries again, `null` where it will not; left out, nothing is
//! said of it. What is left out of `items` stays as it was.
//!
//! `status` of a subscription: `incomplete`, `incomplete_expired`, `trialing`, `active`,
//! `past_due`, `unpaid`, `paused`, `canceled`; of a refund: `pending`, `succeeded`, `failed`; of a
//! dispute: `inquiry`, `inquiry_closed`, `open`, `closed` (over, its outcome unknown), `won`,
//! `lost`. `end_reason` is `requested`, `payment_failed` or `disputed`. An item has `price`, and
//! `id`? `quantity`? `unit_amount`? `metered`? `interval`? (`day`, `week`, `month`, `year`)
//! `interval_count`? `tax_behavior`? (`inclusive`, `exclusive`) `period`?; a period `start` and
//! `end`; a pause `behavior` and `resumes_at`?. `tax` is the tax within an amount.
//! `metadata.referral_code` is a referral code; a `fingerprint` is the same text whenever the same
//! card or account pays.

mod verify;
mod normalize;

mod money;
mod subscription;

mod samples;

use crate::endpoint::InboundRequest;
use crate::fetch::FetchStep;
use crate::request::Request;
use crate::secret::{Secret, Secrets, WeakSecret};
use crate::setup::SetupGuide;
use crate::verification_error::VerificationError;
use crate::verified::VerifiedItems;
pub use verify::{SCHEMES, sign, sign_with_all};

pub(crate) use normalize::open;
#[cfg(test)]
pub(crate) use verify::canonical_base64;
pub(crate) use verify::verify_within;

use crate::provider::{Provider, ProviderSamples, ResponseStatuses, SignedHeaders, SigningMethod};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The shop's own billing, as the list of providers has it.
pub(crate) static STANDARD: Provider = Provider {
    name: "standard",
    normalizer: NORMALIZER,
    exponents: money::EXPONENTS,
    statuses: ResponseStatuses::DEFAULT,
    schemes: SCHEMES,
    api: None,
    has_path_secret: false,
    secrets: keys,
    verify: verify_event,
    normalize: normalize::normalize,
    sign: SigningMethod::Secret(sign_as_sender),
    samples: ProviderSamples {
        handled_types: || {
            normalize::SCHEMA
                .event_types
                .iter()
                .map(|row| row.0)
                .collect()
        },
        bodies: samples::SAMPLES,
        scenario: samples::SCENARIO,
        recorded_responses: &[],
        id_path: None,
        time_path: "timestamp",
    },
    setup: SetupGuide {
        forward: None,
        endpoint: "the code of your own billing: it POSTs each event here, signed as \
             https://www.standardwebhooks.com says",
        secret: "one that you make and keep on both sides: echo whsec_$(openssl rand -base64 32)",
        separator: ",",
        events: || (STANDARD.samples.handled_types)(),
        mistaken: &[],
    },
};

/// Proves that a partner, who holds one of the keys, sent this body just now.
///
/// # Errors
/// [`VerificationError`] when nothing fits, or the signed time is more than five minutes from
/// `now`.
pub fn verify(
    request: &Request<'_>,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<VerifiedItems, VerificationError> {
    let bounds = (MAX_REPORT, REPORT_ID_MARKS);
    verify_within(request, secrets, TOLERANCE_SECONDS, bounds, now)
}

/// The same for a provider's event.
pub(crate) fn verify_event(
    inbound: &InboundRequest<'_>,
) -> Result<FetchStep<VerifiedItems>, VerificationError> {
    let tolerance = inbound.endpoint.tolerance_seconds;
    let request = &inbound.request;
    let bounds = (MAX_EVENT, EVENT_ID_MARKS);
    verify_within(request, inbound.secrets, tolerance, bounds, inbound.now).map(FetchStep::Done)
}

/// Signs as its sender would, as the message of this name or one of its own: the same body
/// signed again in the same second is a repetition.
pub(crate) fn sign_as_sender(
    message: Option<&str>,
    body: &[u8],
    secret: &Secret,
    now: Timestamp,
) -> Option<SignedHeaders> {
    secret.shared()?;
    if let Some(message) = message {
        return Some(sign(message, body, secret, now));
    }
    let digest = Sha256::new()
        .chain_update(now.as_second().to_be_bytes())
        .chain_update(body)
        .finalize();
    let id: String = hex::encode(digest).chars().take(24).collect();
    Some(sign(&format!("msg_{id}"), body, secret, now))
}

/// A key as its text says: public, encoded, or bare, as before there was a prefix. A bare text
/// that is base64 too may be meant either way, and nothing else can sign with either.
fn keys(text: &str) -> Result<Vec<Secret>, WeakSecret> {
    if text.starts_with("whpk_") {
        return Ok(vec![Secret::standard_public(text)?]);
    }
    if text.starts_with("whsec_") {
        return Ok(vec![Secret::standard(text)?]);
    }
    raw_or_encoded(text)
}

/// The text itself and what it encodes, where it does.
pub(crate) fn raw_or_encoded(text: &str) -> Result<Vec<Secret>, WeakSecret> {
    let bare = Secret::new(text)?;
    Ok([Ok(bare), Secret::standard(text)]
        .into_iter()
        .flatten()
        .collect())
}

/// Raised whenever the same bytes would give another normalized event.
const NORMALIZER: u16 = 4;
const TOLERANCE_SECONDS: u16 = 300;
/// The id of a report may stand in an address; that of an event is the sender's own affair.
const REPORT_ID_MARKS: &[u8] = b"_-";
const EVENT_ID_MARKS: &[u8] = b"_-:/,*+=@~";
const MAX_REPORT: usize = 64 * 1024;
/// Events are some kilobytes; a mebibyte compresses into one item of the journal.
const MAX_EVENT: usize = 1024 * 1024;
