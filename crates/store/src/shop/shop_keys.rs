//! Keys of the shop's own code as the table keeps them: a row each, no secret.

pub use crate::shop::shop_key_row::ShopKeyRow;

use crate::error::StoreError;
use crate::items::key::{Key, SHOP_KEYS};
use crate::port::Table;
use domain::shop_key::{KeyName, KeyScope};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys read lately: at most so many, for at most so long. Only keys whose proof held are ever
/// asked for, so a forged one costs no read.
#[derive(Debug, Default)]
pub struct ShopKeyCache(Mutex<HashMap<KeyName, CachedRow>>);

/// When it was read, and what stood there.
type CachedRow = (Timestamp, Option<Arc<ShopKeyRow>>);

/// How long a revoked key may still be taken for one in force.
const CACHE_TTL: SignedDuration = SignedDuration::from_secs(60);

/// Keys remembered at once.
const MAX_CACHED: usize = 1_000;

/// How often a change that lost its race begins again.
const ATTEMPTS: u32 = 5;

impl ShopKeyCache {
    /// The row of a key whose proof held under this version: from memory if it was read within a
    /// minute, unless the version was given out since.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read<T: Table>(
        &self,
        table: &T,
        name: &KeyName,
        version: u32,
        now: Timestamp,
    ) -> Result<Option<Arc<ShopKeyRow>>, StoreError> {
        let known = {
            let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.get(name).cloned()
        };
        if let Some((at, row)) = known
            && now.duration_since(at).abs() < CACHE_TTL
            && row.as_ref().is_none_or(|row| version <= row.key)
        {
            return Ok(row);
        }
        let row = read(table, name).await?;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MAX_CACHED {
            held.clear();
        }
        held.insert(name.clone(), (now, row.clone()));
        Ok(row)
    }
}

/// What became of a key that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateKeyOutcome {
    /// It is in force from now on.
    Created(Arc<ShopKeyRow>),
    /// A key of that name is in force already.
    InForce(Arc<ShopKeyRow>),
}

/// Reads a key's row.
///
/// # Errors
/// When the table does not answer.
pub async fn read<T: Table>(
    table: &T,
    name: &KeyName,
) -> Result<Option<Arc<ShopKeyRow>>, StoreError> {
    table.get_row(Key::shop_key(name)).await
}

/// Every key that was ever given out, by name: one query of their partition.
///
/// # Errors
/// When the table does not answer.
pub async fn list<T: Table>(table: &T) -> Result<Vec<Arc<ShopKeyRow>>, StoreError> {
    table.query_rows(SHOP_KEYS, "").await
}

/// Puts the next version of a key in force, unless one of that name is.
///
/// # Errors
/// When the table does not answer, or others keep changing it.
pub async fn create<T: Table>(
    table: &T,
    name: &KeyName,
    scope: KeyScope,
    now: Timestamp,
) -> Result<CreateKeyOutcome, StoreError> {
    for _ in 0..ATTEMPTS {
        let there = read(table, name).await?;
        let (read_version, last) = match &there {
            Some(row) if row.revoked_at.is_none() => {
                return Ok(CreateKeyOutcome::InForce(row.clone()));
            }
            Some(row) => (row.version, row.key),
            None => (0, 0),
        };
        let next = Arc::new(ShopKeyRow {
            name: name.clone(),
            version: read_version.saturating_add(1),
            scope,
            key: last.saturating_add(1),
            created_at: now,
            revoked_at: None,
        });
        if table.replace(next.clone(), read_version).await? {
            return Ok(CreateKeyOutcome::Created(next));
        }
    }
    Err(StoreError::Contended)
}

/// Takes a key out of force. One that is out of force stays so. `None` when there is no such key.
///
/// # Errors
/// When the table does not answer, or others keep changing it.
pub async fn revoke<T: Table>(
    table: &T,
    name: &KeyName,
    now: Timestamp,
) -> Result<Option<Arc<ShopKeyRow>>, StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(there) = read(table, name).await? else {
            return Ok(None);
        };
        if there.revoked_at.is_some() {
            return Ok(Some(there));
        }
        let next = Arc::new(ShopKeyRow {
            version: there.version.saturating_add(1),
            revoked_at: Some(now),
            ..ShopKeyRow::clone(&there)
        });
        if table.replace(next.clone(), there.version).await? {
            return Ok(Some(next));
        }
    }
    Err(StoreError::Contended)
}
