//! Batches of a stream or a queue, parts of which may have to be delivered again.

use serde::{Deserialize, Serialize};

/// A batch as Lambda delivers it.
#[derive(Debug, Deserialize)]
pub struct LambdaBatch<M> {
    /// What is in it.
    #[serde(rename = "Records")]
    pub records: Vec<M>,
}

/// What a queue says of a message besides its body.
#[derive(Debug, Deserialize)]
pub struct MessageAttributes {
    /// How often it was delivered, this time included, as text.
    #[serde(rename = "ApproximateReceiveCount")]
    pub receives: String,
}

/// The answer that names what must be delivered again: a stream's records by their sequence
/// numbers, a queue's messages by their ids.
pub fn failures<I: AsRef<str>>(items: &[I]) -> Vec<u8> {
    let failed = |item| BatchItemFailure {
        item_identifier: item,
    };
    let items = items.iter().map(AsRef::as_ref);
    serde_json::to_vec(&BatchItemFailures {
        batch_item_failures: items.map(failed).collect(),
    })
    .unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailures<'a> {
    batch_item_failures: Vec<BatchItemFailure<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure<'a> {
    item_identifier: &'a str,
}
