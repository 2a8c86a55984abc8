//! The stream's records as typed items.

use serde_json::{Value, json};
use store::Item;

/// A partition and a sort key.
pub(crate) type RecordKeys = (String, String);

/// Records of the stream as items; none for one that was removed or can't be read.
pub(crate) fn typed_items(records: Vec<Value>) -> Vec<(RecordKeys, Option<Item>)> {
    let key = |record: &Value, name: &str| {
        let text = record.pointer(&format!("/dynamodb/Keys/{name}/S"));
        text.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let keys: Vec<RecordKeys> = records
        .iter()
        .map(|r| (key(r, "pk"), key(r, "sk")))
        .collect();
    let payload = json!({ "Records": records }).to_string();
    let changes = store::stream::changes(payload.as_bytes()).unwrap_or_default();
    let items = changes.into_iter().map(|change| change.item.ok().flatten());
    keys.into_iter().zip(items).collect()
}
