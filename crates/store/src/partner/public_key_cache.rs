//! Partners that sign with keys of their own: a public key proves nothing before it is read, so all
//! of them are read at once, at most once a minute, and a forged request costs no read of its own.

use crate::error::StoreError;
use crate::partner::partner_row::PartnerRow;
use crate::partner::partners::list;
use crate::port::Table;
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Partners with public keys, as they stood lately.
#[derive(Debug, Default)]
pub struct PublicKeyCache(Mutex<Option<(Timestamp, Arc<PartnersById>)>>);

type PartnersById = HashMap<PartnerId, Arc<PartnerRow>>;

/// How long a revoked key may still be taken for one in force, and a new one for none.
const CACHE_TTL: SignedDuration = SignedDuration::from_secs(60);

impl PublicKeyCache {
    /// A partner, if it has a public key.
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
            held.clone()
        };
        let young = known.filter(|(at, _)| now.duration_since(*at).abs() < CACHE_TTL);
        if let Some((_, partners)) = young {
            return Ok(partners.get(partner).cloned());
        }
        let rows = list(table).await?.into_iter();
        let rows = rows.filter(|row| !row.public_keys.is_empty());
        let partners: PartnersById = rows.map(|row| (row.partner.clone(), row)).collect();
        let found = partners.get(partner).cloned();
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((now, Arc::new(partners)));
        Ok(found)
    }
}
