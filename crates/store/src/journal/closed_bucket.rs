//! A part of the index of what left a record, as the table keeps it.

use crate::error::StoreError;
use crate::items::attributes::Attributes;
use crate::items::key::{Key, customer_of};
use crate::items::stored_item::StoredItem;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::CustomerKey;
use std::collections::BTreeSet;

/// One bucket of a customer's index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedBucket {
    /// Whose record they left.
    pub customer: CustomerKey,
    /// Which bucket.
    pub bucket: u8,
    /// The first 64 bits of the hashes of their ids.
    pub hashes: BTreeSet<u64>,
    /// Counts writes.
    pub version: u64,
}

impl StoredItem for ClosedBucket {
    fn type_name(&self) -> &'static str {
        "closed_bucket"
    }

    fn key(&self) -> Key {
        Key::closed_bucket(&self.customer, self.bucket)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        let hashes: Vec<u8> = self
            .hashes
            .iter()
            .flat_map(|hash| hash.to_be_bytes())
            .collect();
        Ok(Attributes::from([
            ("hashes".into(), AttributeValue::B(Blob::new(hashes))),
            (
                "version".into(),
                AttributeValue::N(self.version.to_string()),
            ),
        ]))
    }

    fn from_fields(key: &Key, attributes: Attributes) -> Result<Self, String> {
        let Some(AttributeValue::B(hashes)) = attributes.get("hashes") else {
            return Err("no hashes".into());
        };
        let Some(AttributeValue::N(version)) = attributes.get("version") else {
            return Err("no version".into());
        };
        let (hashes, rest) = hashes.as_ref().as_chunks::<8>();
        if !rest.is_empty() {
            return Err("half a hash".into());
        }
        Ok(Self {
            customer: customer_of(&key.partition).ok_or("an index of no customer")?,
            bucket: key
                .closed_bucket_number()
                .ok_or("an index without its number")?,
            hashes: hashes
                .iter()
                .map(|hash| u64::from_be_bytes(*hash))
                .collect(),
            version: version.parse().map_err(|_| "no number as version")?,
        })
    }

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
