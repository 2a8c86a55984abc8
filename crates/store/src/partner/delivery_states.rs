//! Reads and writes what partners were told.

use crate::error::StoreError;
use crate::items::key::Key;
use crate::partner::delivery_row::{DeliveryState, NoticeTask};
use crate::port::Table;
use std::sync::Arc;

/// Writes down what was told. `false`: somebody else wrote meanwhile, so look again.
///
/// # Errors
/// When the table does not answer; the same is then told again.
pub async fn save_delivered<T: Table>(table: &T, told: DeliveryState) -> Result<bool, StoreError> {
    let version_read = told.version;
    let next = Arc::new(DeliveryState {
        version: version_read.saturating_add(1),
        ..told
    });
    table.replace(next, version_read).await
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
    let key = Key::delivery_state(&order.addressee, &order.row);
    let stored: Option<Arc<DeliveryState>> = table.get_row(key).await?;
    Ok(stored.map_or_else(|| DeliveryState::new(order), Arc::unwrap_or_clone))
}
