//! How far a parked entry has come on its way to the many customers of a reference, as the table
//! keeps it: beside the entry, in the reference's partition.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, from_fields, to_fields};
use crate::items::due_index::floor_to_second;
use crate::items::key::{FAN_OUT, Key, reference_of};
use crate::items::stored_item::StoredItem;
use domain::ids::{CustomerKey, EventId, Reference};
use domain::record::Entry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A parked entry on its way to more customers than get it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FanOut {
    /// The reference that leads to them.
    pub reference: Reference,
    /// The entry.
    pub event: EventId,
    /// The last customer who has it, in the order of their keys; none at the beginning.
    pub after: Option<CustomerKey>,
    /// How many have it by this.
    pub customers: u64,
    /// When it goes on; none when everybody has it.
    pub next_due_at: Option<Timestamp>,
    /// Counts writes.
    pub version: u64,
}

impl FanOut {
    /// The beginning: it is due at once.
    pub(crate) fn new(reference: Reference, entry: &Entry) -> Self {
        Self {
            reference,
            event: entry.event.id.clone(),
            after: None,
            customers: 0,
            next_due_at: Some(floor_to_second(entry.received_at)),
            version: 1,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct FanOutFields {
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<CustomerKey>,
    customers: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_due_at: Option<Timestamp>,
}

impl StoredItem for FanOut {
    fn type_name(&self) -> &'static str {
        "fan_out"
    }

    fn key(&self) -> Key {
        Key::fan_out(&self.reference, &self.event)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        to_fields(&FanOutFields {
            version: self.version,
            after: self.after.clone(),
            customers: self.customers,
            next_due_at: self.next_due_at,
        })
    }

    fn from_fields(key: &Key, attributes: Attributes) -> Result<Self, String> {
        let fields: FanOutFields = from_fields(attributes)?;
        let event = key
            .sort
            .strip_prefix(FAN_OUT)
            .ok_or("a fan-out of nothing")?;
        Ok(Self {
            reference: reference_of(&key.partition).ok_or("a fan-out of no reference")?,
            event: EventId::parse(event).map_err(|error| error.to_string())?,
            after: fields.after,
            customers: fields.customers,
            next_due_at: fields.next_due_at,
            version: fields.version,
        })
    }

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }

    fn next_due_at(&self) -> Option<Timestamp> {
        self.next_due_at
    }
}
