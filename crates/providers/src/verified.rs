//! The proof that bytes were vouched for: made here, by checking, and nowhere else.

use crate::{Refused, Secrets};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::sync::Arc;

/// Wire items whose sender is proven. Its fields are private and its makers check a signature,
/// so what has this type was verified:
///
/// ```compile_fail
/// use std::sync::Arc;
/// let forged = providers::Verified {
///     items: vec![Arc::from(&b"{}"[..])],
///     signed_at: jiff::Timestamp::UNIX_EPOCH,
/// };
/// ```
///
/// ```compile_fail
/// let forged = providers::Verified::by_mac(todo!());
/// ```
#[derive(Debug)]
pub struct Verified {
    items: Vec<Arc<[u8]>>,
    signed_at: Timestamp,
}

/// What a request claims, before anything of it is believed.
pub(crate) struct Claim<'a> {
    /// What stands before the body in the signed bytes.
    pub(crate) prefix: &'a [&'a [u8]],
    /// The body.
    pub(crate) body: &'a [u8],
    /// The signatures offered, any of which may be right.
    pub(crate) signatures: &'a [[u8; 32]],
    /// The signed time, in seconds.
    pub(crate) at: i64,
    /// How far it may lie from ours.
    pub(crate) tolerance_seconds: u16,
}

impl Verified {
    /// Checks HMAC-SHA256 over prefix and body, then the clock.
    pub(crate) fn by_mac(
        claim: &Claim<'_>,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let fits = |key: &[u8]| {
            let mac = mac(key, claim.prefix, claim.body);
            let fits = |signature: &[u8; 32]| {
                let mac = mac.clone();
                // Constant time, and over the full length: a prefix never passes.
                mac.is_some_and(|mac| mac.verify_slice(signature).is_ok())
            };
            claim.signatures.iter().any(fits)
        };
        if !secrets.iter().any(|secret| fits(secret.bytes())) {
            return Err(Refused::SignatureMismatch);
        }
        Ok(Self {
            items: vec![Arc::from(claim.body)],
            signed_at: fresh(claim.at, claim.tolerance_seconds, now)?,
        })
    }

    /// The items as they were sent. A provider that sends batches splits them once proven.
    pub fn items(&self) -> &[Arc<[u8]>] {
        &self.items
    }

    /// When the sender signed.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }
}

/// The MAC with which a sender would sign.
pub(crate) fn signature(key: &[u8], prefix: &[&[u8]], body: &[u8]) -> Vec<u8> {
    mac(key, prefix, body)
        .map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Seconds since 1970 in the one way they may be written: digits, no sign, no leading zero.
pub(crate) fn canonical_seconds(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if digits && !leading_zero {
        text.parse().ok()
    } else {
        None
    }
}

fn mac(key: &[u8], prefix: &[&[u8]], body: &[u8]) -> Option<Hmac<Sha256>> {
    // A key of any length is taken; an error here proves nothing, so it fits nothing.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in prefix {
        mac.update(part);
    }
    mac.update(body);
    Some(mac)
}

/// The signed time, if it lies within the tolerance of ours, both edges inclusive.
fn fresh(at: i64, tolerance_seconds: u16, now: Timestamp) -> Result<Timestamp, Refused> {
    let tolerance = i64::from(tolerance_seconds);
    let age = now.as_second().saturating_sub(at);
    if age > tolerance {
        return Err(Refused::TooOld { seconds: age });
    }
    let too_new = Refused::TooNew {
        seconds: age.saturating_neg(),
    };
    if age < tolerance.saturating_neg() {
        return Err(too_new);
    }
    Timestamp::from_second(at).map_err(|_| too_new)
}
