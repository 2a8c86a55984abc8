//! Where the audit stands, as the table keeps it.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, from_fields, to_fields};
use crate::items::key::Key;
use crate::items::stored_item::StoredItem;
use domain::ids::PartnerId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a long walk over the table is to be taken up again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Counts writes.
    pub version: u64,
    /// The last key that was done; none at the beginning of a round.
    pub after: Option<Key>,
    /// Active customers of this round so far, by the partner that sent them.
    pub active: BTreeMap<PartnerId, u32>,
    /// Runs that began and have not saved a place, this one included.
    pub stalled_runs: u32,
    /// When this round began; none between two rounds.
    pub began_at: Option<Timestamp>,
    /// When a round last came to the end of the table.
    pub completed_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct CursorFields {
    version: u64,
    after: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    active: BTreeMap<PartnerId, u32>,
    #[serde(default, skip_serializing_if = "is_zero")]
    stalled_runs: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    completed_at: Option<Timestamp>,
}

impl StoredItem for Cursor {
    fn type_name(&self) -> &'static str {
        "cursor"
    }

    fn key(&self) -> Key {
        Key::audit_cursor()
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        let after = self.after.as_ref();
        to_fields(&CursorFields {
            version: self.version,
            after: after.map(|key| (key.partition.to_string(), key.sort.to_string())),
            active: self.active.clone(),
            stalled_runs: self.stalled_runs,
            began_at: self.began_at,
            completed_at: self.completed_at,
        })
    }

    fn from_fields(_: &Key, attributes: Attributes) -> Result<Self, String> {
        let fields: CursorFields = from_fields(attributes)?;
        let after = fields.after;
        Ok(Self {
            version: fields.version,
            after: after.map(|(partition, sort)| Key::new(partition, sort)),
            active: fields.active,
            stalled_runs: fields.stalled_runs,
            began_at: fields.began_at,
            completed_at: fields.completed_at,
        })
    }

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
