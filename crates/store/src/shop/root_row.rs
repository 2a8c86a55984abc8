//! Which root a stage's keys of one purpose are made from, as the table knows it: no secret.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, from_fields, to_fields};
use crate::items::key::Key;
use crate::items::stored_item::StoredItem;
use domain::root_fingerprint::RootFingerprint;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The root of one purpose, by its fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootRow {
    /// What its keys are for, as it stands in the parameter's name.
    pub purpose: Arc<str>,
    /// Counts writes.
    pub version: u64,
    /// Its fingerprint.
    pub fingerprint: RootFingerprint,
    /// Since when it is this one.
    pub since: Timestamp,
}

impl StoredItem for RootRow {
    fn type_name(&self) -> &'static str {
        "root"
    }

    fn key(&self) -> Key {
        Key::root(&self.purpose)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        to_fields(self)
    }

    fn from_fields(_: &Key, attributes: Attributes) -> Result<Self, String> {
        from_fields(attributes)
    }

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
