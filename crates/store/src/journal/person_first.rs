//! When a person's customers first paid: each customer's announcement stands under its names, so
//! that one query of a name gives all of them.
//!
//! Who announces puts first and looks afterwards. Of two at once one sees the other, and tells it.

use crate::error::StoreError;
use crate::items::key::{FIRST_PAYMENT, reference_partition};
use crate::items::stored_item::StoredItem;
use crate::journal::first_payment_row::FirstPaymentRow;
use crate::port::{InsertOutcome, Table};
use domain::ids::{CustomerKey, Reference};
use domain::partner::first_payment::{FirstPayment, FirstPaymentAnnouncement};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Puts an announcement under each of its names. Gives the customers to whom it may make a
/// difference.
///
/// # Errors
/// When the table does not answer, or others keep writing.
pub(crate) async fn announce<T: Table>(
    table: &T,
    customer: &CustomerKey,
    announcement: &FirstPaymentAnnouncement,
) -> Result<BTreeSet<CustomerKey>, StoreError> {
    let own = announcement.paid_at;
    let is_corrected = announcement
        .before
        .is_some_and(|before| Some(before) != own);
    for reference in &announcement.names {
        let row = FirstPaymentRow {
            reference: reference.clone(),
            customer: customer.clone(),
            paid_at: own,
            decided_at: announcement.at,
            version: 1,
        };
        put_latest(table, row, announcement.before).await?;
    }
    let mut concerned = BTreeSet::new();
    for row in rows(table, &announcement.names).await? {
        let is_later = row
            .paid_at
            .zip(own)
            .is_some_and(|(other, own)| own <= other);
        if row.customer != *customer && (is_corrected || is_later) {
            concerned.insert(row.customer.clone());
        }
    }
    Ok(concerned)
}

/// The earliest payment of whoever has one of these names, as announced.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn earliest<T: Table>(
    table: &T,
    names: &BTreeSet<Reference>,
) -> Result<Option<FirstPayment>, StoreError> {
    let rows = rows(table, names).await?;
    let paid = rows.iter().filter_map(|row| {
        Some(FirstPayment {
            paid_at: row.paid_at?,
            customer: row.customer.clone(),
        })
    });
    Ok(paid.min())
}

async fn rows<T: Table>(
    table: &T,
    names: &BTreeSet<Reference>,
) -> Result<Vec<Arc<FirstPaymentRow>>, StoreError> {
    let mut all = Vec::new();
    for name in names {
        let rows: Vec<Arc<FirstPaymentRow>> = table
            .query_rows(&reference_partition(name), FIRST_PAYMENT)
            .await?;
        all.extend(rows);
    }
    Ok(all)
}

/// Puts a row unless one stands that was decided later. Of two that were decided at one moment the
/// later one says what was announced `before` it.
async fn put_latest<T: Table>(
    table: &T,
    row: FirstPaymentRow,
    before: Option<Timestamp>,
) -> Result<(), StoreError> {
    let row = Arc::new(row);
    let InsertOutcome::Present(mut present) = table.insert(row.clone()).await? else {
        return Ok(());
    };
    for _ in 0..ATTEMPTS {
        let Some(there) = present else {
            return Err(StoreError::NoAnswer("what is there".into()));
        };
        let follows = there.decided_at == row.decided_at && there.paid_at == before;
        let stands = there.decided_at >= row.decided_at && !follows;
        if stands || there.paid_at == row.paid_at {
            return Ok(());
        }
        let next = FirstPaymentRow {
            version: there.version.saturating_add(1),
            ..FirstPaymentRow::clone(&row)
        };
        if table.replace(Arc::new(next), there.version).await? {
            return Ok(());
        }
        present = table.get_row(row.key()).await?;
    }
    Err(StoreError::Contended)
}

/// How often a write that lost its race begins again.
const ATTEMPTS: u32 = 5;
