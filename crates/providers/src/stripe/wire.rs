//! How Stripe writes things: ids that may be expanded, lists.

use crate::wire::Id;
use domain::ids::ObjectId;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, de};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// An id, bare or as the expanded object that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectRef(pub(super) ObjectId);

/// The inner id, if any.
pub(super) fn id(named: &Option<ObjectRef>) -> Option<&ObjectId> {
    named.as_ref().map(|named| &named.0)
}

impl<'de> Deserialize<'de> for ObjectRef {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let id = match Expandable::<ExpandedObject>::deserialize(reader)? {
            Expandable::Id(id) => id,
            Expandable::Object(object) => object.id,
        };
        let id = Id::parse(&id).ok_or_else(|| D::Error::custom("not an id"))?;
        Ok(Self(id.0))
    }
}

#[derive(Deserialize)]
struct ExpandedObject {
    id: Arc<str>,
}

/// Stripe names an object by its id, or shows all of it where it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expandable<T> {
    Id(Arc<str>),
    Object(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Expandable<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct IdOrObject<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for IdOrObject<T> {
            type Value = Expandable<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id or an object")
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<Self::Value, E> {
                Ok(Expandable::Id(id.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Expandable::Object)
            }
        }

        reader.deserialize_any(IdOrObject(PhantomData))
    }
}

/// A page of a list; only the first comes with an event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}
