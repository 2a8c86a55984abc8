//! Partners as the table keeps them: a row each, no secret.

use crate::items::{Item, Key};
use crate::port::{Put, StoreError, Table, When};
use domain::ids::PartnerId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A partner. Its secrets are derived from the master key, its name and the key version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRow {
    /// Its name in addresses.
    pub partner: PartnerId,
    /// Counts writes.
    pub version: u64,
    /// Key versions in force, the newest last.
    pub keys: Vec<u32>,
}

/// Reads a partner.
///
/// # Errors
/// When the table does not answer.
pub async fn read<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<Option<Arc<PartnerRow>>, StoreError> {
    Ok(match table.get(Key::partner(partner)).await? {
        Some(Item::Partner(row)) => Some(row),
        Some(_) | None => None,
    })
}

/// Adds a partner with its first key version. `false` when it is there already.
///
/// # Errors
/// When the table does not answer.
pub async fn add<T: Table>(table: &T, partner: &PartnerId) -> Result<bool, StoreError> {
    let row = PartnerRow {
        partner: partner.clone(),
        version: 1,
        keys: vec![1],
    };
    let put = table
        .put(Item::Partner(Arc::new(row)), When::Absent)
        .await?;
    Ok(put == Put::Done)
}
