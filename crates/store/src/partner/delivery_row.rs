//! What a partner was told of one row, as the table keeps it, and the message that asks for more.

use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
use crate::partner::endpoint_row::NoticeEndpoint;
use domain::notice::{Addressee, Notice};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a partner was told of one row, and when there is more to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryState {
    /// Whom.
    #[serde(flatten)]
    pub addressee: Addressee,
    /// Of which row, by its sort key.
    pub row: Arc<str>,
    /// Counts writes; 0 is never stored.
    pub version: u64,
    /// Which notices, and when each was taken.
    #[serde(default)]
    pub delivered: BTreeMap<Arc<str>, Timestamp>,
    /// When there is more to tell: a whole second, in the index that is swept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Timestamp>,
}

/// The message that asks for a partner to be told of a row: its key, and what must not be missed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NoticeTask {
    /// Whom.
    #[serde(flatten)]
    pub addressee: Addressee,
    /// Of which row, by its sort key.
    pub row: Arc<str>,
    /// A moment that has come, whatever the clock of whoever tells says: the row's mark for it is
    /// taken off once the order is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

impl DeliveryState {
    pub(crate) fn new(order: &NoticeTask) -> Self {
        Self {
            addressee: order.addressee.clone(),
            row: order.row.clone(),
            version: 0,
            delivered: BTreeMap::new(),
            next_due_at: None,
        }
    }

    /// The order for what is left to tell.
    pub fn task(&self) -> NoticeTask {
        NoticeTask {
            addressee: self.addressee.clone(),
            row: self.row.clone(),
            due_at: self.next_due_at,
        }
    }

    /// Those of a row's notices that this endpoint is to be told and was not.
    pub(crate) fn undelivered<'a>(
        &'a self,
        notices: &'a [Notice],
        endpoint: &NoticeEndpoint,
    ) -> impl Iterator<Item = &'a Notice> {
        let since = endpoint.since;
        let untold = move |notice: &&Notice| {
            notice.counts_from >= since && !self.delivered.contains_key(notice.kind)
        };
        notices.iter().filter(untold)
    }
}

impl StoredItem for DeliveryState {
    fn type_name(&self) -> &'static str {
        "delivery_state"
    }

    fn key(&self) -> Key {
        Key::delivery_state(&self.addressee, &self.row)
    }

    fields_by_serde!();

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }

    fn next_due_at(&self) -> Option<Timestamp> {
        self.next_due_at
    }
}
