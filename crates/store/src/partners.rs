//! Partners as the table keeps them: a row each, no secret.

use crate::items::{Item, Key};
use crate::port::{Put, StoreError, Table, When};
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Partners read lately: at most so many, for at most so long. Only partners whose signature
/// held are ever asked for, so a forged request costs no read.
#[derive(Debug, Default)]
pub struct PartnerCache(Mutex<HashMap<PartnerId, (Timestamp, Arc<PartnerRow>)>>);

/// How long a revoked key may still be taken for one in force.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// Partners remembered at once.
const MOST: usize = 1_000;

impl PartnerCache {
    /// A partner, from memory if it was read within a minute.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read<T: Table>(
        &self,
        table: &T,
        partner: &PartnerId,
        now: Timestamp,
    ) -> Result<Option<Arc<PartnerRow>>, StoreError> {
        let known = {
            let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.get(partner).cloned()
        };
        if let Some((at, row)) = known
            && now.duration_since(at).abs() < FRESH
        {
            return Ok(Some(row));
        }
        let row = read(table, partner).await?;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST {
            held.clear();
        }
        match &row {
            Some(row) => drop(held.insert(partner.clone(), (now, row.clone()))),
            None => drop(held.remove(partner)),
        }
        Ok(row)
    }
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
