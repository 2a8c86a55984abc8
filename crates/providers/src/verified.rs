//! The proof that the sender of some bytes was verified: only this file makes it, by checking.

use crate::fetch::ApiResponse;
use crate::secret::{Secret, Secrets};
use crate::verification_error::VerificationError;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::Sha256;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Wire items whose sender is verified. Its fields are private and its constructors check a
/// signature, a token or the provider's API, so a value of this type was verified:
///
/// ```compile_fail
/// use std::sync::Arc;
/// let forged = providers::VerifiedItems {
///     items: vec![Arc::from(&b"{}"[..])],
///     message_id: None,
///     signed_at: jiff::Timestamp::UNIX_EPOCH,
/// };
/// ```
///
/// ```compile_fail
/// let forged = providers::VerifiedItems::by_signature(todo!());
/// ```
#[derive(Debug)]
pub struct VerifiedItems {
    items: Vec<Arc<[u8]>>,
    message_id: Option<Arc<str>>,
    signed_at: Timestamp,
}

/// What a request claims, before it is verified.
pub(crate) struct SignatureClaim<'a> {
    /// The parts before the body in the signed bytes.
    pub(crate) prefix: &'a [&'a [u8]],
    /// The body.
    pub(crate) body: &'a [u8],
    /// The HMAC-SHA256 values offered, any of which may be right.
    pub(crate) macs: &'a [[u8; 32]],
    /// The Ed25519 signatures offered, any of which may be right.
    pub(crate) ed25519: &'a [[u8; 64]],
    /// The signed time, in seconds; none where the scheme signs none.
    pub(crate) signed_at: Option<i64>,
    /// How far it may be from the current time, in seconds.
    pub(crate) tolerance_seconds: u16,
}

impl VerifiedItems {
    /// Checks the signatures over prefix and body, each kind under its own kind of key, then
    /// the clock.
    pub(crate) fn by_signature(
        claim: &SignatureClaim<'_>,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<Self, VerificationError> {
        let fits = |secret: &Secret| secret.shared().is_some_and(|key| claim.mac_fits(key));
        if !secrets.iter().any(fits) && !claim.ed25519_fits(secrets) {
            return Err(VerificationError::SignatureMismatch);
        }
        let signed_at = match claim.signed_at {
            Some(at) => check_freshness(at, claim.tolerance_seconds, now)?,
            None => now,
        };
        Ok(Self {
            items: vec![Arc::from(claim.body)],
            message_id: None,
            signed_at,
        })
    }

    /// A request with the token that only its sender was given. A token is not bound to a time, so
    /// `now` is taken.
    pub(crate) fn by_token(
        [offered, given]: [&[u8]; 2],
        item: &[u8],
        now: Timestamp,
    ) -> Result<Self, VerificationError> {
        if !bool::from(offered.ct_eq(given)) {
            return Err(VerificationError::SignatureMismatch);
        }
        Ok(Self {
            items: vec![Arc::from(item)],
            message_id: None,
            signed_at: now,
        })
    }

    /// What the provider's own API responded to a call of ours, which nobody else can do. `at` is
    /// the time of the request.
    pub(crate) fn by_api_response(answer: &ApiResponse, at: Timestamp) -> Self {
        Self {
            items: vec![Arc::clone(&answer.body)],
            message_id: None,
            signed_at: at,
        }
    }

    /// Splits a verified body into its items. A body that `apart` can't split stays one item.
    pub(crate) fn split(
        self,
        apart: impl Fn(&[u8]) -> Option<Vec<Arc<[u8]>>>,
    ) -> Result<Self, VerificationError> {
        let mut items = Vec::new();
        for whole in self.items {
            match apart(&whole) {
                Some(parts) => items.extend(parts),
                None => items.push(whole),
            }
        }
        if items.len() > MAX_ITEMS {
            return Err(VerificationError::TooManyItems {
                items: items.len(),
                limit: MAX_ITEMS,
            });
        }
        Ok(Self { items, ..self })
    }

    /// The same, with the message id that is signed with it.
    pub(crate) fn with_message_id(self, message: &str) -> Self {
        Self {
            message_id: Some(message.into()),
            ..self
        }
    }

    /// The message id that is signed with it, where the scheme has one.
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// The items as they were sent.
    pub fn items(&self) -> &[Arc<[u8]>] {
        &self.items
    }

    /// When the sender signed.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }
}

impl SignatureClaim<'_> {
    fn mac_fits(&self, key: &[u8]) -> bool {
        if self.macs.is_empty() {
            return false;
        }
        let mac = mac(key, self.prefix, self.body);
        let fits = |signature: &[u8; 32]| {
            let mac = mac.clone();
            // Constant time, and over the full length: a prefix never passes.
            mac.is_some_and(|mac| mac.verify_slice(signature).is_ok())
        };
        self.macs.iter().any(fits)
    }

    fn ed25519_fits(&self, secrets: &Secrets) -> bool {
        let mut checks = self.ed25519_checks(secrets).peekable();
        if checks.peek().is_none() {
            return false;
        }
        let prefix = self.prefix.iter().copied().flatten();
        let message: Vec<u8> = prefix.chain(self.body).copied().collect();
        checks.any(|(key, signature)| {
            let key = UnparsedPublicKey::new(&ED25519, key);
            key.verify(&message, signature).is_ok()
        })
    }

    /// Every key with every signature. Each pair is an expensive check, and a stranger decides
    /// how many: [`MAX_PUBLIC_KEYS`](crate::MAX_PUBLIC_KEYS) and the scheme's limit bound them.
    pub(crate) fn ed25519_checks<'a>(
        &'a self,
        secrets: &'a Secrets,
    ) -> impl Iterator<Item = (&'a [u8; 32], &'a [u8; 64])> {
        let keys = secrets.iter().filter_map(Secret::ed25519);
        keys.flat_map(|key| self.ed25519.iter().map(move |signature| (key, signature)))
    }
}

/// The MAC with which a sender would sign; `None` under a key of another kind.
pub(crate) fn signature(secret: &Secret, prefix: &[&[u8]], body: &[u8]) -> Option<Vec<u8>> {
    let mac = mac(secret.shared()?, prefix, body)?;
    Some(mac.finalize().into_bytes().to_vec())
}

/// 64 lower-case hex digits, as every known provider writes them. Any other text is not a
/// signature.
pub(crate) fn canonical_hex(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut signature = [0; 32];
    hex::decode_to_slice(text, &mut signature).ok()?;
    Some(signature)
}

/// Seconds since 1970, written in one form only: digits, no sign, no leading zero.
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
    // HMAC takes keys of any length; should it fail, the MAC fits nothing.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in prefix {
        mac.update(part);
    }
    mac.update(body);
    Some(mac)
}

/// The signed time, if it is within the tolerance of the current time, both edges inclusive.
fn check_freshness(
    at: i64,
    tolerance_seconds: u16,
    now: Timestamp,
) -> Result<Timestamp, VerificationError> {
    let tolerance = i64::from(tolerance_seconds);
    let age = now.as_second().saturating_sub(at);
    if age > tolerance {
        return Err(VerificationError::TooOld { seconds: age });
    }
    let too_new = VerificationError::TooNew {
        seconds: age.saturating_neg(),
    };
    if age < tolerance.saturating_neg() {
        return Err(too_new);
    }
    Timestamp::from_second(at).map_err(|_| too_new)
}

/// The most any provider is known to send at once is 250.
const MAX_ITEMS: usize = 1000;
