//! Whose work failed while a walk or a scan went on with the others.

use crate::error::StoreError;
use crate::items::key::{REFERENCE, customer_of};
use crate::journal::folding::FoldStatus;

/// So many of them are named; all are counted.
pub const MAX_NAMED: usize = 20;

/// After so many failures in a row that are the table's own, the run ends: the table is in
/// trouble, and not those whose work failed.
const MAX_TABLE_FAILURES: u32 = 5;

/// Who was passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub named: Vec<PassedOverPartition>,
    /// Failures of the table's own since the last work that was done.
    table_failures: u32,
}

/// A customer or another partition whose work failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOverPartition {
    /// A customer's key, or the partition; of a reference only that it is one.
    pub name: String,
    /// What went wrong.
    pub why: String,
}

impl PassedOver {
    /// Notes what became of the work on a partition.
    ///
    /// # Errors
    /// The table's own error, when it failed too often in a row.
    pub(crate) fn note(
        &mut self,
        partition: &str,
        done: Result<FoldStatus, StoreError>,
    ) -> Result<(), StoreError> {
        let error = match done {
            Ok(FoldStatus::Done) => {
                self.table_failures = 0;
                return Ok(());
            }
            Ok(FoldStatus::Contended) => StoreError::Contended,
            Ok(FoldStatus::Panicked) => {
                self.add(partition, "the fold panicked on its events, which is a bug");
                return Ok(());
            }
            Err(error) => error,
        };
        self.add(partition, error.to_string());
        if error.is_of_the_item() {
            return Ok(());
        }
        self.table_failures = self.table_failures.saturating_add(1);
        if self.table_failures < MAX_TABLE_FAILURES {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// Adds one.
    pub fn add(&mut self, partition: &str, why: impl Into<String>) {
        self.count = self.count.saturating_add(1);
        if self.named.len() >= MAX_NAMED {
            return;
        }
        let name = match customer_of(partition) {
            Some(customer) => customer.to_string(),
            None if partition.starts_with(REFERENCE) => "a reference".into(),
            None => partition.into(),
        };
        let why = why.into();
        self.named.push(PassedOverPartition { name, why });
    }

    /// Adds those of a later step.
    pub fn extend(&mut self, later: Self) {
        self.count = self.count.saturating_add(later.count);
        let room = MAX_NAMED.saturating_sub(self.named.len());
        self.named.extend(later.named.into_iter().take(room));
    }

    /// These and those of a later step.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.extend(later);
        self
    }
}
