//! One partition as the audit meets it: what was seen of it, and what is done about that.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::{addressee_of, customer_of, reference_of};
use crate::items::unreadable::UnreadableItem;
use crate::journal::append::{move_parked, retry_parked};
use crate::journal::audit_report::AuditReport;
use crate::journal::folding::{FoldStatus, fold, replan};
use crate::letters::claim::transition;
use crate::letters::row::{LEASE, LetterRow, LetterState};
use crate::partner::undelivered_notices::UndeliveredNotices;
use crate::port::Table;
use crate::usage::parked_usage::ParkedUsage;
use crate::usage::parking::hand_over_usage;
use domain::digest::Digest;
use domain::event::About;
use domain::ids::{CustomerKey, PartnerId, Reference};
use domain::record::{Entry, Record};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What waits longer than this is named, and tried again.
pub const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Entries under shared references (a person, a code) are offered again to the customers
/// behind them for this long; later than that only a new customer brings them out.
const SHARED_RETRIES: SignedDuration = SignedDuration::from_hours(72);

/// What was seen of one partition.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) name: Arc<str>,
    count: u64,
    digest: Digest,
    newest: Option<Timestamp>,
    record: Option<Arc<Record>>,
    parked: Vec<Arc<Entry>>,
    parked_usage: Vec<Arc<ParkedUsage>>,
    letters: Vec<Arc<LetterRow>>,
    notices: UndeliveredNotices,
    /// The first item that can't be read.
    unreadable: Option<Arc<UnreadableItem>>,
}

impl Partition {
    pub(crate) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            count: 0,
            digest: Digest::default(),
            newest: None,
            record: None,
            parked: Vec::new(),
            parked_usage: Vec::new(),
            letters: Vec::new(),
            notices: UndeliveredNotices::default(),
            unreadable: None,
        }
    }

    pub(crate) fn observe(&mut self, item: Item, now: Timestamp) {
        match item {
            Item::Entry(_, entry) => {
                self.count = self.count.saturating_add(1);
                self.digest = self.digest.plus(entry.digest);
                self.newest = self.newest.max(Some(entry.received_at));
            }
            Item::Record(record) => self.record = Some(record),
            Item::Parked(_, entry) => self.parked.push(entry),
            Item::ParkedUsage(row) => self.parked_usage.push(row),
            Item::Letter(row) if !row.state.is_final() => self.letters.push(row),
            Item::Commission(_)
            | Item::ReferralStatus(_)
            | Item::Payout(_)
            | Item::ShopNotice(_)
            | Item::DeliveryState(_) => {
                self.notices.observe(&item, now);
            }
            Item::Unreadable(item) => self.unreadable = self.unreadable.take().or(Some(item)),
            Item::Letter(_)
            | Item::Alias(..)
            | Item::FanOut(_)
            | Item::FirstPayment(_)
            | Item::Partner(_)
            | Item::Bank(_)
            | Item::TransferBatch(_)
            | Item::Report(..)
            | Item::NoticeEndpoint(_)
            | Item::Checkpoint(_)
            | Item::ClosedBucket(_)
            | Item::UsagePage(_)
            | Item::ShopKey(_)
            | Item::Root(_)
            | Item::Cursor(_) => {}
        }
    }

    /// Does what is to be done. What fails is noted, and the rest is done.
    ///
    /// # Errors
    /// When the table fails too often in a row.
    pub(crate) async fn close<T: Table>(
        mut self,
        table: &T,
        found: &mut AuditReport,
        active: &mut BTreeMap<PartnerId, u32>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.count_active(active, now);
        let name = self.name.clone();
        if let Some(customer) = customer_of(&name) {
            let done = self.close_customer(table, &customer, found, now).await;
            // One line for each customer: what can't be read is why its work failed.
            let unreadable = self
                .unreadable
                .take()
                .map_or(Ok(()), |item| Err(item.error()));
            found.passed_over.note(&name, unreadable.and(done))?;
        }
        if let Some(addressee) = addressee_of(&name) {
            let notices = std::mem::take(&mut self.notices);
            let missed = notices.tasks(table, &addressee, now).await;
            let missed = missed.map(|missed| found.undelivered.extend(missed));
            found
                .passed_over
                .note(&name, missed.map(|()| FoldStatus::Done))?;
        }
        for entry in &self.parked {
            let done = match misplaced(&name, entry) {
                Some(reference) => move_and_fold(table, &reference, entry, found, now).await,
                None => offer(table, entry, found, now).await,
            };
            found.passed_over.note(&name, done)?;
        }
        for row in &self.parked_usage {
            let done = hand_over_usage(table, row).await;
            found
                .passed_over
                .note(&name, done.map(|_| FoldStatus::Done))?;
        }
        if let Some(item) = self.unreadable {
            found.passed_over.note(&name, Err(item.error()))?;
        }
        Ok(())
    }

    /// Counts its customer for the partner that sent it, if it is an active one.
    fn count_active(&self, active: &mut BTreeMap<PartnerId, u32>, now: Timestamp) {
        let record = self.record.as_ref();
        if let Some(partner) = record.and_then(|record| record.folded.state.active_for(now)) {
            let counted = active.entry(partner.clone()).or_default();
            *counted = counted.saturating_add(1);
        }
    }

    async fn close_customer<T: Table>(
        &self,
        table: &T,
        customer: &CustomerKey,
        found: &mut AuditReport,
        now: Timestamp,
    ) -> Result<FoldStatus, StoreError> {
        found.customers = found.customers.saturating_add(1);
        let agrees = self.record.as_ref().is_some_and(|record| {
            record.folded.digest == self.digest && record.folded.count == self.count
        });
        let owes = self.record.as_ref().is_some_and(|record| record.owes());
        if let Some(record) = &self.record {
            let unclear = u64::from(record.folded.state.unclear);
            found.quarantined = found.quarantined.saturating_add(unclear);
        }
        self.settle_letters(table, found, now).await?;
        let is_of_older_fold = self
            .record
            .as_ref()
            .is_some_and(|record| record.folded.is_of_older_fold());
        if agrees && !owes {
            if !is_of_older_fold {
                return Ok(FoldStatus::Done);
            }
            // Nothing was left undone: the fold is better now.
            found.refolded = found.refolded.saturating_add(1);
            return fold(table, customer, Vec::new(), now).await;
        }
        // The whole journal, then what is owed: one of the two may be all that is missing.
        let folded = fold(table, customer, Vec::new(), now).await?;
        let planned = replan(table, customer, now).await?;
        let waits = self.newest.map(|newest| now.duration_since(newest));
        found.pending_age = found.pending_age.max(waits.unwrap_or_default());
        found.repaired = found.repaired.saturating_add(1);
        Ok(match folded {
            FoldStatus::Done => planned,
            FoldStatus::Contended | FoldStatus::Panicked => folded,
        })
    }

    /// Names letters that stayed due, and ends claims whose sender vanished.
    async fn settle_letters<T: Table>(
        &self,
        table: &T,
        found: &mut AuditReport,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for row in &self.letters {
            match &row.state {
                LetterState::Due if now.duration_since(row.due_at) > OVERDUE_AFTER => {
                    found.overdue_letters.push(row.clone());
                }
                LetterState::Claimed { claimed_at, .. }
                    if now.duration_since(*claimed_at) >= LEASE =>
                {
                    transition(table, row, LetterState::Unknown { at: now }).await?;
                    found.unknown_letters = found.unknown_letters.saturating_add(1);
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

/// The reference under which an entry is parked, if it does not name it: an earlier version
/// spelled it otherwise.
fn misplaced(partition: &str, entry: &Entry) -> Option<Reference> {
    let reference = reference_of(partition)?;
    let is_named = match &entry.event.about {
        About::Customer(_) => true,
        About::ByReference(named) => named.contains(&reference),
    };
    (!is_named).then_some(reference)
}

async fn move_and_fold<T: Table>(
    table: &T,
    reference: &Reference,
    entry: &Arc<Entry>,
    found: &mut AuditReport,
    now: Timestamp,
) -> Result<FoldStatus, StoreError> {
    let fresh = move_parked(table, reference, entry).await?;
    fold_all(table, fresh, entry, found, now).await
}

/// Offers a parked entry to whom its references lead to by now.
async fn offer<T: Table>(
    table: &T,
    entry: &Arc<Entry>,
    found: &mut AuditReport,
    now: Timestamp,
) -> Result<FoldStatus, StoreError> {
    if entry.event.is_waiting() {
        found.waiting = found.waiting.saturating_add(1);
        return Ok(FoldStatus::Done);
    }
    // What is unclear in part says the rest, so it is offered too.
    let unclear = entry.event.is_unclear();
    found.quarantined = found.quarantined.saturating_add(unclear.into());
    let waits = now.duration_since(entry.received_at);
    let shared = entry.event.is_by_shared_reference();
    if shared && waits > SHARED_RETRIES {
        return Ok(FoldStatus::Done);
    }
    if !shared && !unclear {
        found.parked = found.parked.saturating_add(1);
        let long = u64::from(waits > OVERDUE_AFTER);
        found.parked_overdue = found.parked_overdue.saturating_add(long);
        found.parked_age = found.parked_age.max(waits);
    }
    let fresh = retry_parked(table, entry).await?;
    fold_all(table, fresh, entry, found, now).await
}

/// Folds an entry into the records of those to whose journals it was new.
async fn fold_all<T: Table>(
    table: &T,
    fresh: Vec<CustomerKey>,
    entry: &Arc<Entry>,
    found: &mut AuditReport,
    now: Timestamp,
) -> Result<FoldStatus, StoreError> {
    let mut status = FoldStatus::Done;
    for customer in fresh {
        let folded = fold(table, &customer, vec![entry.clone()], now).await?;
        found.repaired = found.repaired.saturating_add(1);
        if folded != FoldStatus::Done {
            status = folded;
        }
    }
    Ok(status)
}
