//! Reads and writes what partners were told.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::Key;
use crate::partner::delivery_row::{DeliveryState, NoticeTask};
use crate::port::{PutOutcome, Table, WriteCondition};
use std::sync::Arc;

/// Writes down what was told. `false`: somebody else wrote meanwhile, so look again.
///
/// # Errors
/// When the table does not answer; the same is then told again.
pub async fn save_delivered<T: Table>(table: &T, told: DeliveryState) -> Result<bool, StoreError> {
    let when = match told.version {
        0 => WriteCondition::Absent,
        version => WriteCondition::Version(version),
    };
    let next = Arc::new(DeliveryState {
        version: told.version.saturating_add(1),
        ..told
    });
    Ok(
        match table.put(Item::DeliveryState(next.clone()), when).await? {
            PutOutcome::Done => true,
            // A repeated request may find its own earlier write.
            PutOutcome::Refused(there) => there
                .is_some_and(|there| matches!(*there, Item::DeliveryState(there) if there == next)),
        },
    )
}

/// Takes off the mark of one whose order was handed over. Losing a race here means that somebody
/// is on it.
///
/// # Errors
/// When the table does not answer; its order is then handed over again.
pub async fn clear_due<T: Table>(table: &T, told: &DeliveryState) -> Result<(), StoreError> {
    let told = DeliveryState {
        next_due_at: None,
        ..told.clone()
    };
    save_delivered(table, told).await.map(|_| ())
}

/// What was told of a row.
pub(crate) async fn read_delivery_state<T: Table>(
    table: &T,
    order: &NoticeTask,
) -> Result<DeliveryState, StoreError> {
    Ok(
        match table
            .get(Key::delivery_state(&order.partner, &order.row))
            .await?
        {
            Some(Item::DeliveryState(told)) => Arc::unwrap_or_clone(told),
            Some(_) | None => DeliveryState::new(order),
        },
    )
}
