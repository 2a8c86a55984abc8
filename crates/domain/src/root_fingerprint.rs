//! What tells the roots of keys apart, and opens nothing.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The fingerprint of a root: 16 hex digits that are derived from it in one way only. A table keeps
/// it, so that a command notices when the root in its hand is another stage's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RootFingerprint(Arc<str>);

impl RootFingerprint {
    /// From what was derived.
    pub fn from_bytes(derived: [u8; 8]) -> Self {
        let digits: String = derived.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(digits.into())
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RootFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
