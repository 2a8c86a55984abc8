//! What the journal keeps of a thin item: the item, and what the provider's API said of it, so
//! that reading it again gives the same, whatever the API says by then.
//!
//! `{"wire_item":…,"fetched":[{"method":"GET","path":"/payments/PM1","status":200,"body":…}]}`,
//! the item and each body as they were sent. An item that needed no answer is kept bare.

use crate::fetch::{Answer, Call, Fetched, Method, To};
use crate::json::sound;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The item with the answers that its reading used.
pub(crate) fn with_answers(item: &Arc<[u8]>, used: &BTreeMap<Call, &Answer>) -> Arc<[u8]> {
    let Some(wire_item) = raw_value(item).filter(|_| !used.is_empty()) else {
        return Arc::clone(item);
    };
    let fetched = used.iter().map(|(call, answer)| document(call, answer));
    let kept = Kept {
        wire_item: &wire_item,
        fetched: fetched.collect(),
    };
    serde_json::to_vec(&kept).map_or_else(|_| Arc::clone(item), Arc::from)
}

/// The item itself, and the answers that are kept with it.
pub(crate) fn opened(raw: &Arc<[u8]>) -> (Arc<[u8]>, Fetched) {
    let mut fetched = Fetched::default();
    let kept: Option<Kept<'_>> = Some(raw)
        .filter(|raw| raw.starts_with(BEGINNING))
        .and_then(|raw| serde_json::from_slice(raw).ok());
    let Some(kept) = kept else {
        return (Arc::clone(raw), fetched);
    };
    for document in kept.fetched {
        let call = Call {
            method: document.method.into(),
            to: To::Api(document.path.into()),
            body: document.asked.as_deref().map_or_else(Arc::default, bytes),
        };
        let answer = Answer {
            status: document.status,
            body: document.body.as_deref().map_or_else(Arc::default, bytes),
        };
        fetched.insert(call, Some(answer));
    }
    (kept.wire_item.get().as_bytes().into(), fetched)
}

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    wire_item: &'a RawValue,
    #[serde(borrow)]
    fetched: Vec<Document<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    method: Word,
    path: Cow<'a, str>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "even_null"
    )]
    asked: Option<Box<RawValue>>,
    status: u16,
    // None where it was no JSON; nothing else is understood.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "even_null"
    )]
    body: Option<Box<RawValue>>,
}

/// `null` is what was said too, or reading it again would keep something else.
fn even_null<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(reader).map(Some)
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Word {
    Get,
    Post,
}

impl From<Word> for Method {
    fn from(word: Word) -> Self {
        match word {
            Word::Get => Self::Get,
            Word::Post => Self::Post,
        }
    }
}

fn document<'a>(call: &'a Call, answer: &Answer) -> Document<'a> {
    let (To::Api(path) | To::Certificate(path)) = &call.to;
    Document {
        method: match call.method {
            Method::Get => Word::Get,
            Method::Post => Word::Post,
        },
        path: Cow::Borrowed(path),
        asked: raw_value(&call.body),
        status: answer.status,
        body: raw_value(&answer.body),
    }
}

fn raw_value(bytes: &[u8]) -> Option<Box<RawValue>> {
    let text = sound(bytes).ok()?;
    RawValue::from_string(text.to_owned()).ok()
}

fn bytes(value: &RawValue) -> Arc<[u8]> {
    value.get().as_bytes().into()
}

/// No provider's item begins so.
const BEGINNING: &[u8] = b"{\"wire_item\":";
