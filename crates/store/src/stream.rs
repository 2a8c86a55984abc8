//! The table's stream as Lambda hands it over: records of what was written.

use crate::error::StoreError;
use crate::items::attributes::Attributes;
use crate::items::item::Item;
use crate::items::key::customer_of;
use crate::redacted_json_error::RedactedJsonError;
use domain::ids::CustomerKey;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// One record of the stream.
#[derive(Debug)]
pub struct ItemChange {
    /// Its place in the stream, by which Lambda is told what failed.
    pub sequence: String,
    /// The partition it is of.
    pub partition: Arc<str>,
    /// The item as it was written; none when it was removed.
    pub item: Result<Option<Item>, StoreError>,
}

/// An event that is no event of a table's stream.
#[derive(Debug, thiserror::Error)]
#[error("this is no event of a DynamoDB stream ({0}); the function is wired to something else")]
pub struct NotAStream(#[from] RedactedJsonError);

/// The changes in an event.
///
/// # Errors
/// [`NotAStream`].
pub fn changes(payload: &[u8]) -> Result<Vec<ItemChange>, NotAStream> {
    let event: StreamEvent = serde_json::from_slice(payload).map_err(RedactedJsonError::from)?;
    Ok(event.records.into_iter().map(ItemChange::from).collect())
}

impl ItemChange {
    /// The customer whose partition it is of.
    pub fn customer(&self) -> Option<CustomerKey> {
        customer_of(&self.partition)
    }
}

impl From<StreamRecord> for ItemChange {
    fn from(record: StreamRecord) -> Self {
        let StreamRecordBody {
            keys,
            new_image,
            sequence_number,
        } = record.dynamodb;
        let partition: Option<String> = keys
            .get("pk")
            .and_then(|pk| serde_dynamo::from_attribute_value(pk.clone()).ok());
        let item = new_image.map(|image| {
            let image: Attributes = image
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect();
            Item::from_attributes(image)
        });
        Self {
            sequence: sequence_number,
            partition: partition.unwrap_or_default().into(),
            item: item.transpose(),
        }
    }
}

#[derive(Deserialize)]
struct StreamEvent {
    #[serde(rename = "Records")]
    records: Vec<StreamRecord>,
}

#[derive(Deserialize)]
struct StreamRecord {
    dynamodb: StreamRecordBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamRecordBody {
    #[serde(default)]
    keys: HashMap<String, serde_dynamo::AttributeValue>,
    new_image: Option<HashMap<String, serde_dynamo::AttributeValue>>,
    sequence_number: String,
}
