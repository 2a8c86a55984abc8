//! `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,… v1a,…`: any `v1` (HMAC) or `v1a`
//! (Ed25519) under any key in force of its kind, then the clock.

use crate::provider::{Scheme, SignatureEncoding, SignedHeaders};
use crate::request::Request;
use crate::secret::{Secret, Secrets};
use crate::verification_error::VerificationError;
use crate::verified::{SignatureClaim, VerifiedItems, canonical_seconds, signature};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// Proves that a holder of one of the keys sent this body just now.
///
/// # Errors
/// [`VerificationError`] when nothing fits, the body is larger than `limit` bytes, the id has other
/// marks than `id_marks`, or the signed time is further from `now` than the tolerance.
pub(crate) fn verify_within(
    request: &Request<'_>,
    secrets: &Secrets,
    tolerance_seconds: u16,
    (limit, id_marks): (usize, &[u8]),
    now: Timestamp,
) -> Result<VerifiedItems, VerificationError> {
    request.check_body(limit)?;
    let names = HeaderNames::of(request);
    let id = request.headers.only(names.id)?;
    let time = request.headers.only(names.time)?;
    let offered = OfferedSignatures::read(request, names.signature)?;
    if !is_message_id(id, id_marks) {
        return Err(garbled(
            names.id,
            "it is not 1 to 128 letters, digits and the marks that ids may have",
        ));
    }
    let at = canonical_seconds(time)
        .ok_or_else(|| garbled(names.time, "it is not plain seconds since 1970"))?;
    let claim = SignatureClaim {
        prefix: &[id.as_bytes(), b".", time.as_bytes(), b"."],
        body: request.body,
        macs: &offered.macs,
        ed25519: &offered.ed25519,
        signed_at: Some(at),
        tolerance_seconds,
    };
    Ok(VerifiedItems::by_signature(&claim, secrets, now)?.with_message_id(id))
}

/// The three headers of a message. A public key signs nothing: what it gives fits nothing.
pub fn sign(id: &str, body: &[u8], secret: &Secret, now: Timestamp) -> SignedHeaders {
    sign_with_all(id, body, std::slice::from_ref(secret), now)
}

/// The same with a signature under each of several secrets, while one of them is replaced.
pub fn sign_with_all(id: &str, body: &[u8], secrets: &[Secret], now: Timestamp) -> SignedHeaders {
    let time = now.as_second().to_string();
    let prefix: &[&[u8]] = &[id.as_bytes(), b".", time.as_bytes(), b"."];
    let one = |secret| STANDARD.encode(signature(secret, prefix, body).unwrap_or_default());
    let all: Vec<String> = secrets.iter().map(|s| format!("v1,{}", one(s))).collect();
    vec![
        (STANDARD_HEADERS.id, id.to_owned()),
        (STANDARD_HEADERS.time, time),
        (STANDARD_HEADERS.signature, all.join(" ")),
    ]
}

/// What the three headers are called.
struct HeaderNames {
    id: &'static str,
    time: &'static str,
    signature: &'static str,
}

impl HeaderNames {
    /// Svix, where the scheme comes from, has a brand of its own on them. Never a mixture.
    fn of(request: &Request<'_>) -> &'static Self {
        let has = |name| request.headers.all(name).next().is_some();
        let branded = has(SVIX_HEADERS.id)
            && ![
                STANDARD_HEADERS.id,
                STANDARD_HEADERS.time,
                STANDARD_HEADERS.signature,
            ]
            .into_iter()
            .any(has);
        if branded {
            &SVIX_HEADERS
        } else {
            &STANDARD_HEADERS
        }
    }
}

/// The signatures offered, by kind.
struct OfferedSignatures {
    macs: Vec<[u8; 32]>,
    ed25519: Vec<[u8; 64]>,
}

impl OfferedSignatures {
    /// Every `v1` and `v1a`, in whatever header line; other versions are none of ours.
    fn read(request: &Request<'_>, header: &'static str) -> Result<Self, VerificationError> {
        let mut bytes: usize = 0;
        let mut count: usize = 0;
        let mut offered = Self {
            macs: Vec::new(),
            ed25519: Vec::new(),
        };
        for value in request.headers.all(header) {
            bytes = bytes.saturating_add(value.len());
            if bytes > MAX_HEADER {
                return Err(garbled(header, "it is longer than 4096 bytes"));
            }
            for item in value.split(' ') {
                match item.split_once(',') {
                    Some(("v1", text)) => offered.macs.extend(canonical_base64(text)),
                    Some(("v1a", text)) => offered.ed25519.extend(canonical_base64(text)),
                    Some(_) | None => continue,
                }
                count = count.saturating_add(1);
            }
        }
        if bytes == 0 {
            return Err(VerificationError::HeaderMissing { header });
        }
        if count == 0 {
            return Err(garbled(header, "it has no signature `v1,` or `v1a,`"));
        }
        offered.ed25519.sort_unstable();
        offered.ed25519.dedup();
        let too_many = |limit| Err(VerificationError::TooManySignatures { header, limit });
        if count > MAX_SIGNATURES {
            return too_many(MAX_SIGNATURES);
        }
        if offered.ed25519.len() > MAX_ED25519_SIGNATURES {
            return too_many(MAX_ED25519_SIGNATURES);
        }
        Ok(offered)
    }
}

/// The decoder takes the standard alphabet, padding and zero trailing bits, nothing else.
pub(crate) fn canonical_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// A dot would let id and time be cut elsewhere in the signed bytes; the rest keeps the
/// journal's key plain. The scheme's own libraries take any text.
fn is_message_id(id: &str, marks: &[u8]) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || marks.contains(&byte);
    (1..=128).contains(&id.len()) && id.bytes().all(is_allowed)
}

fn garbled(header: &'static str, what: &'static str) -> VerificationError {
    VerificationError::HeaderGarbled { header, what }
}

/// How its signatures are written.
pub const SCHEMES: &[Scheme] = &[
    scheme(STANDARD_HEADERS.signature),
    scheme(SVIX_HEADERS.signature),
];

const fn scheme(header: &'static str) -> Scheme {
    Scheme {
        header,
        separator: ' ',
        time_prefix: None,
        signature_prefix: "v1,",
        encoding: SignatureEncoding::Base64,
    }
}

const STANDARD_HEADERS: HeaderNames = HeaderNames {
    id: "webhook-id",
    time: "webhook-timestamp",
    signature: "webhook-signature",
};
const SVIX_HEADERS: HeaderNames = HeaderNames {
    id: "svix-id",
    time: "svix-timestamp",
    signature: "svix-signature",
};
const MAX_HEADER: usize = 4096;
const MAX_SIGNATURES: usize = 16;
/// One for each of two keys while one replaces the other. A check costs some 100,000 cycles, and
/// reads the whole body.
const MAX_ED25519_SIGNATURES: usize = 2;
