//! `paypal-transmission-sig`: RSA over transmission id, time, webhook id and CRC32 of the body,
//! under a certificate of PayPal's; then the clock, then the event as PayPal's API shows it.

use super::certificate::{PaypalCertificates, certificate_call};
use crate::endpoint::InboundRequest;
use crate::fetch::{ApiCall, ApiResponse, ApiResponses, CallTarget, FetchStep, MissingResponse};
use crate::json::validate_json;
use crate::provider::UnsignedDelivery;
use crate::request::Headers;
use crate::secret::{Secret, Secrets};
use crate::verification_error::VerificationError;
use crate::verified::VerifiedItems;
use crate::wire::{Id, UnclearValue, read_object};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

/// Proves that PayPal sent word of this event, and has PayPal say the event once more.
pub(crate) fn verify(
    inbound: &InboundRequest<'_>,
) -> Result<FetchStep<VerifiedItems>, VerificationError> {
    let body = inbound.request.body;
    inbound.request.check_body(MAX_BODY)?;
    let transmission = Transmission::read(inbound.request.headers)?;
    let mode = inbound.endpoint.mode;
    let certificate = certificate_call(transmission.certificate, mode).ok_or(
        VerificationError::HeaderGarbled {
            header: CERTIFICATE,
            what: "it is not an address of PayPal's certificates for this mode",
        },
    )?;
    let pem = match api_response(inbound.fetched, &certificate, NO_CERTIFICATE)? {
        FetchStep::Done(answer) => &answer.body,
        FetchStep::Fetch(questions) => return Ok(FetchStep::Fetch(questions)),
    };
    let certificates = PaypalCertificates::read(pem)?;
    let signer = certificates.signer(mode, inbound.secrets, inbound.now)?;
    if !transmission.fits(&signer, body, inbound.secrets) {
        return Err(VerificationError::SignatureMismatch);
    }
    let tolerance = i64::from(inbound.endpoint.tolerance_seconds);
    check_clock(transmission.at, tolerance, inbound.now)?;
    let claimed =
        ClaimedEvent::read(body).map_err(|_| VerificationError::Disproved { what: NO_EVENT })?;
    let event = claimed
        .api_call()
        .ok_or(VerificationError::Disproved { what: NO_EVENT })?;
    let shown = match api_response(inbound.fetched, &event, UNKNOWN_EVENT)? {
        FetchStep::Done(answer) => answer,
        FetchStep::Fetch(questions) => return Ok(FetchStep::Fetch(questions)),
    };
    match ClaimedEvent::read(&shown.body) {
        Ok(confirmed) if confirmed != claimed => {
            Err(VerificationError::Disproved { what: OTHER_EVENT })
        }
        // What can't be read is PayPal's own word all the same, and is kept.
        Ok(_) | Err(_) => Ok(FetchStep::Done(VerifiedItems::by_api_response(
            shown,
            transmission.at,
        ))),
    }
}

/// What PayPal's certificate would sign to send this body now to a webhook of the sandbox, and
/// where its API would show the event.
pub(crate) fn unsigned_delivery(
    body: &[u8],
    webhook: &Secret,
    now: Timestamp,
) -> Option<UnsignedDelivery> {
    let claimed = ClaimedEvent::read(body).ok()?;
    let CallTarget::Api(shown_at) = claimed.api_call()?.target else {
        return None;
    };
    let time = now.to_string();
    let id = Sha256::new_with_prefix(time.as_bytes()).chain_update(body);
    let id: String = hex::encode(id.finalize()).chars().take(32).collect();
    let headers = vec![
        (ID, id.clone()),
        (TIME, time.clone()),
        (CERTIFICATE, SANDBOX_CERTIFICATE.to_owned()),
        (ALGORITHM, RSA_SHA256.to_owned()),
    ];
    Some(UnsignedDelivery {
        message: signed_bytes(&id, &time, webhook.shared()?, body),
        headers,
        signature_header: SIGNATURE,
        api_path: shown_at,
    })
}

/// What a signature is over.
fn signed_bytes(id: &str, time: &str, webhook: &[u8], body: &[u8]) -> Vec<u8> {
    let checksum = crc32fast::hash(body).to_string();
    let parts = [id.as_bytes(), time.as_bytes(), webhook, checksum.as_bytes()];
    parts.join(&b'|')
}

/// The headers of one delivery.
struct Transmission<'a> {
    id: &'a str,
    time: &'a str,
    at: Timestamp,
    signature: Vec<u8>,
    certificate: &'a str,
}

impl<'a> Transmission<'a> {
    fn read(headers: &'a Headers) -> Result<Self, VerificationError> {
        // It says how it wants to be checked; there is one way.
        if only(headers, ALGORITHM)? != RSA_SHA256 {
            return Err(garbled(ALGORITHM, "it is not `SHA256withRSA`"));
        }
        let id = only(headers, ID)?;
        // `|` in it would move the borders of what is signed.
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !(1..=MAX_ID).contains(&id.len()) || !id.bytes().all(is_allowed) {
            return Err(garbled(ID, "it is not letters, digits and dashes"));
        }
        let time = only(headers, TIME)?;
        let is_allowed = |byte: u8| byte.is_ascii_digit() || b"-:.+TZ".contains(&byte);
        let at = Some(time).filter(|time| time.len() <= MAX_TIME && time.bytes().all(is_allowed));
        let at = at.and_then(|time| time.parse().ok());
        let signature = STANDARD.decode(only(headers, SIGNATURE)?);
        Ok(Self {
            id,
            time,
            at: at.ok_or_else(|| garbled(TIME, "it is not a time"))?,
            signature: signature.map_err(|_| garbled(SIGNATURE, "it is not base64"))?,
            certificate: only(headers, CERTIFICATE)?,
        })
    }

    /// Whether it was signed for one of these webhooks.
    fn fits(&self, signer: &EndEntityCert<'_>, body: &[u8], secrets: &Secrets) -> bool {
        let webhooks = secrets.iter().filter_map(Secret::shared);
        let mut signed = webhooks.map(|webhook| signed_bytes(self.id, self.time, webhook, body));
        signed.any(|message| is_signed_by(signer, &message, &self.signature))
    }
}

/// Whether this is the signature of whose certificate it is.
pub(crate) fn is_signed_by(signer: &EndEntityCert<'_>, message: &[u8], signature: &[u8]) -> bool {
    let checked = signer.verify_signature(RSA_PKCS1_2048_8192_SHA256, message, signature);
    checked.is_ok()
}

/// What a body says it is about: enough to ask whether that is so.
#[derive(PartialEq, Eq, Deserialize)]
struct ClaimedEvent {
    id: Id,
    event_type: Arc<str>,
}

impl ClaimedEvent {
    fn read(body: &[u8]) -> Result<Self, UnclearValue> {
        let raw: &RawValue = serde_json::from_str(validate_json(body)?)
            .map_err(|_| UnclearValue("no JSON".into()))?;
        read_object(raw, "event")
    }

    /// Where PayPal's API shows it.
    fn api_call(&self) -> Option<ApiCall> {
        ApiCall::get(&["v1", "notifications", "webhooks-events", self.id.0.as_str()])
    }
}

/// What PayPal answered. Where it knows no such thing there is nothing behind the request.
fn api_response<'a>(
    fetched: &'a ApiResponses,
    call: &ApiCall,
    what: &'static str,
) -> Result<FetchStep<&'a ApiResponse>, VerificationError> {
    match fetched.response(call) {
        Ok(answer) => match answer.status {
            200 => Ok(FetchStep::Done(answer)),
            400..=499 => Err(VerificationError::Disproved { what }),
            _ => Err(VerificationError::Unconfirmed),
        },
        Err(MissingResponse::NotFetched(questions)) => Ok(FetchStep::Fetch(questions)),
        Err(MissingResponse::Unavailable) => Err(VerificationError::Unconfirmed),
    }
}

/// The one value of a header, however often a gateway says or joins it.
fn only<'a>(headers: &'a Headers, header: &'static str) -> Result<&'a str, VerificationError> {
    let mut values = headers
        .all(header)
        .flat_map(|value| value.split(','))
        .map(|value| value.trim_matches(' '));
    let first = values
        .next()
        .ok_or(VerificationError::HeaderMissing { header })?;
    if values.any(|value| value != first) {
        return Err(garbled(header, "it is there with different values"));
    }
    Ok(first)
}

/// No older than retries may be, no newer than clocks may differ, all edges inclusive.
fn check_clock(at: Timestamp, tolerance: i64, now: Timestamp) -> Result<(), VerificationError> {
    let age = now.as_second().saturating_sub(at.as_second());
    let ahead = age.saturating_neg();
    if age > MAX_AGE_SECONDS.max(tolerance) {
        return Err(VerificationError::TooOld { seconds: age });
    }
    if ahead > tolerance {
        return Err(VerificationError::TooNew { seconds: ahead });
    }
    Ok(())
}

fn garbled(header: &'static str, what: &'static str) -> VerificationError {
    VerificationError::HeaderGarbled { header, what }
}

const ID: &str = "paypal-transmission-id";
const TIME: &str = "paypal-transmission-time";
const SIGNATURE: &str = "paypal-transmission-sig";
const CERTIFICATE: &str = "paypal-cert-url";
const ALGORITHM: &str = "paypal-auth-algo";
const RSA_SHA256: &str = "SHA256withRSA";
const SANDBOX_CERTIFICATE: &str =
    "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-stand-in";

const NO_CERTIFICATE: &str = "PayPal has no certificate at the address that was named";
const NO_EVENT: &str = "the body names no event that PayPal's API could be asked for, and its \
                        signature is over a checksum, which is no proof";
const UNKNOWN_EVENT: &str = "PayPal's API knows no event of the id that the body names";
const OTHER_EVENT: &str = "PayPal's API shows another event under the id that the body names";

const MAX_ID: usize = 64;
const MAX_TIME: usize = 35;
/// PayPal's events are some kilobytes; a mebibyte compresses into one item of the journal.
const MAX_BODY: usize = 1024 * 1024;
/// Three days of retries, each with the time of the first, and one to spare.
const MAX_AGE_SECONDS: i64 = 4 * 86_400;
