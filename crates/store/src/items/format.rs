//! How an item of a newer version is known, so that this one writes nothing over it.
//!
//! Every item carries the `format` of its kind, which rises when an attribute is added or changes
//! its meaning. Beside that, an item that is read to be written again is compared with what this
//! version would write: what would be lost makes it unreadable. An item without a format is older
//! than formats.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, number, text};
use aws_sdk_dynamodb::types::AttributeValue;

/// The attribute that holds an item's format.
pub(crate) const FORMAT: &str = "format";

/// What an item says of its format.
pub(crate) struct StoredFormat {
    format: Option<u64>,
    /// All attributes, of an item that may be written again: changed, or under another key.
    written_again: Option<Attributes>,
}

impl StoredFormat {
    /// The format of the item with these attributes.
    pub(crate) fn of(attributes: &Attributes) -> Self {
        let format = number(attributes, FORMAT);
        let changes = attributes.contains_key("version");
        let moves = text(attributes, "type") == Some("parked");
        let written_again = format.is_some() && (changes || moves);
        Self {
            format,
            written_again: written_again.then(|| attributes.clone()),
        }
    }

    /// Why a newer version must have written the item, if it did. `known` is the format that this
    /// version writes, `written` the attributes that it would write.
    pub(crate) fn newer_because(
        self,
        known: u16,
        written: impl FnOnce() -> Result<Attributes, StoreError>,
    ) -> Option<String> {
        let (format, known) = (self.format?, u64::from(known));
        if format > known {
            return Some(format!(
                "its format is {format}, and this version knows {known}"
            ));
        }
        let stored = self.written_again.filter(|_| format == known)?;
        match written() {
            Ok(written) => lost_attribute(&stored, &written)
                .map(|path| format!("it has `{path}`, which this version does not know")),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// The path of an attribute that stands in the table and would not be written again. What is
/// empty, zero or false may go: a field without content is left out.
fn lost_attribute(stored: &Attributes, written: &Attributes) -> Option<String> {
    let mut names: Vec<&String> = stored.keys().collect();
    names.sort();
    names.into_iter().find_map(|name| {
        let before = stored.get(name)?;
        match written.get(name) {
            Some(after) => lost_within(before, after).map(|path| format!("{name}.{path}")),
            None => (!is_empty(before)).then(|| name.clone()),
        }
    })
}

fn lost_within(stored: &AttributeValue, written: &AttributeValue) -> Option<String> {
    match (stored, written) {
        (AttributeValue::M(stored), AttributeValue::M(written)) => lost_attribute(stored, written),
        (AttributeValue::L(stored), AttributeValue::L(written)) => {
            let mut pairs = stored.iter().zip(written).enumerate();
            pairs.find_map(|(place, (stored, written))| {
                lost_within(stored, written).map(|path| format!("{place}.{path}"))
            })
        }
        // Values are compared nowhere: what both have is known.
        (_, _) => None,
    }
}

fn is_empty(value: &AttributeValue) -> bool {
    let is_nothing = matches!(value, AttributeValue::Null(_) | AttributeValue::Bool(false));
    is_nothing
        || value.as_m().is_ok_and(Attributes::is_empty)
        || value.as_l().is_ok_and(Vec::is_empty)
        || value.as_s().is_ok_and(String::is_empty)
        || value.as_n().is_ok_and(|number| number == "0")
}
