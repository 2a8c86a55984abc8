//! Standard Webhooks: how partners and the shop's own application sign, and how we sign to them.
//!
//! Signature: <https://www.standardwebhooks.com>, the specification.

use crate::verified::{Claim, canonical_seconds, signature};
use crate::{Refused, Request, Scheme, Secret, Secrets, SignedHeaders, Verified, Written};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// Proves that a holder of one of the secrets sent this body just now; gives the message's id.
///
/// # Errors
/// [`Refused`] when nothing fits, or the signed time is more than five minutes from `now`.
pub fn verify<'a>(
    request: &Request<'a>,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<(&'a str, Verified), Refused> {
    request.check_body(MAX_BODY)?;
    let id = request.headers.only(ID)?;
    let time = request.headers.only(TIME)?;
    let signatures = signatures(request)?;
    if !is_message_id(id) {
        return Err(garbled(
            ID,
            "it is not 1 to 128 letters, digits, `_` or `-`",
        ));
    }
    let at = canonical_seconds(time)
        .ok_or_else(|| garbled(TIME, "it is not plain seconds since 1970"))?;
    let claim = Claim {
        prefix: &[id.as_bytes(), b".", time.as_bytes(), b"."],
        body: request.body,
        macs: &signatures,
        ed25519: &[],
        at: Some(at),
        tolerance_seconds: TOLERANCE_SECONDS,
    };
    Ok((id, Verified::by_signature(&claim, secrets, now)?))
}

/// The three headers of a message of ours. A public key signs nothing: what it gives fits nothing.
pub fn sign(id: &str, body: &[u8], secret: &Secret, now: Timestamp) -> SignedHeaders {
    let time = now.as_second().to_string();
    let prefix: &[&[u8]] = &[id.as_bytes(), b".", time.as_bytes(), b"."];
    let signature = STANDARD.encode(signature(secret, prefix, body).unwrap_or_default());
    vec![
        (ID, id.to_owned()),
        (TIME, time),
        (SIGNATURE, format!("v1,{signature}")),
    ]
}

/// Every `v1` offered, in whatever header line; other versions are none of ours.
fn signatures(request: &Request<'_>) -> Result<Vec<[u8; 32]>, Refused> {
    let mut bytes: usize = 0;
    let mut offered: usize = 0;
    let mut signatures = Vec::new();
    for value in request.headers.all(SIGNATURE) {
        bytes = bytes.saturating_add(value.len());
        if bytes > MAX_HEADER {
            return Err(garbled(SIGNATURE, "it is longer than 4096 bytes"));
        }
        for text in value.split(' ').filter_map(|item| item.strip_prefix("v1,")) {
            offered = offered.saturating_add(1);
            signatures.extend(canonical_base64(text));
        }
    }
    if bytes == 0 {
        return Err(Refused::HeaderMissing { header: SIGNATURE });
    }
    if offered == 0 {
        return Err(garbled(SIGNATURE, "it has no signature `v1,`"));
    }
    if offered > MAX_SIGNATURES {
        return Err(Refused::TooManySignatures {
            header: SIGNATURE,
            limit: MAX_SIGNATURES,
        });
    }
    Ok(signatures)
}

/// The decoder takes the standard alphabet, padding and zero trailing bits, nothing else.
fn canonical_base64(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// A dot would let id and time be cut elsewhere in the signed bytes; the rest keeps the
/// journal's key plain.
fn is_message_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=128).contains(&id.len()) && id.bytes().all(plain)
}

fn garbled(header: &'static str, what: &'static str) -> Refused {
    Refused::HeaderGarbled { header, what }
}

/// How its signatures are written.
pub const SCHEMES: &[Scheme] = &[Scheme {
    header: SIGNATURE,
    between: ' ',
    time: None,
    signature: "v1,",
    written: Written::Base64,
}];

const ID: &str = "webhook-id";
const TIME: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
const TOLERANCE_SECONDS: u16 = 300;
const MAX_HEADER: usize = 4096;
const MAX_SIGNATURES: usize = 16;
const MAX_BODY: usize = 64 * 1024;
