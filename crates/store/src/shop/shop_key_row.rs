//! A key of the shop's own code as the table keeps it: no secret.

use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
use domain::shop_key::{KeyName, KeyScope};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A key. Its text is derived from a root, its name, scope and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopKeyRow {
    /// What the shop calls it.
    pub name: KeyName,
    /// Counts writes.
    pub version: u64,
    /// What it may be used for.
    pub scope: KeyScope,
    /// The version that was given out last, from 1: one that was revoked is not given out again.
    pub key: u32,
    /// When that version was given out.
    pub created_at: Timestamp,
    /// Since when that version is out of force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl ShopKeyRow {
    /// Whether this version with this scope is in force.
    pub fn has_key(&self, version: u32, scope: KeyScope) -> bool {
        self.revoked_at.is_none() && self.key == version && self.scope == scope
    }
}

impl StoredItem for ShopKeyRow {
    fn type_name(&self) -> &'static str {
        "shop_key"
    }

    fn key(&self) -> Key {
        Key::shop_key(&self.name)
    }

    fields_by_serde!();

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
