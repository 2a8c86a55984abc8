//! JSON that every parser reads alike: UTF-8, no duplicate key, limited nesting.

use crate::wire::UnclearValue;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

/// The text, if every parser reads it alike.
///
/// Structs refuse a duplicate of a key that they know. Here the whole text is checked, so that a
/// later reader (a debugger, a query, a newer normalizer) finds the same values.
pub(crate) fn validate_json(raw: &[u8]) -> Result<&str, InvalidJson> {
    let text = std::str::from_utf8(raw).map_err(|_| InvalidJson::NotUtf8)?;
    let fault = Cell::new(InvalidJson::NotJson);
    let walk = StrictWalk {
        depth: 0,
        fault: &fault,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    walk.deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|_| fault.get())?;
    Ok(text)
}

/// Why parsers could read the bytes differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidJson {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body is not JSON")]
    NotJson,
    #[error("an object in the body has the same key twice")]
    DuplicateKey,
    #[error("the body is nested deeper than 64 levels")]
    TooDeep,
}

impl From<InvalidJson> for UnclearValue {
    fn from(fault: InvalidJson) -> Self {
        Self(fault.to_string())
    }
}

#[derive(Clone, Copy)]
struct StrictWalk<'c> {
    depth: usize,
    fault: &'c Cell<InvalidJson>,
}

impl StrictWalk<'_> {
    fn descend<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.stop(InvalidJson::TooDeep));
        }
        Ok(Self {
            depth: self.depth.saturating_add(1),
            ..self
        })
    }

    fn stop<E: Error>(self, fault: InvalidJson) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

impl<'de> DeserializeSeed<'de> for StrictWalk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictWalk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inside = self.descend()?;
        while items.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inside = self.descend()?;
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(self.stop(InvalidJson::DuplicateKey));
            }
            entries.next_value_seed(inside)?;
        }
        Ok(())
    }
}

const MAX_DEPTH: usize = 64;
