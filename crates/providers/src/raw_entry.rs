//! What the journal keeps of a reference-only item: the item and the provider's API responses, so
//! that normalizing it again gives the same, whatever the API responds by then.
//!
//! `{"wire_item":…,"fetched":[{"method":"GET","path":"/payments/PM1","status":200,"body":…}]}`,
//! the item and each body as they were sent. An item that needed no response is kept as it is.

use crate::fetch::{ApiCall, ApiResponse, ApiResponses, CallTarget, Method};
use crate::json::validate_json;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The item with the responses that were used to normalize it.
pub(crate) fn with_responses(
    item: &Arc<[u8]>,
    used: &BTreeMap<ApiCall, &ApiResponse>,
) -> Arc<[u8]> {
    let Some(wire_item) = raw_value(item).filter(|_| !used.is_empty()) else {
        return Arc::clone(item);
    };
    let fetched = used
        .iter()
        .map(|(call, answer)| stored_response(call, answer));
    let kept = RawEntry {
        wire_item: &wire_item,
        fetched: fetched.collect(),
    };
    serde_json::to_vec(&kept).map_or_else(|_| Arc::clone(item), Arc::from)
}

/// The item itself, and the responses that are kept with it.
pub(crate) fn unpack(raw: &Arc<[u8]>) -> (Arc<[u8]>, ApiResponses) {
    let mut fetched = ApiResponses::default();
    let kept: Option<RawEntry<'_>> = Some(raw)
        .filter(|raw| raw.starts_with(PREFIX))
        .and_then(|raw| serde_json::from_slice(raw).ok());
    let Some(kept) = kept else {
        return (Arc::clone(raw), fetched);
    };
    for document in kept.fetched {
        let call = ApiCall {
            method: document.method.into(),
            target: CallTarget::Api(document.path.into()),
            body: document
                .request_body
                .as_deref()
                .map_or_else(Arc::default, bytes),
        };
        let answer = ApiResponse {
            status: document.status,
            body: document.body.as_deref().map_or_else(Arc::default, bytes),
        };
        fetched.insert(call, Some(answer));
    }
    (kept.wire_item.get().as_bytes().into(), fetched)
}

#[derive(Serialize, Deserialize)]
struct RawEntry<'a> {
    #[serde(borrow)]
    wire_item: &'a RawValue,
    #[serde(borrow)]
    fetched: Vec<StoredResponse<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StoredResponse<'a> {
    method: StoredMethod,
    path: Cow<'a, str>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "even_null"
    )]
    request_body: Option<Box<RawValue>>,
    status: u16,
    // `None` where it was not JSON.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "even_null"
    )]
    body: Option<Box<RawValue>>,
}

/// Keeps `null` as a value, so that packing it again gives the same bytes.
fn even_null<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(reader).map(Some)
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum StoredMethod {
    Get,
    Post,
}

impl From<StoredMethod> for Method {
    fn from(word: StoredMethod) -> Self {
        match word {
            StoredMethod::Get => Self::Get,
            StoredMethod::Post => Self::Post,
        }
    }
}

fn stored_response<'a>(call: &'a ApiCall, answer: &ApiResponse) -> StoredResponse<'a> {
    let (CallTarget::Api(path) | CallTarget::Certificate(path)) = &call.target;
    StoredResponse {
        method: match call.method {
            Method::Get => StoredMethod::Get,
            Method::Post => StoredMethod::Post,
        },
        path: Cow::Borrowed(path),
        request_body: raw_value(&call.body),
        status: answer.status,
        body: raw_value(&answer.body),
    }
}

fn raw_value(bytes: &[u8]) -> Option<Box<RawValue>> {
    let text = validate_json(bytes).ok()?;
    RawValue::from_string(text.to_owned()).ok()
}

fn bytes(value: &RawValue) -> Arc<[u8]> {
    value.get().as_bytes().into()
}

/// No provider's item begins with this.
const PREFIX: &[u8] = b"{\"wire_item\":";
