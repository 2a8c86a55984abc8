//! Items as DynamoDB attributes, and back: plain ones that ordinary tools can read.

use crate::error::StoreError;
use crate::items::due_index::due_shard;
use crate::items::item::Item;
use crate::items::key::{Key, customer_of, reference_of};
use crate::journal::audit_cursor::Cursor;
use crate::partner::report_row::{ReportIndex, StoredReport};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::digest::Digest;
use domain::event::NormalizedEvent;
use domain::ids::PartnerId;
use domain::record::Entry;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::Arc;

pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// The largest raw item we unpack: what a door lets in, with room.
const MAX_RAW_BYTES: u64 = 16 * 1024 * 1024;

/// The attributes of an item.
pub(crate) fn to_attributes(item: &Item) -> Result<Attributes, StoreError> {
    let key = item.key();
    let (kind, body) = match item {
        Item::Entry(_, entry) => ("entry", entry_attributes(entry)?),
        Item::Parked(_, entry) => ("parked", entry_attributes(entry)?),
        Item::Record(record) => ("record", fields(&**record)?),
        Item::Alias(_, customer) => (
            "alias",
            fields(&AliasFields {
                customer: customer.as_str(),
            })?,
        ),
        Item::Letter(row) => ("letter", fields(&**row)?),
        Item::Partner(row) => ("partner", fields(&**row)?),
        Item::Commission(row) => ("commission", fields(&**row)?),
        Item::Payout(payout) => ("payout", fields(&**payout)?),
        Item::Bank(row) => ("bank", fields(&**row)?),
        Item::TransferBatch(message) => ("transfer_batch", fields(&**message)?),
        Item::ReferralStatus(row) => ("referral_status", fields(&**row)?),
        Item::Report(place, report) => (place.as_str(), fields(&**report)?),
        Item::NoticeEndpoint(endpoint) => ("notice_endpoint", fields(&**endpoint)?),
        Item::DeliveryState(told) => ("delivery_state", fields(&**told)?),
        Item::Cursor(cursor) => ("cursor", fields(&CursorFields::from(&**cursor))?),
    };
    let mut attributes = body;
    attributes.extend(key_attributes(&key));
    attributes.insert("type".into(), AttributeValue::S(kind.into()));
    if item.next_due_at().is_some() {
        let shard = due_shard_name(due_shard(&key));
        attributes.insert("due_shard".into(), AttributeValue::S(shard));
    }
    Ok(attributes)
}

/// The item of these attributes.
pub(crate) fn from_attributes(attributes: Attributes) -> Result<Item, StoreError> {
    let key = key_of(&attributes)?;
    let unreadable = |why: String| StoreError::Unreadable {
        key: key.to_string(),
        why,
    };
    let kind = text(&attributes, "type").unwrap_or_default().to_owned();
    match kind.as_str() {
        "entry" => {
            let customer = customer_of(&key.partition);
            let customer = customer.ok_or_else(|| unreadable("an entry of nobody".into()))?;
            Ok(Item::Entry(
                customer,
                read_entry(attributes).map_err(unreadable)?,
            ))
        }
        "parked" => {
            let reference = reference_of(&key.partition);
            let reference = reference.ok_or_else(|| unreadable("parked nowhere".into()))?;
            Ok(Item::Parked(
                reference,
                read_entry(attributes).map_err(unreadable)?,
            ))
        }
        "record" => Ok(Item::Record(shared(attributes).map_err(unreadable)?)),
        "letter" => Ok(Item::Letter(shared(attributes).map_err(unreadable)?)),
        "partner" => Ok(Item::Partner(shared(attributes).map_err(unreadable)?)),
        "commission" => Ok(Item::Commission(shared(attributes).map_err(unreadable)?)),
        "payout" => Ok(Item::Payout(shared(attributes).map_err(unreadable)?)),
        "bank" => Ok(Item::Bank(shared(attributes).map_err(unreadable)?)),
        "transfer_batch" => Ok(Item::TransferBatch(shared(attributes).map_err(unreadable)?)),
        "referral_status" => Ok(Item::ReferralStatus(
            shared(attributes).map_err(unreadable)?,
        )),
        "notice_endpoint" => Ok(Item::NoticeEndpoint(
            shared(attributes).map_err(unreadable)?,
        )),
        "delivery_state" => Ok(Item::DeliveryState(shared(attributes).map_err(unreadable)?)),
        "alias" => {
            let reference = reference_of(&key.partition);
            let reference = reference.ok_or_else(|| unreadable("an alias of nothing".into()))?;
            let customer = text(&attributes, "customer");
            let customer = customer.ok_or_else(|| unreadable("no customer".into()))?;
            Ok(Item::Alias(
                reference,
                domain::ids::CustomerKey::new(customer),
            ))
        }
        "cursor" => {
            let cursor = read::<CursorFields>(attributes).map_err(unreadable)?;
            Ok(Item::Cursor(Arc::new(cursor.into())))
        }
        other => {
            let place = ReportIndex::parse(other);
            let place = place.ok_or_else(|| unreadable(format!("unknown type `{other}`")))?;
            let report = read::<StoredReport>(attributes).map_err(unreadable)?;
            Ok(Item::Report(place, Arc::new(report)))
        }
    }
}

/// A key as attributes.
pub(crate) fn key_attributes(key: &Key) -> Attributes {
    HashMap::from([
        ("pk".into(), AttributeValue::S(key.partition.to_string())),
        ("sk".into(), AttributeValue::S(key.sort.to_string())),
    ])
}

/// The key among these attributes.
pub(crate) fn key_of(attributes: &Attributes) -> Result<Key, StoreError> {
    match (text(attributes, "pk"), text(attributes, "sk")) {
        (Some(partition), Some(sort)) => Ok(Key::new(partition, sort)),
        (None, _) | (_, None) => Err(StoreError::Unreadable {
            key: "(none)".into(),
            why: "no pk or sk".into(),
        }),
    }
}

/// A shard of the index as it stands in `due_shard`.
pub(crate) fn due_shard_name(shard: u64) -> String {
    format!("due#{shard}")
}

#[derive(Serialize)]
struct AliasFields<'a> {
    customer: &'a str,
}

#[derive(Serialize, Deserialize)]
struct CursorFields {
    version: u64,
    after: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    active: BTreeMap<PartnerId, u32>,
}

#[derive(Serialize, Deserialize)]
struct EntryFields {
    normalized: NormalizedEvent,
    normalizer: u16,
    received_at: Timestamp,
    receipt: Arc<str>,
    digest: Digest,
}

fn entry_attributes(entry: &Entry) -> Result<Attributes, StoreError> {
    let mut attributes = fields(&EntryFields {
        normalized: entry.event.clone(),
        normalizer: entry.normalizer,
        received_at: entry.received_at,
        receipt: entry.receipt.clone(),
        digest: entry.digest,
    })?;
    let mut packed = Vec::new();
    DeflateEncoder::new(&*entry.raw, Compression::best())
        .read_to_end(&mut packed)
        .map_err(|error| StoreError::Invalid(format!("raw item can't be packed: {error}")))?;
    attributes.insert("raw".into(), AttributeValue::B(Blob::new(packed)));
    Ok(attributes)
}

fn read_entry(mut attributes: Attributes) -> Result<Arc<Entry>, String> {
    let packed = match attributes.remove("raw") {
        Some(AttributeValue::B(packed)) => packed,
        Some(_) | None => return Err("no raw item".into()),
    };
    let mut raw = Vec::new();
    DeflateDecoder::new(packed.as_ref())
        .take(MAX_RAW_BYTES)
        .read_to_end(&mut raw)
        .map_err(|error| format!("raw item can't be unpacked: {error}"))?;
    let entry: EntryFields = read(attributes)?;
    Ok(Arc::new(Entry {
        event: entry.normalized,
        raw: raw.into(),
        normalizer: entry.normalizer,
        received_at: entry.received_at,
        receipt: entry.receipt,
        digest: entry.digest,
    }))
}

fn fields<T: Serialize>(value: &T) -> Result<Attributes, StoreError> {
    serde_dynamo::to_item(value).map_err(|error| StoreError::Invalid(error.to_string()))
}

fn read<T: for<'de> Deserialize<'de>>(attributes: Attributes) -> Result<T, String> {
    serde_dynamo::from_item(attributes).map_err(|error| error.to_string())
}

fn shared<T: for<'de> Deserialize<'de>>(attributes: Attributes) -> Result<Arc<T>, String> {
    read(attributes).map(Arc::new)
}

fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.get(name)?.as_s().ok().map(String::as_str)
}

impl From<&Cursor> for CursorFields {
    fn from(cursor: &Cursor) -> Self {
        let after = cursor.after.as_ref();
        let after = after.map(|key| (key.partition.to_string(), key.sort.to_string()));
        Self {
            version: cursor.version,
            after,
            active: cursor.active.clone(),
        }
    }
}

impl From<CursorFields> for Cursor {
    fn from(fields: CursorFields) -> Self {
        let after = fields
            .after
            .map(|(partition, sort)| Key::new(partition, sort));
        Self {
            version: fields.version,
            after,
            active: fields.active,
        }
    }
}

#[cfg(test)]
mod tests;
