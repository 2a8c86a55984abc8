//! Typed JSON as providers write it: a value has one accepted form, or it is unclear.

use domain::ids::ObjectId;
use domain::subscription::terms::{Period, SubscriptionStatus};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::value::RawValue;
use std::sync::Arc;

/// A value that we do not understand, inside an event we act on. The text names the field and what
/// is wrong, and never contains personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnclearValue(pub(crate) String);

impl UnclearValue {
    /// An unknown value of an enumeration. The text repeats it only where it looks like an
    /// identifier, so that it is never a person's.
    pub(crate) fn unknown_word(place: &str, word: &str) -> Self {
        match identifier_like(word) {
            Some(word) => Self(format!("`{place}` is `{word}`, which we do not know")),
            None => Self(format!("`{place}` is not a value we know")),
        }
    }

    /// Text that can't be an id.
    pub(crate) fn invalid_id(place: &str) -> Self {
        Self(format!("`{place}` is not a valid id"))
    }

    /// A required field is missing.
    pub(crate) fn missing(place: &str) -> Self {
        Self(format!("`{place}` is missing"))
    }
}

/// Reads a part of the body; the error names the field that could not be read.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    raw: &'a RawValue,
    place: &str,
) -> Result<T, UnclearValue> {
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
            Some((field, _)) => UnclearValue::missing(&format!("{path}.{field}")),
            None => UnclearValue(format!("`{path}` does not have the form we know")),
        }
    })
}

/// Reads an object. (Serde would also read a struct from a list, which would be a guess.)
pub(crate) fn read_object<'a, T>(raw: &'a RawValue, place: &str) -> Result<T, UnclearValue>
where
    T: Deserialize<'a>,
{
    if !raw.get().starts_with('{') {
        return Err(UnclearValue(format!("`{place}` is not an object")));
    }
    read(raw, place)
}

/// A field that is read by itself: where its value is unclear, it hides no other field.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Part<T> {
    /// It is missing.
    #[default]
    Absent,
    /// It is null.
    Null,
    /// It is this.
    Present(T),
    /// It does not have the form we know.
    Unreadable,
}

impl<T> Part<T> {
    /// Its value, if there is one; `place` names the field.
    pub(crate) fn read(self, place: &str) -> Result<Option<T>, UnclearValue> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::Present(value) => Ok(Some(value)),
            Self::Unreadable => Err(UnclearValue(format!(
                "`{place}` does not have the form we know"
            ))),
        }
    }

    /// Its value, where it has to have one.
    pub(crate) fn require(self, place: &str) -> Result<T, UnclearValue> {
        self.read(place)?
            .ok_or_else(|| UnclearValue::missing(place))
    }

    /// Its value where that can be read, for what nothing else depends on.
    pub(crate) fn readable(self) -> Option<T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Null | Self::Unreadable => None,
        }
    }

    /// What is said of it: nothing, that it is none, or this. What can't be read says nothing.
    pub(crate) fn stated(self) -> Option<Option<T>> {
        match self {
            Self::Absent | Self::Unreadable => None,
            Self::Null => Some(None),
            Self::Present(value) => Some(Some(value)),
        }
    }

    /// The same, by reference.
    pub(crate) fn as_ref(&self) -> Part<&T> {
        match self {
            Self::Absent => Part::Absent,
            Self::Null => Part::Null,
            Self::Present(value) => Part::Present(value),
            Self::Unreadable => Part::Unreadable,
        }
    }
}

impl<T> Part<T> {
    /// The same with another value.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Part<U> {
        match self {
            Self::Absent => Part::Absent,
            Self::Null => Part::Null,
            Self::Present(value) => Part::Present(change(value)),
            Self::Unreadable => Part::Unreadable,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(reader)?;
        Ok(match serde_json::from_str(raw.get()) {
            Ok(Some(value)) => Self::Present(value),
            Ok(None) => Self::Null,
            Err(_) => Self::Unreadable,
        })
    }
}

/// An id of one of the provider's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) ObjectId);

impl Id {
    /// The text as an id, up to 255 bytes. Ids become parts of keys, which `/` divides.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_ID || text.contains('/') {
            return None;
        }
        ObjectId::parse(text).ok().map(Self)
    }
}

/// The inner id, if any.
pub(crate) fn id(named: &Option<Id>) -> Option<&ObjectId> {
    named.as_ref().map(|named| &named.0)
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = Arc::<str>::deserialize(reader)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an id"))
    }
}

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnixSeconds(pub(crate) Timestamp);

/// A time of RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rfc3339Time(pub(crate) Timestamp);

/// The inner time, if any.
pub(crate) fn to_timestamp(moment: Option<impl Into<Timestamp>>) -> Option<Timestamp> {
    moment.map(Into::into)
}

impl From<UnixSeconds> for Timestamp {
    fn from(moment: UnixSeconds) -> Self {
        moment.0
    }
}

impl From<Rfc3339Time> for Timestamp {
    fn from(moment: Rfc3339Time) -> Self {
        moment.0
    }
}

impl<'de> Deserialize<'de> for Rfc3339Time {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = Arc::<str>::deserialize(reader)?;
        let at = text.parse().map_err(|_| D::Error::custom("not a time"))?;
        Ok(Self(at))
    }
}

/// A period.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct WirePeriod {
    start: Rfc3339Time,
    end: Rfc3339Time,
}

impl WirePeriod {
    /// As a period, if any; `place` names the field, for errors.
    pub(crate) fn period(span: Part<Self>, place: &str) -> Result<Option<Period>, UnclearValue> {
        let Some(Self { start, end }) = span.read(place)? else {
            return Ok(None);
        };
        period(start.0, end.0, place).map(Some)
    }
}

/// A period that does not end before it begins.
pub(crate) fn period(
    start: Timestamp,
    end: Timestamp,
    place: &str,
) -> Result<Period, UnclearValue> {
    if end < start {
        return Err(UnclearValue(format!("`{place}` ends before it begins")));
    }
    Ok(Period { start, end })
}

impl<'de> Deserialize<'de> for UnixSeconds {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let seconds = i64::deserialize(reader)?;
        let at = Timestamp::from_second(seconds).map_err(|_| D::Error::custom("not a time"))?;
        Ok(Self(at))
    }
}

/// The keys of `metadata` that we read.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata<'a> {
    #[serde(borrow, default)]
    referral_code: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "ref")]
    short_code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    customer_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    price: Option<&'a RawValue>,
}

impl Metadata<'_> {
    /// The referral code.
    pub(crate) fn code(&self) -> Option<Arc<str>> {
        text(self.referral_code).or_else(|| text(self.short_code))
    }

    /// The shop's own customer id.
    pub(crate) fn customer_id(&self) -> Option<Arc<str>> {
        text(self.customer_id)
    }

    /// The price, where the provider has no prices of its own.
    pub(crate) fn price(&self) -> Option<Arc<str>> {
        text(self.price)
    }
}

/// A subscription's status, in the values that several providers share.
pub(crate) fn status(word: &str, place: &str) -> Result<SubscriptionStatus, UnclearValue> {
    Ok(match word {
        "incomplete" => SubscriptionStatus::Incomplete,
        "incomplete_expired" => SubscriptionStatus::IncompleteExpired,
        "trialing" => SubscriptionStatus::Trialing,
        "active" => SubscriptionStatus::Active,
        "past_due" => SubscriptionStatus::PastDue,
        "unpaid" => SubscriptionStatus::Unpaid,
        "paused" => SubscriptionStatus::Paused,
        "canceled" => SubscriptionStatus::Canceled,
        other => return Err(UnclearValue::unknown_word(place, other)),
    })
}

/// The country of an address; the rest is not read.
#[derive(Debug, Deserialize)]
pub(crate) struct AddressCountry {
    #[serde(default)]
    pub(crate) country: Option<Arc<str>>,
}

/// Distinguishes null from a missing field.
pub(crate) fn present<'de, D, T>(reader: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(reader).map(Some)
}

/// The shop may write anything into its own fields, so a value that is not text is ignored.
fn text(raw: Option<&RawValue>) -> Option<Arc<str>> {
    let text: Arc<str> = serde_json::from_str(raw?.get()).ok()?;
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.into())
}

fn identifier_like(word: &str) -> Option<&str> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    ((1..=40).contains(&word.len()) && word.bytes().all(is_allowed)).then_some(word)
}

const MAX_ID: usize = 255;
