//! What partners are told of their rows, what they were told so far, and what not yet.
//!
//! A row never changes, so what was told of it is an item of its own. It is written after the
//! partner has taken the notice: who dies in between tells it once more, under the same id.

pub use crate::partner::delivery_row::{DeliveryState, NoticeTask};
pub use crate::partner::delivery_states::{clear_due, save_delivered};

use crate::error::StoreError;
use crate::items::due_index::ceil_to_second;
use crate::items::item::Item;
use crate::items::key::{Key, addressee_of};
use crate::partner::delivery_states::read_delivery_state;
use crate::partner::endpoint_row::NoticeEndpoint;
use crate::partner::notice_endpoints::read_endpoint;
use crate::port::Table;
use domain::notice::Notice;
use jiff::Timestamp;
use std::sync::Arc;

/// What there is to tell of a row.
#[derive(Clone, Debug)]
pub struct PendingDelivery {
    /// Where to.
    pub endpoint: Arc<NoticeEndpoint>,
    /// What was told before.
    pub state: DeliveryState,
    /// What is to be told now, the earliest first.
    pub due: Vec<Notice>,
    /// When there will be more.
    pub next_due_at: Option<Timestamp>,
}

/// What an order came to before anything is sent.
#[derive(Clone, Debug)]
pub enum DeliveryPlan {
    /// There is something to tell, or to remember.
    Deliver(Box<PendingDelivery>),
    /// All is told.
    AllDelivered,
    /// The partner has no endpoint, or no such row.
    NoRecipient,
    /// Its endpoint is off: what is not told waits until it is on again.
    Disabled,
}

/// Reads what there is to tell of a row.
///
/// # Errors
/// When the table does not answer.
pub async fn plan_delivery<T: Table>(
    table: &T,
    order: &NoticeTask,
    now: Timestamp,
) -> Result<DeliveryPlan, StoreError> {
    let Some(endpoint) = read_endpoint(table, &order.addressee).await? else {
        return Ok(DeliveryPlan::NoRecipient);
    };
    if endpoint.disabled.is_some() {
        return Ok(DeliveryPlan::Disabled);
    }
    let Some(row) = table.get(order.key()).await? else {
        return Ok(DeliveryPlan::NoRecipient);
    };
    let notices = row.into_readable()?.notices();
    let told = read_delivery_state(table, order).await?;
    // That there is a row is told at once, should our clock be behind the one that dated it.
    let begun = notices.first().map(|first| first.at);
    let now = now.max(order.due_at.max(begun).unwrap_or(now));
    let (due, later): (Vec<&Notice>, Vec<&Notice>) = told
        .undelivered(&notices, &endpoint)
        .partition(|notice| notice.at <= now);
    let next_due_at = later.iter().map(|notice| ceil_to_second(notice.at)).min();
    if due.is_empty() && next_due_at == told.next_due_at {
        return Ok(DeliveryPlan::AllDelivered);
    }
    let due = due.into_iter().cloned().collect();
    Ok(DeliveryPlan::Deliver(Box::new(PendingDelivery {
        endpoint,
        state: told,
        due,
        next_due_at,
    })))
}

impl NoticeTask {
    /// The order for an item; none where partners are told nothing of its kind.
    pub fn of(item: &Item) -> Option<Self> {
        if item.notices().is_empty() {
            return None;
        }
        let Key { partition, sort } = item.key();
        let addressee = addressee_of(&partition)?;
        Some(Self {
            addressee,
            row: sort,
            due_at: None,
        })
    }

    /// Where the row stands.
    pub fn key(&self) -> Key {
        Key::notice_row(&self.addressee, &self.row)
    }

    /// As it travels.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
