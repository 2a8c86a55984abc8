//! How Stripe writes things: ids that may be expanded, seconds, lists, free text by key.

use domain::ids::ObjectId;
use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A value inside an event we act on that we do not understand: what and where, never whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unclear(pub(super) String);

impl Unclear {
    /// A word we do not know. It is repeated only where it is one word: an enumeration's
    /// value, never a person's.
    pub(super) fn word(place: &str, word: &str) -> Self {
        match plain(word) {
            Some(word) => Self(format!("`{place}` is `{word}`, which we do not know")),
            None => Self(format!("`{place}` is nothing we know")),
        }
    }

    /// Something that has to be there.
    pub(super) fn absent(place: &str) -> Self {
        Self(format!("`{place}` is not there"))
    }
}

/// Reads a part of the body, and names the place that could not be read.
pub(super) fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue, place: &str) -> Result<T, Unclear> {
    let mut reader = serde_json::Deserializer::from_str(raw.get());
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = match error.path().to_string().as_str() {
            "." => place.to_owned(),
            path => format!("{place}.{path}"),
        };
        // The parser's message quotes values; only the name of a missing field is ours.
        let message = error.inner().to_string();
        match message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'))
        {
            Some((field, _)) => Unclear::absent(&format!("{path}.{field}")),
            None => Unclear(format!("`{path}` is not as we know it")),
        }
    })
}

/// Reads an object: a struct would also take a list, field by field, which would be a guess.
pub(super) fn read_object<'a, T>(raw: &'a RawValue, place: &str) -> Result<T, Unclear>
where
    T: Deserialize<'a>,
{
    if !raw.get().starts_with('{') {
        return Err(Unclear(format!("`{place}` is no object")));
    }
    read(raw, place)
}

/// An id, bare or as the expanded object that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ref(pub(super) ObjectId);

/// The id within, where there is one.
pub(super) fn id(named: &Option<Ref>) -> Option<&ObjectId> {
    named.as_ref().map(|named| &named.0)
}

impl<'de> Deserialize<'de> for Ref {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let id = match Expandable::<Identified>::deserialize(reader)? {
            Expandable::Id(id) => id,
            Expandable::Object(object) => object.id,
        };
        // Ids become parts of keys, which `/` divides; Stripe's own are letters and digits.
        let odd = |c: char| c == '/' || c.is_control();
        if id.is_empty() || id.len() > MAX_ID || id.chars().any(odd) {
            return Err(D::Error::custom("not an id"));
        }
        Ok(Self(ObjectId::new(id)))
    }
}

#[derive(Deserialize)]
struct Identified {
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

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unix(pub(super) Timestamp);

/// The moment within, where there is one.
pub(super) fn at(moment: Option<Unix>) -> Option<Timestamp> {
    moment.map(|moment| moment.0)
}

impl<'de> Deserialize<'de> for Unix {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let seconds = i64::deserialize(reader)?;
        let at = Timestamp::from_second(seconds).map_err(|_| D::Error::custom("not a time"))?;
        Ok(Self(at))
    }
}

/// A page of a list; only the first comes with an event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// The keys of `metadata` that mean something to us.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata<'a> {
    #[serde(borrow, default)]
    referral_code: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "ref")]
    short_code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    customer_id: Option<&'a RawValue>,
}

impl Metadata<'_> {
    /// The referral code.
    pub(super) fn code(&self) -> Option<Arc<str>> {
        text(self.referral_code).or_else(|| text(self.short_code))
    }

    /// The shop's own customer id.
    pub(super) fn customer_id(&self) -> Option<Arc<str>> {
        text(self.customer_id)
    }
}

/// Where an address lies; nothing else of it concerns us.
#[derive(Debug, Deserialize)]
pub(super) struct Address {
    #[serde(default)]
    pub(super) country: Option<Arc<str>>,
}

/// Tells "there, and null" from "not there".
pub(super) fn present<'de, D, T>(reader: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(reader).map(Some)
}

/// What the shop writes in its own fields is its own affair: what is no text is passed over.
fn text(raw: Option<&RawValue>) -> Option<Arc<str>> {
    let text: Arc<str> = serde_json::from_str(raw?.get()).ok()?;
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.into())
}

fn plain(word: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    ((1..=40).contains(&word.len()) && word.bytes().all(plain)).then_some(word)
}

const MAX_ID: usize = 255;
