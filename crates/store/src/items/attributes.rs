//! Fields as DynamoDB attributes, and back: plain ones that ordinary tools can read.

use crate::error::StoreError;
use crate::items::key::Key;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::str::FromStr;

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

/// What the table takes of an item, in bytes.
pub(crate) const LARGEST_ITEM: usize = 400 * 1024;

/// What an item takes of the 400 KB that the table grants one, in bytes, as its makers count.
pub(crate) fn item_bytes(attributes: &Attributes) -> usize {
    let field =
        |(name, value): (&String, &AttributeValue)| name.len().saturating_add(value_bytes(value));
    attributes.iter().map(field).fold(0, usize::saturating_add)
}

fn value_bytes(value: &AttributeValue) -> usize {
    // A list and a map take three bytes, and one for each member.
    let members = |bytes: usize, number: usize| bytes.saturating_add(number).saturating_add(3);
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::M(map) => members(item_bytes(map), map.len()),
        AttributeValue::L(list) => {
            let bytes = list.iter().map(value_bytes).fold(0, usize::saturating_add);
            members(bytes, list.len())
        }
        // None of ours has another form, and the SDK keeps this enum open.
        AttributeValue::Bool(_)
        | AttributeValue::Null(_)
        | AttributeValue::Ss(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Bs(_)
        | _ => 1,
    }
}

/// A number attribute that is a whole number of this type.
pub(crate) fn number<N: FromStr>(attributes: &Attributes, name: &str) -> Option<N> {
    attributes.get(name)?.as_n().ok()?.parse().ok()
}

/// A text attribute.
pub(crate) fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.get(name)?.as_s().ok().map(String::as_str)
}
