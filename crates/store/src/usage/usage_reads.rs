//! Reads what a customer used.

use crate::error::StoreError;
use crate::items::key::{USAGE_PAGE, usage_partition};
use crate::port::Table;
use crate::usage::page_row::UsagePageRow;
use domain::ids::{CustomerKey, MeterName};
use domain::usage::page::UsagePage;
use domain::usage::page_place::PagePlace;
use jiff::Timestamp;
use std::sync::Arc;

/// All events of a customer's meter in the months, in UTC, that have a moment from `start` to `end`
/// in them: one set, in which what stands in several pages counts once.
///
/// # Errors
/// When the table does not answer.
pub async fn read_usage<T: Table>(
    table: &T,
    customer: &CustomerKey,
    meter: &MeterName,
    (start, end): (Timestamp, Timestamp),
) -> Result<UsagePage, StoreError> {
    let partition = usage_partition(customer, meter);
    let mut all = UsagePage::default();
    for month in PagePlace::months(start, end) {
        let prefix = [USAGE_PAGE, &month].concat();
        let rows: Vec<Arc<UsagePageRow>> = table.query_rows(&partition, &prefix).await?;
        for row in rows {
            all.merge(&row.page);
        }
    }
    Ok(all)
}
