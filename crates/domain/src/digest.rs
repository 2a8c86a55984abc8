//! Digests of journal entries. A set of entries has one digest, whatever their order of arrival.

use crate::ids::EventId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The digest of one entry, or the sum of the digests of many. Addition does not depend on order.
/// As text it is 32 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(u128);

impl Digest {
    /// The digest of one entry: its id, its raw item and the version of the normalizer. The
    /// normalized event is a function of the last two, so it need not be hashed.
    pub fn of(id: &EventId, raw: &[u8], normalizer: u16) -> Self {
        let mut hash = Sha256::new();
        hash.update(id.as_str().as_bytes());
        hash.update([0]);
        hash.update(normalizer.to_be_bytes());
        hash.update(raw);
        let first = hash
            .finalize()
            .first_chunk::<16>()
            .copied()
            .unwrap_or_default();
        Self(u128::from_be_bytes(first))
    }

    /// The digest of two sets of entries together, in either order.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// The first 64 bits, for the record's ring.
    pub(crate) fn short(self) -> u64 {
        u64::try_from(self.0 >> 64).unwrap_or_default()
    }
}

/// The first 128 bits of a hash of these texts, in this order.
pub(crate) fn hash_of(parts: &[&str]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let first = hash.finalize().first_chunk::<16>().copied();
    u128::from_be_bytes(first.unwrap_or_default())
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Self)
    }
}
