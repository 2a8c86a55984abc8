//! Why a request is turned away, in words somebody can act on.

use crate::secret::WeakSecret;

/// A request that proves nothing. No variant carries a secret, a body, an address or the
/// signature that would have been right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerificationError {
    /// Ours to mend: the door has no secret in force.
    #[error(
        "no secret is in force at this endpoint, so nothing can be believed: {0}; \
         the provider will try again meanwhile"
    )]
    NoSecret(#[from] WeakSecret),
    /// No signature was sent.
    #[error(
        "the header `{header}` is missing, so nobody vouches for this request; \
         send it through unchanged, or see whether a proxy drops it"
    )]
    HeaderMissing {
        /// Which.
        header: &'static str,
    },
    /// A header that cannot be read in the one way it may be written.
    #[error(
        "the header `{header}` cannot be read ({what}), so it proves nothing; \
         send it as the provider wrote it"
    )]
    HeaderGarbled {
        /// Which.
        header: &'static str,
        /// What is wrong with it.
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
        /// Which header.
        header: &'static str,
        /// How many are tried.
        limit: usize,
    },
    /// Nothing fits.
    #[error(
        "no signature fits this body under any secret in force: it is forged, altered on its \
         way, or signed with another endpoint's secret; compare the secret of exactly this \
         endpoint and mode, and see that nothing decodes or rewrites the body"
    )]
    SignatureMismatch,
    /// Rightly signed, too long ago.
    #[error(
        "rightly signed {seconds} s ago, which is a replay for all we know; \
         the provider signs every retry anew: let it send again, or set the clock"
    )]
    TooOld {
        /// The age.
        seconds: i64,
    },
    /// Rightly signed, in the future.
    #[error(
        "rightly signed {seconds} s ahead of our time, so one of the two clocks is wrong; \
         set the sender's clock"
    )]
    TooNew {
        /// How far ahead.
        seconds: i64,
    },
    /// Only the provider's API can vouch for it, and the API is silent.
    #[error(
        "only the provider's own API can vouch for this, and it does not answer; \
         the provider will try again meanwhile"
    )]
    Unconfirmed,
    /// What should prove it proves the contrary, or nothing.
    #[error("{what}, so nobody vouches for this request; send it through unchanged")]
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
    /// Nothing to read.
    #[error("the body is empty: there is nothing to read; see whether a proxy drops it")]
    BodyEmpty,
    /// Refused before any computation over it.
    #[error("the body has {bytes} bytes, and this endpoint takes {limit}; send smaller events")]
    BodyTooLarge {
        /// How many there are.
        bytes: usize,
        /// How many are taken.
        limit: usize,
    },
}

impl VerificationError {
    /// The HTTP status: 4xx is theirs to mend, 5xx ours.
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
