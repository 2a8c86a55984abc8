//! Where the audit stands, as the table keeps it.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, from_fields, to_fields};
use crate::items::key::Key;
use crate::items::stored_item::StoredItem;
use domain::ids::PartnerId;
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
}

#[derive(Serialize, Deserialize)]
struct CursorFields {
    version: u64,
    after: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    active: BTreeMap<PartnerId, u32>,
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
        })
    }

    fn from_fields(_: &Key, attributes: Attributes) -> Result<Self, String> {
        let fields: CursorFields = from_fields(attributes)?;
        let after = fields.after;
        Ok(Self {
            version: fields.version,
            after: after.map(|(partition, sort)| Key::new(partition, sort)),
            active: fields.active,
        })
    }

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
