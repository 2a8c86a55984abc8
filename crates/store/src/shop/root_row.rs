//! Which root a stage's keys of one purpose are made from, as the table knows it: no secret.

use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
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

    fields_by_serde!();

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
