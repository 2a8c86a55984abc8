//! What every kind of item says of itself. The rows implement it, each in its own room.

use crate::error::StoreError;
use crate::items::attributes::Attributes;
use crate::items::key::Key;
use domain::notice::Notice;
use jiff::Timestamp;

/// A kind of item.
pub(crate) trait StoredItem {
    /// What stands in the attribute `type`.
    fn type_name(&self) -> &'static str;

    /// The number of its form, which stands in the attribute `format`. Whoever adds an attribute
    /// anywhere in it, or changes what one means, raises the number: older versions then leave
    /// such items alone.
    fn format(&self) -> u16 {
        1
    }

    /// Its key.
    fn key(&self) -> Key;

    /// Its fields as attributes: without `pk`, `sk`, `type`, `format` and `due_shard`.
    ///
    /// # Errors
    /// When a field has no form as an attribute.
    fn to_fields(&self) -> Result<Attributes, StoreError>;

    /// The item of these attributes, which stand under this key.
    ///
    /// # Errors
    /// Why it can't be read.
    fn from_fields(key: &Key, attributes: Attributes) -> Result<Self, String>
    where
        Self: Sized;

    /// Its version, for items that change.
    fn version(&self) -> Option<u64> {
        None
    }

    /// When it asks to be looked at again, for items that do: all that the index knows.
    fn next_due_at(&self) -> Option<Timestamp> {
        None
    }

    /// What its partner is told of it, ever.
    fn notices(&self) -> Vec<Notice> {
        Vec::new()
    }
}

/// Of a row that serde writes and reads whole: its fields are its attributes.
macro_rules! fields_by_serde {
    () => {
        fn to_fields(
            &self,
        ) -> Result<$crate::items::attributes::Attributes, $crate::error::StoreError> {
            $crate::items::attributes::to_fields(self)
        }

        fn from_fields(
            _: &$crate::items::key::Key,
            attributes: $crate::items::attributes::Attributes,
        ) -> Result<Self, String> {
            $crate::items::attributes::from_fields(attributes)
        }
    };
}
pub(crate) use fields_by_serde;
