//! Usage that waits under a reference for the customer it leads to.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, number, text};
use crate::items::key::{Key, reference_of};
use crate::items::stored_item::StoredItem;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::{CustomerKey, MeterName, Reference};
use domain::usage::page::UsagePage;

/// What was told at once of a meter, of somebody who is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedUsage {
    /// By what it was told.
    pub reference: Reference,
    /// What was used.
    pub meter: MeterName,
    /// The events.
    pub page: UsagePage,
    /// Whose it is, once that was decided. It is decided once: of several customers who appear
    /// under one reference, one gets it.
    pub owner: Option<CustomerKey>,
    /// Counts writes.
    pub version: u64,
}

impl StoredItem for ParkedUsage {
    fn type_name(&self) -> &'static str {
        "parked_usage"
    }

    fn key(&self) -> Key {
        Key::parked_usage(&self.reference, &self.meter, &self.page)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        let page = Blob::new(self.page.to_bytes());
        let version = AttributeValue::N(self.version.to_string());
        let meter = AttributeValue::S(self.meter.to_string());
        let mut fields = Attributes::from([
            ("meter".into(), meter),
            ("page".into(), AttributeValue::B(page)),
            ("version".into(), version),
        ]);
        if let Some(owner) = &self.owner {
            fields.insert("owner".into(), AttributeValue::S(owner.to_string()));
        }
        Ok(fields)
    }

    fn from_fields(key: &Key, attributes: Attributes) -> Result<Self, String> {
        let Some(AttributeValue::B(bytes)) = attributes.get("page") else {
            return Err("no page".into());
        };
        let page = UsagePage::from_bytes(bytes.as_ref()).map_err(|error| error.to_string())?;
        let meter = text(&attributes, "meter").ok_or("no meter")?;
        let owner = text(&attributes, "owner").map(CustomerKey::parse);
        Ok(Self {
            reference: reference_of(&key.partition).ok_or("parked under no reference")?,
            meter: MeterName::parse(meter).map_err(|error| error.to_string())?,
            page,
            owner: owner.transpose().map_err(|error| error.to_string())?,
            version: number(&attributes, "version").ok_or("no version")?,
        })
    }

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
