//! How Paddle writes things: amounts as text, the shop's own data.

use crate::wire::{Metadata, read_object};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Minor units as text, in the one way a number can be written: `"2880"`, never `"2880.0"`,
/// `"+2880"` or `"02880"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MinorUnits(pub(super) i64);

impl<'de> Deserialize<'de> for MinorUnits {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = Arc::<str>::deserialize(reader)?;
        let minor: Option<i64> = text.parse().ok();
        minor
            .filter(|minor| minor.to_string() == *text)
            .map(Self)
            .ok_or_else(|| D::Error::custom("not an amount"))
    }
}

/// What the shop wrote on the object. It may be anything, even a list.
pub(super) fn metadata(custom_data: Option<&RawValue>) -> Option<Metadata<'_>> {
    read_object(custom_data?, "").ok()
}
