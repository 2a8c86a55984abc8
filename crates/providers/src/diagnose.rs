//! Why a request was refused, in a form that a person can act on. It is for the operator alone and
//! never part of a response.
//!
//! It calls the endpoint's own verifier repeatedly, each time with one possible mistake undone; the
//! mistake whose undoing makes it fit is the cause. Anything else is a guess, and marked so.
//! Nothing here contains a secret or a signature that would have been right.

mod bodies;
mod headers;
mod secrets;

use crate::endpoint::{EndpointConfig, InboundRequest};
use crate::fetch::ApiResponses;
use crate::provider::{Provider, Scheme};
use crate::request::{Headers, Request};
use crate::secret::{Secret, Secrets, WeakSecret};
use crate::standard;
use crate::verification_error::VerificationError;
use domain::ids::Mode;
use jiff::Timestamp;
use std::borrow::Cow;

/// The endpoint that refused the request.
#[derive(Clone, Copy, Debug)]
pub enum EndpointKind {
    /// A payment provider's.
    Provider(&'static Provider, EndpointConfig),
    /// A partner's, who signs with Standard Webhooks.
    Partner,
}

/// The texts of the secrets that the operator's machine knows.
#[derive(Clone, Copy)]
pub struct KnownSecrets<'a> {
    /// In force at this endpoint.
    pub in_force: &'a [&'a str],
    /// In force elsewhere: the place, and the text.
    pub elsewhere: &'a [(&'a str, &'a str)],
}

impl std::fmt::Debug for KnownSecrets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KnownSecrets(redacted)")
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The cause.
    pub cause: Cause,
    /// Whether it is certain; else it is the likeliest.
    pub certain: bool,
    /// By how many seconds a clock is off.
    pub seconds: Option<i64>,
    /// The header, place or change in words; never a secret.
    pub what: Cow<'static, str>,
}

/// One kind of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The endpoint has no valid secret in force.
    NoSecret,
    /// No signature was sent.
    HeaderMissing,
    /// A header that cannot be read.
    HeaderGarbled,
    /// Two signature headers became one.
    HeadersJoined,
    /// Too many headers, or too long ones.
    HeadersTooLarge,
    /// More signatures than are tried.
    TooManySignatures,
    /// Only a scheme that proves nothing was offered.
    WrongScheme,
    /// A signature that is not written as it must be.
    SignatureEncoding,
    /// Signed too long ago: a replay, or the sender's clock is behind.
    ClockBehind,
    /// Signed in the future.
    ClockAhead,
    /// The secret was decoded before signing, or was not and should have been.
    SecretEncoding,
    /// The sender's copy of the secret has a line end, a blank or quotes around it.
    SecretSpace,
    /// Signed with the secret of another mode, live or test.
    OtherMode,
    /// Signed with a secret that belongs to another place.
    OtherEndpoint,
    /// Signed with a secret that nobody here knows.
    WrongSecret,
    /// Something on its way rewrote the body.
    BodyRewritten,
    /// The body was cut off.
    BodyCut,
    /// There is no body.
    BodyEmpty,
    /// The body is larger than the endpoint takes.
    BodyTooLarge,
    /// Only the provider's API can confirm it, which can't be seen from here.
    Unconfirmed,
    /// What should prove it does not.
    Disproved,
    /// It would be accepted now: the cause was corrected since, or is not the signature.
    Fits,
}

impl Cause {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::NoSecret,
        Self::HeaderMissing,
        Self::HeaderGarbled,
        Self::HeadersJoined,
        Self::HeadersTooLarge,
        Self::TooManySignatures,
        Self::WrongScheme,
        Self::SignatureEncoding,
        Self::ClockBehind,
        Self::ClockAhead,
        Self::SecretEncoding,
        Self::SecretSpace,
        Self::OtherMode,
        Self::OtherEndpoint,
        Self::WrongSecret,
        Self::BodyRewritten,
        Self::BodyCut,
        Self::BodyEmpty,
        Self::BodyTooLarge,
        Self::Unconfirmed,
        Self::Disproved,
        Self::Fits,
    ];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSecret => "no_secret",
            Self::HeaderMissing => "header_missing",
            Self::HeaderGarbled => "header_garbled",
            Self::HeadersJoined => "headers_joined",
            Self::HeadersTooLarge => "headers_too_large",
            Self::TooManySignatures => "too_many_signatures",
            Self::WrongScheme => "wrong_scheme",
            Self::SignatureEncoding => "signature_encoding",
            Self::ClockBehind => "clock_behind",
            Self::ClockAhead => "clock_ahead",
            Self::SecretEncoding => "secret_encoding",
            Self::SecretSpace => "secret_space",
            Self::OtherMode => "other_mode",
            Self::OtherEndpoint => "other_endpoint",
            Self::WrongSecret => "wrong_secret",
            Self::BodyRewritten => "body_rewritten",
            Self::BodyCut => "body_cut",
            Self::BodyEmpty => "body_empty",
            Self::BodyTooLarge => "body_too_large",
            Self::Unconfirmed => "unconfirmed",
            Self::Disproved => "disproved",
            Self::Fits => "fits",
        }
    }
}

/// Finds the cause. `now` is the time at which the endpoint refused it.
pub fn diagnose(
    endpoint: EndpointKind,
    request: &Request<'_>,
    known: KnownSecrets<'_>,
    now: Timestamp,
) -> Diagnosis {
    let secrets = match endpoint.secrets(known.in_force) {
        Ok(secrets) => secrets,
        Err(weak) => return certain(Cause::NoSecret, weak.to_string()),
    };
    let Err(refused) = endpoint.verify(request, &secrets, now) else {
        return certain(Cause::Fits, "");
    };
    let examination = Examination {
        endpoint,
        request,
        known,
        secrets,
        now,
    };
    match refused {
        VerificationError::NoSecret(weak) => certain(Cause::NoSecret, weak.to_string()),
        VerificationError::HeaderMissing { header } => certain(Cause::HeaderMissing, header),
        VerificationError::HeaderGarbled { header, what } => examination
            .headers()
            .unwrap_or_else(|| certain(Cause::HeaderGarbled, format!("{header}: {what}"))),
        VerificationError::HeadersTooLarge => certain(Cause::HeadersTooLarge, ""),
        VerificationError::TooManySignatures { header, .. } => {
            certain(Cause::TooManySignatures, header)
        }
        VerificationError::TooOld { seconds } => clock_off(Cause::ClockBehind, seconds),
        VerificationError::TooNew { seconds } => clock_off(Cause::ClockAhead, seconds),
        VerificationError::BodyEmpty => certain(Cause::BodyEmpty, ""),
        VerificationError::BodyTooLarge { bytes, .. } => {
            certain(Cause::BodyTooLarge, format!("{bytes} bytes"))
        }
        VerificationError::TooManyItems { items, .. } => {
            certain(Cause::BodyTooLarge, format!("{items} events"))
        }
        VerificationError::Unconfirmed => certain(Cause::Unconfirmed, ""),
        VerificationError::Disproved { what } => certain(Cause::Disproved, what),
        VerificationError::SignatureMismatch => examination.mismatch(),
    }
}

impl EndpointKind {
    fn secrets(self, texts: &[&str]) -> Result<Secrets, WeakSecret> {
        match self {
            Self::Provider(provider, _) => provider.secrets(texts.iter().copied()),
            Self::Partner => {
                let secrets: Result<Vec<_>, _> =
                    texts.iter().map(|text| Secret::standard(text)).collect();
                Secrets::new(secrets?)
            }
        }
    }

    fn verify(
        self,
        request: &Request<'_>,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<(), VerificationError> {
        match self {
            Self::Provider(provider, endpoint) => {
                // No call is made: what only a response can show stays open.
                let inbound = InboundRequest {
                    request: *request,
                    endpoint,
                    secrets,
                    fetched: &ApiResponses::closed(),
                    now,
                };
                (provider.verify)(&inbound).map(drop)
            }
            Self::Partner => standard::verify(request, secrets, now).map(drop),
        }
    }

    fn schemes(self) -> &'static [Scheme] {
        match self {
            Self::Provider(provider, _) => provider.schemes(),
            Self::Partner => standard::SCHEMES,
        }
    }

    fn mode(self) -> Option<Mode> {
        match self {
            Self::Provider(_, endpoint) => Some(endpoint.mode),
            Self::Partner => None,
        }
    }
}

/// One request under examination.
struct Examination<'a> {
    endpoint: EndpointKind,
    request: &'a Request<'a>,
    known: KnownSecrets<'a>,
    secrets: Secrets,
    now: Timestamp,
}

impl Examination<'_> {
    /// Undoes one possible mistake after the other, until a signature fits.
    fn mismatch(&self) -> Diagnosis {
        self.headers()
            .or_else(|| self.wrong_secret())
            .or_else(|| self.rewritten())
            .unwrap_or_else(|| self.guess())
    }

    fn headers(&self) -> Option<Diagnosis> {
        for undone in headers::corrections(self.request.headers, self.endpoint.schemes()) {
            if self.fits(&undone.headers, self.request.body, &self.secrets) {
                return Some(certain(undone.cause, undone.what));
            }
        }
        headers::guess(self.request.headers, self.endpoint.schemes())
    }

    fn wrong_secret(&self) -> Option<Diagnosis> {
        for text in self.known.in_force {
            for (cause, what, key) in secrets::candidate_keys(text) {
                if self.fits_under(&key) {
                    return Some(certain(cause, what));
                }
            }
        }
        for (place, text) in self.known.elsewhere {
            let right = self.endpoint.secrets(&[text]);
            let right = right
                .is_ok_and(|secrets| self.fits(self.request.headers, self.request.body, &secrets));
            let mistaken = || {
                let mut keys = secrets::candidate_keys(text).into_iter();
                keys.any(|(_, _, key)| self.fits_under(&key))
            };
            if right || mistaken() {
                return Some(certain(Cause::OtherEndpoint, (*place).to_owned()));
            }
        }
        None
    }

    fn rewritten(&self) -> Option<Diagnosis> {
        bodies::corrections(self.request.body)
            .into_iter()
            .find(|(_, body)| self.fits(self.request.headers, body, &self.secrets))
            .map(|(what, _)| certain(Cause::BodyRewritten, what))
    }

    /// A guess from what the request looks like.
    fn guess(&self) -> Diagnosis {
        let likely = |cause, what: &str| Diagnosis {
            certain: false,
            ..certain(cause, what.to_owned())
        };
        if let Some(what) = bodies::cut_off(self.request) {
            return likely(Cause::BodyCut, what);
        }
        let live = bodies::livemode(self.request.body);
        match (self.endpoint.mode(), live) {
            (Some(Mode::Test), Some(true)) => {
                return likely(Cause::OtherMode, "a live event at a test endpoint");
            }
            (Some(Mode::Live), Some(false)) => {
                return likely(Cause::OtherMode, "a test event at a live endpoint");
            }
            (Some(_) | None, _) => {}
        }
        if let Some(what) = bodies::looks_rewritten(self.request.body) {
            return likely(Cause::BodyRewritten, what);
        }
        likely(Cause::WrongSecret, "")
    }

    fn fits_under(&self, key: &[u8]) -> bool {
        let secrets = Secret::from_bytes(key).and_then(|secret| Secrets::new(vec![secret]));
        secrets.is_ok_and(|secrets| self.fits(self.request.headers, self.request.body, &secrets))
    }

    /// Whether the signature is right, whatever the clock says.
    fn fits(&self, headers: &Headers, body: &[u8], secrets: &Secrets) -> bool {
        let request = Request {
            headers,
            body,
            ..*self.request
        };
        match self.endpoint.verify(&request, secrets, self.now) {
            Ok(()) | Err(VerificationError::TooOld { .. } | VerificationError::TooNew { .. }) => {
                true
            }
            Err(
                VerificationError::NoSecret(_)
                | VerificationError::HeaderMissing { .. }
                | VerificationError::HeaderGarbled { .. }
                | VerificationError::HeadersTooLarge
                | VerificationError::TooManySignatures { .. }
                | VerificationError::SignatureMismatch
                | VerificationError::Unconfirmed
                | VerificationError::Disproved { .. }
                | VerificationError::BodyEmpty
                | VerificationError::BodyTooLarge { .. }
                | VerificationError::TooManyItems { .. },
            ) => false,
        }
    }
}

fn certain(cause: Cause, what: impl Into<Cow<'static, str>>) -> Diagnosis {
    Diagnosis {
        cause,
        certain: true,
        seconds: None,
        what: what.into(),
    }
}

fn clock_off(cause: Cause, seconds: i64) -> Diagnosis {
    Diagnosis {
        seconds: Some(seconds),
        ..certain(cause, "")
    }
}
