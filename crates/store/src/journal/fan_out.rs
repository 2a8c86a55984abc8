//! A parked entry that many customers of a reference are to get, handed to them in the background:
//! in the order of their keys, some in each run, from where the last run stopped.
//!
//! Whoever sets an alias looks for what is parked afterwards, and a page of aliases is read after
//! the entry was parked. So whoever came before the page is in it, and whoever comes later gets the
//! entry by itself.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::{ALIAS, Key, customer_partition, reference_partition};
use crate::journal::append::append_unparked;
use crate::journal::fan_out_row::FanOut;
use crate::journal::folding::fold;
use crate::journal::passed_over::PassedOver;
use crate::journal::rows::ParkedEntry;
use crate::port::Table;
use domain::ids::CustomerKey;
use domain::record::Entry;
use jiff::Timestamp;
use std::sync::Arc;

/// After so many customers the place is saved: who dies has as many to go through again.
const SAVED_EVERY: usize = 25;

/// What a run may still do, and whose work failed in it.
#[derive(Debug)]
pub(crate) struct FanOutRun<'t, T> {
    pub(crate) table: &'t T,
    pub(crate) now: Timestamp,
    /// To how many customers more.
    pub(crate) left: u32,
    pub(crate) passed_over: PassedOver,
}

impl<T: Table> FanOutRun<'_, T> {
    /// Hands the entry of the fan-out under this key to the next customers. Whether all have it, or
    /// another run is at it.
    ///
    /// # Errors
    /// When the table does not answer: the next run goes on at the place that was saved last.
    pub(crate) async fn advance(&mut self, key: &Key) -> Result<bool, StoreError> {
        let there: Option<Arc<FanOut>> = self.table.get_row(key.clone()).await?;
        let is_due = |row: &Arc<FanOut>| row.next_due_at.is_some_and(|at| at <= self.now);
        let Some(mut row) = there.filter(is_due) else {
            return Ok(true);
        };
        let parked = Key::parked(&row.reference, &row.event);
        let Some(ParkedEntry { entry, .. }) = self.table.get_row(parked).await? else {
            // It was taken away: there is nothing to hand out.
            return self
                .save(&row, FanOut::clone(&row), true)
                .await
                .map(|_| true);
        };
        let partition = reference_partition(&row.reference);
        let mut after = row
            .after
            .as_ref()
            .map(|last| Key::alias(&row.reference, last));
        loop {
            let page = self.table.query(&partition, ALIAS, after).await?;
            for items in page.items.chunks(SAVED_EVERY) {
                let next = self.hand_out(FanOut::clone(&row), items, &entry).await?;
                let Some(saved) = self.save(&row, next, false).await? else {
                    return Ok(true);
                };
                row = saved;
                if self.left == 0 {
                    return Ok(false);
                }
            }
            after = page.next;
            if after.is_none() {
                return self
                    .save(&row, FanOut::clone(&row), true)
                    .await
                    .map(|_| true);
            }
        }
    }

    /// Hands the entry to whom these aliases lead to, as far as the run may go.
    async fn hand_out(
        &mut self,
        mut row: FanOut,
        aliases: &[Item],
        entry: &Arc<Entry>,
    ) -> Result<FanOut, StoreError> {
        for alias in aliases {
            if self.left == 0 {
                break;
            }
            self.left = self.left.saturating_sub(1);
            if let Item::Alias(_, customer) = alias {
                self.hand_to(customer, entry).await?;
                row.after = Some(customer.clone());
                row.customers = row.customers.saturating_add(1);
            } else if let Item::Unreadable(item) = alias {
                let error = item.error().to_string();
                let partition = reference_partition(&row.reference);
                self.passed_over.add(&partition, error);
            }
        }
        Ok(row)
    }

    /// Once it is in the journal, stream and audit fold what could not be folded here.
    async fn hand_to(
        &mut self,
        customer: &CustomerKey,
        entry: &Arc<Entry>,
    ) -> Result<(), StoreError> {
        let partition = customer_partition(customer);
        match append_unparked(self.table, customer, entry).await {
            // It may be there unfolded: whoever put it may have died.
            Ok(true | false) => {}
            Err(error) if error.is_of_the_item() => {
                self.passed_over.add(&partition, error.to_string());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let folded = fold(self.table, customer, vec![entry.clone()], self.now).await;
        self.passed_over.note(&partition, folded)
    }

    /// Saves the place. None when another run saved one meanwhile.
    async fn save(
        &self,
        from: &FanOut,
        next: FanOut,
        is_done: bool,
    ) -> Result<Option<Arc<FanOut>>, StoreError> {
        let next = Arc::new(FanOut {
            version: from.version.saturating_add(1),
            next_due_at: next.next_due_at.filter(|_| !is_done),
            ..next
        });
        let saved = self.table.replace(next.clone(), from.version).await?;
        Ok(saved.then_some(next))
    }
}
