//! Partners as the table keeps them: a row each, no secret.

pub use crate::partner::ledger::{customer_ledger, ledger};
pub use crate::partner::partner_row::{DatedProgram, MAX_TOKENS, PartnerRow};

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::{Key, PARTNERS};
use crate::port::{InsertOutcome, PutOutcome, Table, WriteCondition};
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Partners read lately: at most so many, for at most so long. Only partners whose signature
/// held are ever asked for, so a forged request costs no read.
#[derive(Debug, Default)]
pub struct PartnerCache(Mutex<HashMap<PartnerId, (Timestamp, Arc<PartnerRow>)>>);

/// How long a revoked key may still be taken for one in force.
const CACHE_TTL: SignedDuration = SignedDuration::from_secs(60);

/// Partners remembered at once.
const MAX_CACHED: usize = 1_000;

impl PartnerCache {
    /// A partner whose signature held under this version of its key: from memory if it was read
    /// within a minute, unless the version was given out since.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read<T: Table>(
        &self,
        table: &T,
        partner: &PartnerId,
        version: u32,
        now: Timestamp,
    ) -> Result<Option<Arc<PartnerRow>>, StoreError> {
        let known = {
            let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.get(partner).cloned()
        };
        if let Some((at, row)) = known
            && now.duration_since(at).abs() < CACHE_TTL
            && version <= row.last_key.max(row.token)
        {
            return Ok(Some(row));
        }
        let row = read(table, partner).await?;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MAX_CACHED {
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
    table.get_row(Key::partner(partner)).await
}

/// Every partner, by name: one query of their partition.
///
/// # Errors
/// When the table does not answer.
pub async fn list<T: Table>(table: &T) -> Result<Vec<Arc<PartnerRow>>, StoreError> {
    table.query_rows(PARTNERS, "").await
}

/// Adds a partner with its first key version and no program. `false` when it is there already.
///
/// # Errors
/// When the table does not answer.
pub async fn add<T: Table>(table: &T, partner: &PartnerId) -> Result<bool, StoreError> {
    let row = PartnerRow::new(partner.clone());
    Ok(put_new(table, row).await?.is_none())
}

/// Puts a partner that is not there yet; else gives the one that is.
///
/// # Errors
/// When the table does not answer.
pub async fn put_new<T: Table>(
    table: &T,
    row: PartnerRow,
) -> Result<Option<Arc<PartnerRow>>, StoreError> {
    let row = Arc::new(row);
    Ok(match table.insert(row.clone()).await? {
        InsertOutcome::Inserted => None,
        // Our own earlier put, whose answer was lost, is new all the same.
        InsertOutcome::Present(present) => present.filter(|present| *present != row),
    })
}

/// Changes a partner as it stands, also when others do at the same time. `None` when there is no
/// such partner; what the change itself refuses, it says.
///
/// # Errors
/// When the table does not answer, or others keep changing it.
pub async fn change<T: Table, E>(
    table: &T,
    partner: &PartnerId,
    change: impl Fn(&mut PartnerRow) -> Result<(), E>,
) -> Result<Option<Result<Arc<PartnerRow>, E>>, StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(row) = read(table, partner).await? else {
            return Ok(None);
        };
        let mut next = PartnerRow::clone(&row);
        if let Err(refused) = change(&mut next) {
            return Ok(Some(Err(refused)));
        }
        if next == *row {
            return Ok(Some(Ok(row)));
        }
        next.version = next.version.saturating_add(1);
        let next = Arc::new(next);
        let put = table.put(
            Item::Partner(next.clone()),
            WriteCondition::Version(row.version),
        );
        match put.await? {
            PutOutcome::Done => return Ok(Some(Ok(next))),
            PutOutcome::Refused(_) => {}
        }
    }
    Err(StoreError::Contended)
}

/// Key versions a partner has at most: endpoints try a signature under each of them.
pub const MAX_KEYS: u32 = 8;

/// How often a change that lost its race begins again.
const ATTEMPTS: u32 = 5;
