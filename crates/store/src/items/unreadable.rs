//! An item that this version can't read: of a kind, a form or with attributes of a newer version.
//! Nobody acts on it, and nobody writes over it.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, number, text};
use crate::items::key::Key;
use crate::items::stored_item::StoredItem;
use jiff::Timestamp;

/// An item that this version can't read, as far as a table has to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct UnreadableItem {
    key: Key,
    version: Option<u64>,
    next_due_at: Option<Timestamp>,
    why: String,
    /// Only the table in memory keeps them: to read an item must not cost a copy of it.
    attributes: Attributes,
}

impl UnreadableItem {
    /// The item of these attributes, before it is known whether it can be read.
    pub(crate) fn new(key: Key, attributes: &Attributes) -> Self {
        Self {
            key,
            version: number(attributes, "version"),
            next_due_at: text(attributes, "next_due_at").and_then(|at| at.parse().ok()),
            why: String::new(),
            attributes: Attributes::new(),
        }
    }

    /// Says why it can't be read.
    pub(crate) fn because(self, why: String) -> Self {
        Self { why, ..self }
    }

    /// Keeps what stands in the table.
    #[cfg(feature = "memory-table")]
    pub(crate) fn with_attributes(&self, attributes: Attributes) -> Self {
        Self {
            attributes,
            ..self.clone()
        }
    }

    /// As whoever needs the item is told of it.
    pub fn error(&self) -> StoreError {
        StoreError::Unreadable {
            key: self.key.place(),
            why: self.why.clone(),
        }
    }
}

impl StoredItem for UnreadableItem {
    fn type_name(&self) -> &'static str {
        "unreadable"
    }

    fn key(&self) -> Key {
        self.key.clone()
    }

    /// All of them, those that every item has included.
    fn to_fields(&self) -> Result<Attributes, StoreError> {
        if self.attributes.is_empty() {
            return Err(self.error());
        }
        Ok(self.attributes.clone())
    }

    fn from_fields(key: &Key, attributes: Attributes) -> Result<Self, String> {
        Ok(Self::new(key.clone(), &attributes))
    }

    fn version(&self) -> Option<u64> {
        self.version
    }

    fn next_due_at(&self) -> Option<Timestamp> {
        self.next_due_at
    }
}
