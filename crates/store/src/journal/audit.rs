//! The audit: a bounded, resumable walk over the whole table that needs no stream. It makes
//! every record say what its journal says, and names what has waited too long.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::{Key, customer_of, partner_of};
use crate::journal::append::retry_parked;
use crate::journal::audit_cursor::Cursor;
use crate::journal::folding::{fold, replan};
use crate::letters::claim::transition;
use crate::letters::row::{LEASE, LetterRow, LetterState};
use crate::partner::delivery_row::NoticeTask;
use crate::partner::undelivered_notices::UndeliveredNotices;
use crate::port::Table;
use domain::digest::Digest;
use domain::ids::{CustomerKey, PartnerId};
use domain::record::{Entry, Record};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What waits longer than this is named, and tried again.
pub const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Entries under shared references (a person, a code) are offered again to the customers
/// behind them for this long; later than that only a new customer brings them out.
const SHARED_RETRIES: SignedDuration = SignedDuration::from_hours(72);

/// Items a page.
const PAGE: u32 = 500;

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Customers looked at.
    pub customers: u64,
    /// Records that did not say what their journal says, or owed something, and were folded.
    pub repaired: u64,
    /// Entries that wait for somebody to know whose they are.
    pub parked: u64,
    /// Of these, how many have waited longer than [`OVERDUE_AFTER`].
    pub parked_overdue: u64,
    /// How long the one of them has waited that waits longest.
    pub parked_age: SignedDuration,
    /// Events that wait for their provider's API: `calendar` asks it every minute.
    pub waiting: u64,
    /// How long what receivers and stream left undone has been so, at least; the longest.
    pub pending_age: SignedDuration,
    /// Quarantined events.
    pub quarantined: u64,
    /// Letters owed for longer than [`OVERDUE_AFTER`]: to be handed to their queue again.
    pub overdue_letters: Vec<Arc<LetterRow>>,
    /// Rows that their partners should have been told of and were not, it seems: to be handed to
    /// the notices' queue again.
    pub undelivered: Vec<NoticeTask>,
    /// Letters whose sender vanished: their outcome is now unknown for good.
    pub unknown_letters: u64,
    /// How many customers that a partner sent are active, in all of the table; once the walk came
    /// to its end.
    pub active: Option<BTreeMap<PartnerId, u32>>,
    /// Whether the walk came to the end of the table.
    pub complete: bool,
}

/// Walks on from where the last walk stopped, over at least `pages` pages or to the end.
///
/// # Errors
/// When the table does not answer; the next walk begins where this one did.
pub async fn walk<T: Table>(
    table: &T,
    pages: u32,
    now: Timestamp,
) -> Result<AuditReport, StoreError> {
    let cursor: Option<Arc<Cursor>> = table.get_row(Key::audit_cursor()).await?;
    let cursor = cursor.unwrap_or_default();
    let mut report = AuditReport::default();
    let mut active = cursor.active.clone();
    let mut current: Option<Partition> = None;
    let mut done = cursor.after.clone();
    let mut last = done.clone();
    let mut after = done.clone();
    let mut page_number = 0_u32;
    'walk: loop {
        let page = table.scan(after, PAGE).await?;
        page_number = page_number.saturating_add(1);
        for item in page.items {
            let key = item.key();
            if current
                .as_ref()
                .is_none_or(|partition| partition.name != key.partition)
            {
                if let Some(partition) = current.take() {
                    partition
                        .close(table, &mut report, &mut active, now)
                        .await?;
                    done.clone_from(&last);
                    if page_number > pages {
                        break 'walk;
                    }
                }
                current = Some(Partition::new(key.partition.clone()));
            }
            last = Some(key);
            if let Some(partition) = current.as_mut() {
                partition.observe(item, now);
            }
        }
        after = page.next;
        if after.is_none() {
            if let Some(partition) = current.take() {
                partition
                    .close(table, &mut report, &mut active, now)
                    .await?;
            }
            done = None;
            report.active = Some(std::mem::take(&mut active));
            report.complete = true;
            break;
        }
    }
    let next = Cursor {
        version: cursor.version.saturating_add(1),
        after: done,
        active,
    };
    // Two walks at once both did honest work; the faster one's place stands.
    table.replace(Arc::new(next), cursor.version).await?;
    Ok(report)
}

/// What was seen of one partition.
struct Partition {
    name: Arc<str>,
    count: u64,
    digest: Digest,
    newest: Option<Timestamp>,
    record: Option<Arc<Record>>,
    parked: Vec<Arc<Entry>>,
    letters: Vec<Arc<LetterRow>>,
    notices: UndeliveredNotices,
}

impl Partition {
    fn new(name: Arc<str>) -> Self {
        Self {
            name,
            count: 0,
            digest: Digest::default(),
            newest: None,
            record: None,
            parked: Vec::new(),
            letters: Vec::new(),
            notices: UndeliveredNotices::default(),
        }
    }

    fn observe(&mut self, item: Item, now: Timestamp) {
        match item {
            Item::Entry(_, entry) => {
                self.count = self.count.saturating_add(1);
                self.digest = self.digest.plus(entry.digest);
                self.newest = self.newest.max(Some(entry.received_at));
            }
            Item::Record(record) => self.record = Some(record),
            Item::Parked(_, entry) => self.parked.push(entry),
            Item::Letter(row) if !row.state.is_final() => self.letters.push(row),
            Item::Commission(_)
            | Item::ReferralStatus(_)
            | Item::Payout(_)
            | Item::DeliveryState(_) => {
                self.notices.observe(&item, now);
            }
            Item::Letter(_)
            | Item::Alias(..)
            | Item::Partner(_)
            | Item::Bank(_)
            | Item::TransferBatch(_)
            | Item::Report(..)
            | Item::NoticeEndpoint(_)
            | Item::Checkpoint(_)
            | Item::ClosedBucket(_)
            | Item::Cursor(_) => {}
        }
    }

    /// Counts its customer for the partner that sent it, if it is an active one.
    fn count(&self, active: &mut BTreeMap<PartnerId, u32>, now: Timestamp) {
        let record = self.record.as_ref();
        if let Some(partner) = record.and_then(|record| record.folded.state.active_for(now)) {
            let counted = active.entry(partner.clone()).or_default();
            *counted = counted.saturating_add(1);
        }
    }

    async fn close<T: Table>(
        self,
        table: &T,
        report: &mut AuditReport,
        active: &mut BTreeMap<PartnerId, u32>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.count(active, now);
        if let Some(customer) = customer_of(&self.name) {
            self.close_customer(table, &customer, report, now).await?;
        }
        if let Some(partner) = partner_of(&self.name) {
            let missed = self.notices.tasks(table, &partner, now).await?;
            report.undelivered.extend(missed);
        }
        for entry in &self.parked {
            if entry.event.is_waiting() {
                report.waiting = report.waiting.saturating_add(1);
                continue;
            }
            let quarantined = entry.event.is_unclear();
            let waits = now.duration_since(entry.received_at);
            let shared = entry.event.is_by_shared_reference();
            if quarantined {
                report.quarantined = report.quarantined.saturating_add(1);
                continue;
            }
            if shared && waits > SHARED_RETRIES {
                continue;
            }
            for customer in retry_parked(table, entry).await? {
                fold(table, &customer, vec![entry.clone()], now).await?;
                report.repaired = report.repaired.saturating_add(1);
            }
            if !shared {
                report.parked = report.parked.saturating_add(1);
                let long = u64::from(waits > OVERDUE_AFTER);
                report.parked_overdue = report.parked_overdue.saturating_add(long);
                report.parked_age = report.parked_age.max(waits);
            }
        }
        Ok(())
    }

    async fn close_customer<T: Table>(
        &self,
        table: &T,
        customer: &CustomerKey,
        report: &mut AuditReport,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        report.customers = report.customers.saturating_add(1);
        let agrees = self.record.as_ref().is_some_and(|record| {
            record.folded.digest == self.digest && record.folded.count == self.count
        });
        let owes = self.record.as_ref().is_some_and(|record| record.owes());
        if !agrees || owes {
            // The whole journal, then what is owed: one of the two may be all that is missing.
            fold(table, customer, Vec::new(), now).await?;
            replan(table, customer, now).await?;
            let waits = self.newest.map(|newest| now.duration_since(newest));
            report.pending_age = report.pending_age.max(waits.unwrap_or_default());
            report.repaired = report.repaired.saturating_add(1);
        }
        if let Some(record) = &self.record {
            let unclear = u64::from(record.folded.state.unclear);
            report.quarantined = report.quarantined.saturating_add(unclear);
        }
        for row in &self.letters {
            match &row.state {
                LetterState::Due if now.duration_since(row.due_at) > OVERDUE_AFTER => {
                    report.overdue_letters.push(row.clone());
                }
                LetterState::Claimed { claimed_at, .. }
                    if now.duration_since(*claimed_at) >= LEASE =>
                {
                    transition(table, row, LetterState::Unknown { at: now }).await?;
                    report.unknown_letters = report.unknown_letters.saturating_add(1);
                }
                LetterState::Due
                | LetterState::Claimed { .. }
                | LetterState::Sent { .. }
                | LetterState::Withdrawn { .. }
                | LetterState::Failed { .. }
                | LetterState::Unknown { .. } => {}
            }
        }
        Ok(())
    }
}
