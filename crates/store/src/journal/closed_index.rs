//! The index of what left a record: hashes of ids, in buckets, so that one small request says
//! whether an object ever left it. It may name too much, which costs a read of the journal; it
//! never names too little, because it is written before the record from which something leaves.

use crate::error::StoreError;
use crate::items::key::Key;
use crate::journal::closed_bucket::ClosedBucket;
use crate::port::Table;
use domain::ids::{CustomerKey, ObjectId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many buckets a customer's index has. With 100,000 payments each holds some 40 KB.
const BUCKETS: u64 = 64;

/// How often a write that others overtook begins again.
const ATTEMPTS: u32 = 8;

/// Whether one of these objects may have left the customer's record.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn may_have_left<T: Table>(
    table: &T,
    customer: &CustomerKey,
    objects: &BTreeSet<ObjectId>,
) -> Result<bool, StoreError> {
    for (bucket, hashes) in by_bucket(objects) {
        let known: Option<Arc<ClosedBucket>> =
            table.get_row(Key::closed_bucket(customer, bucket)).await?;
        if known.is_some_and(|known| !known.hashes.is_disjoint(&hashes)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds objects to the index, before the record is written that they leave.
///
/// # Errors
/// When the table does not answer, or others write the same bucket all the time.
pub(crate) async fn add<T: Table>(
    table: &T,
    customer: &CustomerKey,
    objects: &BTreeSet<ObjectId>,
) -> Result<(), StoreError> {
    for (bucket, hashes) in by_bucket(objects) {
        add_to_bucket(table, customer, bucket, &hashes).await?;
    }
    Ok(())
}

async fn add_to_bucket<T: Table>(
    table: &T,
    customer: &CustomerKey,
    bucket: u8,
    hashes: &BTreeSet<u64>,
) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let known: Option<Arc<ClosedBucket>> =
            table.get_row(Key::closed_bucket(customer, bucket)).await?;
        let (mut all, version) = known.map_or_else(Default::default, |known| {
            (known.hashes.clone(), known.version)
        });
        if hashes.is_subset(&all) {
            return Ok(());
        }
        all.extend(hashes);
        let next = Arc::new(ClosedBucket {
            customer: customer.clone(),
            bucket,
            hashes: all,
            version: version.saturating_add(1),
        });
        if table.replace(next, version).await? {
            return Ok(());
        }
    }
    Err(StoreError::Contended)
}

fn by_bucket(objects: &BTreeSet<ObjectId>) -> BTreeMap<u8, BTreeSet<u64>> {
    let mut buckets: BTreeMap<u8, BTreeSet<u64>> = BTreeMap::new();
    for hash in objects.iter().map(ObjectId::short_hash) {
        let bucket = u8::try_from(hash.checked_rem(BUCKETS).unwrap_or_default());
        buckets
            .entry(bucket.unwrap_or_default())
            .or_default()
            .insert(hash);
    }
    buckets
}
