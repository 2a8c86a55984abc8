//! The audit: a bounded, resumable walk over the whole table that needs no stream. It makes
//! every record say what its journal says, and names what has waited too long.
//!
//! It walks in steps of a page. What a step finds is handed over by the caller, and only then is
//! the step's place saved: who dies in between hands it over once more. Whoever's work fails is
//! passed over, counted and named.

pub use crate::journal::audit_partition::OVERDUE_AFTER;
pub use crate::journal::audit_report::AuditReport;
pub use crate::journal::passed_over::{MAX_NAMED, PassedOver, PassedOverPartition};

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::Key;
use crate::journal::audit_cursor::Cursor;
use crate::journal::audit_partition::Partition;
use crate::port::Table;
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Items a page.
const PAGE: u32 = 500;

/// After so many runs in a row that ended before they got anywhere, the partition at which they
/// ended is passed over.
const MAX_STALLED_RUNS: u32 = 2;

/// One run of the audit, from where the last one stopped.
#[derive(Debug)]
pub struct Walk<'t, T> {
    table: &'t T,
    /// As it stands in the table.
    cursor: Cursor,
    /// What was read and not yet looked at.
    unread: VecDeque<Item>,
    /// Where the next page begins; the outer none is before the first.
    next: Option<Option<Key>>,
    current: Option<Partition>,
    last: Option<Key>,
    /// The last key of the last partition that is done.
    done: Option<Key>,
    active: BTreeMap<PartnerId, u32>,
    /// Where the last run died, each partition is a step, and one at which several died is none.
    is_careful: bool,
    passes_over_next: bool,
    complete: bool,
}

impl<'t, T: Table> Walk<'t, T> {
    /// Takes the walk up where it stands, and says so in the table: should this run die before its
    /// first step is saved, the next ones are careful. None when another run began at the same
    /// moment.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn resume(table: &'t T, now: Timestamp) -> Result<Option<Self>, StoreError> {
        let cursor: Option<Arc<Cursor>> = table.get_row(Key::audit_cursor()).await?;
        let before = cursor.unwrap_or_default();
        let cursor = Cursor {
            version: before.version.saturating_add(1),
            stalled_runs: before.stalled_runs.saturating_add(1),
            began_at: before.began_at.or(Some(now)),
            ..(*before).clone()
        };
        let begun = table.replace(Arc::new(cursor.clone()), before.version);
        if !begun.await? {
            return Ok(None);
        }
        Ok(Some(Self {
            table,
            unread: VecDeque::new(),
            next: None,
            current: None,
            last: cursor.after.clone(),
            done: cursor.after.clone(),
            active: cursor.active.clone(),
            is_careful: before.stalled_runs > 0,
            passes_over_next: before.stalled_runs >= MAX_STALLED_RUNS,
            complete: false,
            cursor,
        }))
    }

    /// Whether anything is done since the place was saved last.
    pub fn has_progressed(&self) -> bool {
        self.complete || self.done != self.cursor.after
    }

    /// The next page; after a run that died, the next partition. Gives what is found.
    ///
    /// # Errors
    /// When the table does not answer: the next run begins at the place that was saved last.
    pub async fn step(&mut self, now: Timestamp) -> Result<AuditReport, StoreError> {
        let mut found = AuditReport::default();
        if self.unread.is_empty() {
            self.read_page().await?;
        }
        while let Some(item) = self.unread.pop_front() {
            let key = item.key();
            let is_new = self
                .current
                .as_ref()
                .is_none_or(|current| *current.name != *key.partition);
            if is_new {
                let closed = self.close_current(&mut found, now).await?;
                self.current = Some(Partition::new(key.partition.clone()));
                if closed && self.is_careful {
                    self.unread.push_front(item);
                    self.current = None;
                    return Ok(found);
                }
            }
            self.last = Some(key);
            if let Some(current) = self.current.as_mut() {
                current.observe(item, now);
            }
        }
        if self.next == Some(None) {
            self.close_current(&mut found, now).await?;
            self.done = None;
            self.complete = true;
            found.active = Some(self.active.clone());
            found.complete = true;
        }
        Ok(found)
    }

    async fn read_page(&mut self) -> Result<(), StoreError> {
        let after = self.next.take().unwrap_or_else(|| self.done.clone());
        let page = self.table.scan(after, PAGE).await?;
        self.unread.extend(page.items);
        self.next = Some(page.next);
        Ok(())
    }

    /// Whether there was one to close.
    async fn close_current(
        &mut self,
        found: &mut AuditReport,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(partition) = self.current.take() else {
            return Ok(false);
        };
        if std::mem::take(&mut self.passes_over_next) {
            let why = "several runs ended while they were at it: out of time or of memory";
            found.passed_over.add(&partition.name, why);
        } else {
            partition
                .close(self.table, found, &mut self.active, now)
                .await?;
        }
        self.done.clone_from(&self.last);
        Ok(true)
    }

    /// Saves the place, after what the step found was handed over. `false` when another run has
    /// begun meanwhile: its place stands, and this run is over.
    ///
    /// # Errors
    /// When the table does not answer; the next run begins at the place that was saved last.
    pub async fn save(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        if !self.has_progressed() {
            return Ok(true);
        }
        let round_ended = self.complete.then_some(now);
        let next = Cursor {
            version: self.cursor.version.saturating_add(1),
            after: self.done.clone(),
            active: match self.complete {
                true => BTreeMap::new(),
                false => self.active.clone(),
            },
            stalled_runs: 0,
            began_at: self.cursor.began_at.filter(|_| !self.complete),
            completed_at: round_ended.or(self.cursor.completed_at),
        };
        let saved = self
            .table
            .replace(Arc::new(next.clone()), self.cursor.version);
        let saved = saved.await?;
        self.cursor = next;
        Ok(saved)
    }
}

/// How long ago the audit came to the end of the table; before its first end, how long ago it
/// began. None before that.
///
/// # Errors
/// When the table does not answer.
pub async fn read_audit_age<T: Table>(
    table: &T,
    now: Timestamp,
) -> Result<Option<SignedDuration>, StoreError> {
    let cursor: Option<Arc<Cursor>> = table.get_row(Key::audit_cursor()).await?;
    let since = cursor.and_then(|cursor| cursor.completed_at.or(cursor.began_at));
    Ok(since.map(|since| now.duration_since(since)))
}

/// A run of at least `pages` pages of which nothing is handed over, for tests.
///
/// # Errors
/// When the table does not answer.
#[cfg(feature = "memory-table")]
pub async fn walk<T: Table>(
    table: &T,
    pages: u32,
    now: Timestamp,
) -> Result<AuditReport, StoreError> {
    let mut all = AuditReport::default();
    let Some(mut run) = Walk::resume(table, now).await? else {
        return Ok(all);
    };
    let mut walked: u32 = 0;
    let mut progressed = false;
    loop {
        all.add(run.step(now).await?);
        progressed |= run.has_progressed();
        walked = walked.saturating_add(1);
        if !run.save(now).await? || all.complete || (walked >= pages && progressed) {
            return Ok(all);
        }
    }
}
