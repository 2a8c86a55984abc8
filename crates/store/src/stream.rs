//! The table's stream as Lambda hands it over: records of what was written.

use crate::attributes::{Attributes, from_attributes};
use crate::items::{Item, customer_of};
use crate::misread::Misread;
use crate::port::StoreError;
use domain::ids::CustomerKey;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// One record of the stream.
#[derive(Debug)]
pub struct Change {
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
pub struct NotAStream(#[from] Misread);

/// The changes in an event.
///
/// # Errors
/// [`NotAStream`].
pub fn changes(payload: &[u8]) -> Result<Vec<Change>, NotAStream> {
    let event: Event = serde_json::from_slice(payload).map_err(Misread::from)?;
    Ok(event.records.into_iter().map(Change::from).collect())
}

impl Change {
    /// The customer whose partition it is of.
    pub fn customer(&self) -> Option<CustomerKey> {
        customer_of(&self.partition)
    }
}

impl From<Record> for Change {
    fn from(record: Record) -> Self {
        let Body {
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
            from_attributes(image)
        });
        Self {
            sequence: sequence_number,
            partition: partition.unwrap_or_default().into(),
            item: item.transpose(),
        }
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    dynamodb: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    #[serde(default)]
    keys: HashMap<String, serde_dynamo::AttributeValue>,
    new_image: Option<HashMap<String, serde_dynamo::AttributeValue>>,
    sequence_number: String,
}
