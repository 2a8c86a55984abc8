//! Fields as DynamoDB attributes, and back: plain ones that ordinary tools can read.

use crate::error::StoreError;
use crate::items::key::Key;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// A key as attributes.
pub(crate) fn key_attributes(key: &Key) -> Attributes {
    HashMap::from([
        ("pk".into(), AttributeValue::S(key.partition.to_string())),
        ("sk".into(), AttributeValue::S(key.sort.to_string())),
    ])
}

/// The key among these attributes.
pub(crate) fn key_of(attributes: &Attributes) -> Result<Key, StoreError> {
    match (text(attributes, "pk"), text(attributes, "sk")) {
        (Some(partition), Some(sort)) => Ok(Key::new(partition, sort)),
        (None, _) | (_, None) => Err(StoreError::Unreadable {
            key: "(none)".into(),
            why: "no pk or sk".into(),
        }),
    }
}

/// A serializable row's fields.
pub(crate) fn to_fields<T: Serialize>(value: &T) -> Result<Attributes, StoreError> {
    serde_dynamo::to_item(value).map_err(|error| StoreError::Invalid(error.to_string()))
}

/// A serializable row of these attributes; what it has no field for is passed over.
pub(crate) fn from_fields<T: for<'de> Deserialize<'de>>(
    attributes: Attributes,
) -> Result<T, String> {
    serde_dynamo::from_item(attributes).map_err(|error| error.to_string())
}

/// A text attribute.
pub(crate) fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.get(name)?.as_s().ok().map(String::as_str)
}
