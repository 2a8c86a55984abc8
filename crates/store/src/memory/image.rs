//! Items as they stand in a table, as DynamoDB's JSON: what an older or a newer version wrote.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, item_bytes};
use crate::items::item::Item;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The item of such an image, one that this version can't read included.
///
/// # Errors
/// [`StoreError::Invalid`] when it is no image, [`StoreError::Unreadable`] without a key.
pub fn item_of_image(image: &str) -> Result<Item, StoreError> {
    let fields: BTreeMap<String, serde_dynamo::AttributeValue> =
        serde_json::from_str(image).map_err(invalid)?;
    let attributes: Attributes = fields
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    let item = Item::from_any_attributes(attributes.clone())?;
    if let Item::Unreadable(item) = &item {
        return Ok(Item::Unreadable(Arc::new(item.with_attributes(attributes))));
    }
    Ok(item)
}

/// An item's image, its attributes by name.
///
/// # Errors
/// When a field has no form as an attribute, or a table would not take the item.
pub fn image_of_item(item: &Item) -> Result<String, StoreError> {
    let attributes = item.to_stored_attributes()?;
    let fields: BTreeMap<String, serde_dynamo::AttributeValue> = attributes
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    // By name, at every depth.
    let fields = serde_json::to_value(&fields).map_err(invalid)?;
    serde_json::to_string_pretty(&fields).map_err(invalid)
}

/// What an item takes of the table's 400 KB, and of the kilobytes by which a write is billed.
///
/// # Errors
/// When a table would not take the item.
pub fn bytes_of_item(item: &Item) -> Result<usize, StoreError> {
    Ok(item_bytes(&item.to_stored_attributes()?))
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn invalid(error: serde_json::Error) -> StoreError {
    StoreError::Invalid(format!("no image of an item ({:?})", error.classify()))
}
