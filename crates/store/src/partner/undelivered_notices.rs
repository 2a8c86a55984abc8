//! What the audit finds that partners were not told.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::partner::delivery_row::NoticeTask;
use crate::partner::notice_endpoints::read_endpoint;
use crate::port::Table;
use domain::notice::{Addressee, is_given_up};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the audit saw of one partner's ledger and misses in what was told.
#[derive(Debug, Default)]
pub(crate) struct UndeliveredNotices(BTreeMap<Arc<str>, Vec<(&'static str, Timestamp)>>);

impl UndeliveredNotices {
    /// A row, or what was told of one. Rows come first, as their keys do.
    pub(crate) fn observe(&mut self, item: &Item, now: Timestamp) {
        if let Item::DeliveryState(told) = item
            && let Some(notices) = self.0.get_mut(&told.row)
        {
            notices.retain(|(kind, _)| !told.delivered.contains_key(*kind));
        }
        let waits = |at: Timestamp| now.duration_since(at);
        let notices: Vec<_> = item
            .notices()
            .into_iter()
            .map(|notice| (notice.kind, notice.counts_from))
            .filter(|(_, at)| waits(*at) > OVERDUE_AFTER && waits(*at) < AUDIT_WINDOW)
            .collect();
        if !notices.is_empty() {
            self.0.insert(item.key().sort, notices);
        }
    }

    /// The orders to hand over again. While an endpoint fails, its messages are still being
    /// tried, for as long as that takes: some may have been used up without an attempt. While it
    /// is off, nobody waits for them.
    pub(crate) async fn tasks<T: Table>(
        self,
        table: &T,
        addressee: &Addressee,
        now: Timestamp,
    ) -> Result<Vec<NoticeTask>, StoreError> {
        if self.0.values().all(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let Some(endpoint) = read_endpoint(table, addressee).await? else {
            return Ok(Vec::new());
        };
        let is_tried = |since| !is_given_up(since, now);
        if endpoint.disabled.is_some() || endpoint.failing_since.is_some_and(is_tried) {
            return Ok(Vec::new());
        }
        let missed = self.0.into_iter().filter(|(_, notices)| {
            let mut moments = notices.iter().map(|(_, at)| *at);
            moments.any(|at| at >= endpoint.since)
        });
        let addressee = addressee.clone();
        let order = |row| NoticeTask {
            addressee: addressee.clone(),
            row,
            due_at: None,
        };
        Ok(missed.map(|(row, _)| order(row)).collect())
    }
}

/// What was not told after this is handed over again.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// What was not told after this is left to whoever puts the endpoint on: it bounds what an audit
/// has to keep in mind, and has outlived every message twice.
const AUDIT_WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);
