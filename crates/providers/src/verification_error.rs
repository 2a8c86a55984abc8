//! Why a request is refused, in words that somebody can act on.

use crate::secret::WeakSecret;

/// Why a request could not be verified. No variant contains a secret, a body, a URL or the
/// signature that would have been right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerificationError {
    /// The endpoint has no valid secret in force: ours to correct.
    #[error(
        "no secret is in force at this endpoint, so no request can be verified: {0}; \
         the provider will send it again"
    )]
    NoSecret(#[from] WeakSecret),
    /// No signature was sent.
    #[error(
        "the header `{header}` is missing, so nothing proves who sent this request; \
         pass it on unchanged, or see whether a proxy drops it"
    )]
    HeaderMissing {
        /// Its name.
        header: &'static str,
    },
    /// A header that is not written in the one form it may have.
    #[error(
        "the header `{header}` cannot be read ({what}), so it proves nothing; \
         send it as the provider wrote it"
    )]
    HeaderGarbled {
        /// Its name.
        header: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// More headers than any provider sends.
    #[error("there are more than 128 headers or 32 KiB of them; no provider sends so many")]
    HeadersTooLarge,
    /// More candidates than a rotation needs: each costs a MAC.
    #[error(
        "the header `{header}` carries more than {limit} signatures, \
         which only costs computing time; a rotation needs two"
    )]
    TooManySignatures {
        /// Its name.
        header: &'static str,
        /// How many are tried.
        limit: usize,
    },
    /// No signature fits.
    #[error(
        "no signature fits this body under any secret in force: it is forged, altered on its \
         way, or signed with another endpoint's secret; compare the secret of exactly this \
         endpoint and mode, and see that nothing decodes or rewrites the body"
    )]
    SignatureMismatch,
    /// Correctly signed, too long ago.
    #[error(
        "correctly signed, but {seconds} s ago, so it may be a replay; \
         the provider signs every retry anew: let it send again, or set the clock"
    )]
    TooOld {
        /// The age, in seconds.
        seconds: i64,
    },
    /// Correctly signed, in the future.
    #[error(
        "correctly signed, but {seconds} s ahead of our time, so one of the two clocks is wrong; \
         set the sender's clock"
    )]
    TooNew {
        /// How far ahead, in seconds.
        seconds: i64,
    },
    /// Only the provider's API can confirm it, and the API does not answer.
    #[error(
        "only the provider's own API can confirm this request, and it does not answer; \
         the provider will send it again"
    )]
    Unconfirmed,
    /// What should prove it does not, or proves the opposite.
    #[error("{what}, so nothing proves who sent this request; pass it on unchanged")]
    Disproved {
        /// What was found.
        what: &'static str,
    },
    /// More items than any provider puts into one body.
    #[error("the body holds {items} events, and this endpoint takes {limit} at once; send fewer")]
    TooManyItems {
        /// How many there are.
        items: usize,
        /// How many are taken.
        limit: usize,
    },
    /// The body is empty.
    #[error("the body is empty: there is nothing to read; see whether a proxy drops it")]
    BodyEmpty,
    /// The body is too large; it is refused before anything is computed over it.
    #[error("the body has {bytes} bytes, and this endpoint takes {limit}; send smaller events")]
    BodyTooLarge {
        /// How many there are.
        bytes: usize,
        /// How many are taken.
        limit: usize,
    },
}

impl VerificationError {
    /// The HTTP status: 4xx is the sender's to correct, 5xx ours.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoSecret(_) => 500,
            Self::Unconfirmed => 503,
            Self::HeaderMissing { .. }
            | Self::TooManySignatures { .. }
            | Self::SignatureMismatch
            | Self::Disproved { .. }
            | Self::TooOld { .. }
            | Self::TooNew { .. } => 401,
            Self::HeaderGarbled { .. } | Self::BodyEmpty => 400,
            Self::BodyTooLarge { .. } | Self::TooManyItems { .. } => 413,
            Self::HeadersTooLarge => 431,
        }
    }

    /// A short, stable word for counters and logs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoSecret(_) => "no_secret",
            Self::HeaderMissing { .. } => "header_missing",
            Self::HeaderGarbled { .. } => "header_garbled",
            Self::HeadersTooLarge => "headers_too_large",
            Self::TooManySignatures { .. } => "too_many_signatures",
            Self::SignatureMismatch => "signature_mismatch",
            Self::TooOld { .. } => "too_old",
            Self::TooNew { .. } => "too_new",
            Self::Unconfirmed => "unconfirmed",
            Self::Disproved { .. } => "disproved",
            Self::TooManyItems { .. } => "too_many_items",
            Self::BodyEmpty => "body_empty",
            Self::BodyTooLarge { .. } => "body_too_large",
        }
    }
}
