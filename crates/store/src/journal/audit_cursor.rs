//! Where the audit stands, as the table keeps it.

use crate::items::key::Key;
use domain::ids::PartnerId;
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
