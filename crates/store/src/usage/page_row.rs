//! A page of a customer's meter, as the table keeps it.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, number};
use crate::items::key::{Key, USAGE_PAGE, meter_of};
use crate::items::stored_item::StoredItem;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::{CustomerKey, MeterName};
use domain::usage::page::UsagePage;
use domain::usage::page_place::PagePlace;

/// One page of what a customer used of a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsagePageRow {
    /// Who used it.
    pub customer: CustomerKey,
    /// What was used.
    pub meter: MeterName,
    /// Where it stands among the pages of this meter.
    pub place: PagePlace,
    /// The events.
    pub page: UsagePage,
    /// Whether it is full: nobody writes it any more, and further events stand in finer places.
    pub sealed: bool,
    /// Counts writes.
    pub version: u64,
}

impl StoredItem for UsagePageRow {
    fn type_name(&self) -> &'static str {
        "usage_page"
    }

    fn key(&self) -> Key {
        Key::usage_page(&self.customer, &self.meter, &self.place)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        let page = Blob::new(self.page.to_bytes());
        let version = AttributeValue::N(self.version.to_string());
        let mut fields = Attributes::from([
            ("page".into(), AttributeValue::B(page)),
            ("version".into(), version),
        ]);
        if self.sealed {
            fields.insert("sealed".into(), AttributeValue::Bool(true));
        }
        Ok(fields)
    }

    fn from_fields(key: &Key, attributes: Attributes) -> Result<Self, String> {
        let (customer, meter) = meter_of(&key.partition).ok_or("a page of no customer's meter")?;
        let place = key.sort.strip_prefix(USAGE_PAGE).and_then(PagePlace::parse);
        let Some(AttributeValue::B(bytes)) = attributes.get("page") else {
            return Err("no page".into());
        };
        let page = UsagePage::from_bytes(bytes.as_ref()).map_err(|error| error.to_string())?;
        Ok(Self {
            customer,
            meter,
            place: place.ok_or("a page without its place")?,
            page,
            sealed: matches!(attributes.get("sealed"), Some(AttributeValue::Bool(true))),
            version: number(&attributes, "version").ok_or("no version")?,
        })
    }

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
