//! Meter events: what a shop's own code tells of a customer's usage.

use super::quantity::Quantity;
use crate::ids::{MeterEventId, MeterName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One thing that a customer used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterEvent {
    /// Its own id. Told again under it, it is the same event.
    pub id: MeterEventId,
    /// What was used.
    pub meter: MeterName,
    /// How much of it; left out, one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// When it was used, to the millisecond: what is finer is cut off.
    pub occurred_at: Timestamp,
    /// Whatever else is known of it, as text: `{"region": "eu"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<Arc<str>, Arc<str>>,
}

/// By what a page knows an event's id: the first 96 bits of its hash. Ids are compared within one
/// customer's pages of one meter only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventHash(pub(super) [u8; 12]);

/// By what a repetition is told from a conflict: the first 48 bits of a hash over all that an event
/// says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest(pub(super) [u8; 6]);

impl MeterEvent {
    /// How much was used.
    pub fn amount(&self) -> Quantity {
        self.quantity.unwrap_or(Quantity::ONE)
    }

    /// When it was used, in milliseconds since 1970.
    pub fn millisecond(&self) -> i64 {
        self.occurred_at.as_millisecond()
    }

    /// The hash of its id.
    pub fn hash(&self) -> EventHash {
        let hash = Sha256::digest(self.id.as_str().as_bytes());
        EventHash(hash.first_chunk().copied().unwrap_or_default())
    }

    /// The digest of what it says. Two writings of one number are one content, and so are a
    /// quantity of one and none.
    pub fn content(&self) -> ContentDigest {
        let mut hash = Sha256::new();
        hash.update(self.millisecond().to_be_bytes());
        hash.update(self.amount().parts().to_be_bytes());
        for (name, value) in &self.properties {
            for text in [name, value] {
                let length = u64::try_from(text.len()).unwrap_or_default();
                hash.update(length.to_be_bytes());
                hash.update(text.as_bytes());
            }
        }
        ContentDigest(hash.finalize().first_chunk().copied().unwrap_or_default())
    }
}
