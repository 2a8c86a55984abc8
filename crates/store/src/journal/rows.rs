//! A customer's record, journal entries, parked entries and aliases, as the table keeps them.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, from_fields, text, to_fields};
use crate::items::key::{Key, customer_of, reference_of};
use crate::items::stored_item::{StoredItem, fields_by_serde};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::digest::Digest;
use domain::event::NormalizedEvent;
use domain::ids::{CustomerKey, Reference};
use domain::record::checkpoint::Checkpoint;
use domain::record::raw_item::RawItem;
use domain::record::{Entry, Record};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An entry in its customer's journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// Whose journal.
    pub customer: CustomerKey,
    /// The entry.
    pub entry: Arc<Entry>,
}

/// An entry that waits under a reference for the customer that the reference leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct ParkedEntry {
    /// The reference it stands under, one of those it names.
    pub reference: Reference,
    /// The entry.
    pub entry: Arc<Entry>,
}

/// That a reference leads to a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The reference.
    pub reference: Reference,
    /// The customer.
    pub customer: CustomerKey,
}

impl StoredItem for Record {
    fn type_name(&self) -> &'static str {
        "record"
    }

    fn format(&self) -> u16 {
        2
    }

    fn key(&self) -> Key {
        Key::record(&self.customer)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        to_fields(self)
    }

    fn from_fields(_: &Key, attributes: Attributes) -> Result<Self, String> {
        let record: Self = from_fields(attributes)?;
        if record.folded.is_of_newer_fold() {
            return Err("a newer edition of the fold made it".into());
        }
        Ok(record)
    }

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }

    fn next_due_at(&self) -> Option<Timestamp> {
        self.next_due_at
    }
}

impl StoredItem for Checkpoint {
    fn type_name(&self) -> &'static str {
        "checkpoint"
    }

    fn format(&self) -> u16 {
        2
    }

    fn key(&self) -> Key {
        Key::checkpoint(&self.customer)
    }

    fields_by_serde!();

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}

impl StoredItem for JournalEntry {
    fn type_name(&self) -> &'static str {
        "entry"
    }

    fn key(&self) -> Key {
        Key::entry(&self.customer, &self.entry.event.id)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        entry_to_fields(&self.entry)
    }

    fn from_fields(key: &Key, attributes: Attributes) -> Result<Self, String> {
        Ok(Self {
            customer: customer_of(&key.partition).ok_or("an entry of no customer")?,
            entry: entry_from_fields(attributes)?,
        })
    }
}

impl StoredItem for ParkedEntry {
    fn type_name(&self) -> &'static str {
        "parked"
    }

    fn key(&self) -> Key {
        Key::parked(&self.reference, &self.entry.event.id)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        entry_to_fields(&self.entry)
    }

    fn from_fields(key: &Key, attributes: Attributes) -> Result<Self, String> {
        Ok(Self {
            reference: reference_of(&key.partition).ok_or("parked under no reference")?,
            entry: entry_from_fields(attributes)?,
        })
    }
}

impl StoredItem for Alias {
    fn type_name(&self) -> &'static str {
        "alias"
    }

    fn key(&self) -> Key {
        Key::alias(&self.reference, &self.customer)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        to_fields(&AliasFields {
            customer: self.customer.clone(),
        })
    }

    fn from_fields(key: &Key, attributes: Attributes) -> Result<Self, String> {
        let reference = reference_of(&key.partition).ok_or("an alias of no reference")?;
        let customer = text(&attributes, "customer").ok_or("an alias to no customer")?;
        let customer = CustomerKey::parse(customer).map_err(|error| error.to_string())?;
        Ok(Self {
            reference,
            customer,
        })
    }
}

#[derive(Serialize)]
struct AliasFields {
    customer: CustomerKey,
}

#[derive(Serialize, Deserialize)]
struct EntryFields {
    normalized: NormalizedEvent,
    normalizer: u16,
    received_at: Timestamp,
    receipt: Arc<str>,
    digest: Digest,
}

fn entry_to_fields(entry: &Entry) -> Result<Attributes, StoreError> {
    let mut attributes = to_fields(&EntryFields {
        normalized: entry.event.clone(),
        normalizer: entry.normalizer,
        received_at: entry.received_at,
        receipt: entry.receipt.clone(),
        digest: entry.digest,
    })?;
    let packed = entry.raw.packed();
    let packed = packed.ok_or_else(|| StoreError::Invalid("a raw item can't be packed".into()))?;
    attributes.insert("raw".into(), AttributeValue::B(Blob::new(&*packed)));
    Ok(attributes)
}

fn entry_from_fields(mut attributes: Attributes) -> Result<Arc<Entry>, String> {
    let packed = match attributes.remove("raw") {
        Some(AttributeValue::B(packed)) => packed,
        Some(_) | None => return Err("no raw item".into()),
    };
    let entry: EntryFields = from_fields(attributes)?;
    Ok(Arc::new(Entry {
        event: entry.normalized,
        raw: RawItem::from_packed(packed.into_inner()),
        normalizer: entry.normalizer,
        received_at: entry.received_at,
        receipt: entry.receipt,
        digest: entry.digest,
    }))
}
