//! The record: folded state, the books that prove what was folded, and what follows from it.

pub mod explain;
pub mod journal;

use crate::digest::Digest;
use crate::event::{NormalizedEvent, Position};
use crate::ids::{CustomerKey, Reference};
use crate::letter::plan::{DueLetter, plan};
use crate::partner::ledger::{CommissionRow, Ledger};
use crate::partner::referral_status::{ReferralStatusRow, ReferralStatuses};
use crate::state::CustomerState;
use crate::state::fold::fold_with_all_payments;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// How many of the last folded entries a record remembers by heart.
pub const RING: usize = 24;

/// How many references a record remembers to have set.
const MAX_KNOWN_REFERENCES: usize = 24;

/// One journal entry: the raw wire item as it came, and the event normalized from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it says.
    pub event: NormalizedEvent,
    /// The wire item, byte for byte.
    pub raw: Arc<[u8]>,
    /// Version of the normalizer that made the event.
    pub normalizer: u16,
    /// When we received it, by our clock; for people, never for the fold.
    pub received_at: Timestamp,
    /// Whose append this was, so that a repeated append knows its own earlier one.
    pub receipt: Arc<str>,
    /// Identity of raw item and normalized event together.
    pub digest: Digest,
}

impl Entry {
    /// An entry as it is about to be appended.
    pub fn new(
        event: NormalizedEvent,
        raw: Arc<[u8]>,
        normalizer: u16,
        received_at: Timestamp,
        receipt: Arc<str>,
    ) -> Self {
        let digest = Digest::of(&event.id, &raw, normalizer);
        Self {
            event,
            raw,
            normalizer,
            received_at,
            receipt,
            digest,
        }
    }
}

/// Which entries a state was folded from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// What they say.
    pub state: CustomerState,
    /// How many.
    pub count: u64,
    /// Their digests' sum.
    pub digest: Digest,
    /// The last of them in the order of the fold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Position>,
}

/// A customer's record. `folded` is a function of the journal alone; the rest is bookkeeping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The customer whose record it is.
    pub customer: CustomerKey,
    /// What the journal says.
    #[serde(flatten)]
    pub folded: Folded,
    /// Counts writes; the condition of each is the one before.
    pub version: u64,
    /// The entries folded last, in short form.
    #[serde(default)]
    pub ring: Vec<u64>,
    /// Decided, not yet known to be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Effect>,
    /// The references set last, in short form: most events name the same ones again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_references: Vec<u64>,
    /// Letters decided whose window is still open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub due_letters: Vec<DueLetter>,
    /// What the rows decided so far come to, for the payments in the state.
    #[serde(default, skip_serializing_if = "Ledger::is_empty")]
    pub ledger: Ledger,
    /// What partners were told of their reports.
    #[serde(default, skip_serializing_if = "ReferralStatuses::is_empty")]
    pub referral_statuses: ReferralStatuses,
    /// When something may fall due next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Timestamp>,
}

/// What follows from a record: each a row that is put if absent, under a key made of its cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// This reference leads here.
    Alias(Reference),
    /// This letter is owed.
    Letter(DueLetter),
    /// This row belongs in a partner's ledger.
    Commission(Box<CommissionRow>),
    /// This is how a partner's report stands.
    ReferralStatus(Box<ReferralStatusRow>),
}

/// What folding new entries into a record comes to.
#[derive(Debug)]
pub enum AdvanceOutcome {
    /// All of them are in it already.
    AlreadyFolded,
    /// One of them is older than what was folded, or ties with it: read the journal.
    ReadJournal,
    /// The record as it should be written, if its version is still the one it came from.
    Next(Box<Record>),
}

impl Record {
    /// A record before its first entry; version 0 is never stored.
    pub fn new(customer: CustomerKey) -> Self {
        Self {
            customer,
            folded: Folded::default(),
            version: 0,
            ring: Vec::new(),
            pending: Vec::new(),
            known_references: Vec::new(),
            due_letters: Vec::new(),
            ledger: Ledger::default(),
            referral_statuses: ReferralStatuses::default(),
            next_due_at: None,
        }
    }

    /// Whether an entry is known to be in it. "No" may mean that it was long ago.
    pub fn remembers(&self, digest: Digest) -> bool {
        self.ring.contains(&digest.short())
    }

    /// Folds entries that, as far as we know, are all there is besides what is in it.
    pub fn advance(&self, entries: &[Arc<Entry>], now: Timestamp) -> AdvanceOutcome {
        let mut new: Vec<&Entry> = Vec::with_capacity(entries.len());
        for entry in entries {
            if !self.remembers(entry.digest) && !new.iter().any(|n| n.digest == entry.digest) {
                new.push(entry);
            }
        }
        if new.is_empty() {
            return AdvanceOutcome::AlreadyFolded;
        }
        new.sort_by_key(|entry| entry.event.position());
        let mut folded = self.folded.clone();
        for entry in &new {
            let position = entry.event.position();
            let stands_last = folded.last.as_ref().is_none_or(|last| *last < position);
            if !stands_last || folded.state.must_refold(&entry.event) {
                return AdvanceOutcome::ReadJournal;
            }
            let Some(state) = std::mem::take(&mut folded.state).fold_next(&entry.event) else {
                return AdvanceOutcome::ReadJournal;
            };
            folded.state = state;
            folded.add_entry(entry);
        }
        let settled = self.reconcile(&folded.state, now);
        if self.version == 0 && !settled.effects.is_empty() {
            // Rows of an earlier record of this customer may stand: they must be read first.
            return AdvanceOutcome::ReadJournal;
        }
        folded.state.close_old();
        AdvanceOutcome::Next(Box::new(self.next_version(folded, &new, settled, now)))
    }

    /// This record with its ledger as the rows in the table and its own pending ones make it:
    /// before it is [rebuilt](Self::rebuild), since it forgets what payments earned that left it.
    pub fn with_ledger_from_rows(&self, rows: &[CommissionRow]) -> Self {
        let known: HashSet<u64> = rows.iter().map(|row| row.n).collect();
        let pending = self.pending.iter().filter_map(|effect| match effect {
            Effect::Commission(row) if !known.contains(&row.n) => Some(&**row),
            Effect::Commission(_)
            | Effect::ReferralStatus(_)
            | Effect::Alias(_)
            | Effect::Letter(_) => None,
        });
        let mut ledger = Ledger::from_rows(rows.iter().chain(pending));
        ledger.next_number = ledger.next_number.max(self.ledger.next_number);
        Self {
            ledger,
            ..self.clone()
        }
    }

    /// This record as the rows in the table remember it, where it was lost: what partners were told
    /// never leaves a record otherwise.
    pub fn with_statuses_from_rows(&self, rows: &[ReferralStatusRow]) -> Self {
        Self {
            referral_statuses: ReferralStatuses::from_rows(rows),
            ..self.clone()
        }
    }

    /// Folds the whole journal. None when the record already says just that.
    pub fn rebuild(
        &self,
        journal: &[Arc<Entry>],
        new: &[Arc<Entry>],
        now: Timestamp,
    ) -> Option<Self> {
        let mut folded = Folded::of_journal(journal);
        let settled = self.reconcile(&folded.state, now);
        folded.state.close_old();
        if folded == self.folded && settled.effects.is_empty() {
            return None;
        }
        let unseen: BTreeSet<Digest> = new
            .iter()
            .map(|entry| entry.digest)
            .filter(|digest| !self.remembers(*digest))
            .collect();
        let sum = unseen
            .iter()
            .fold(self.folded.digest, |sum, digest| sum.plus(*digest));
        // If the record and these make up the journal, only these are new to it; else anything
        // may be, and every reference is set again.
        let only_these = sum == folded.digest;
        let fresh: Vec<&Entry> = journal
            .iter()
            .map(AsRef::as_ref)
            .filter(|entry| !only_these || unseen.contains(&entry.digest))
            .collect();
        Some(self.next_version(folded, &fresh, settled, now))
    }

    /// Plans again at a later moment: what has fallen due since. None if nothing changes.
    pub fn replan(&self, now: Timestamp) -> Option<Self> {
        let unchanged = Reconciliation {
            ledger: self.ledger.clone(),
            referral_statuses: self.referral_statuses.clone(),
            effects: Vec::new(),
        };
        let next = self.next_version(self.folded.clone(), &[], unchanged, now);
        let same = next.pending == self.pending && next.next_due_at == self.next_due_at;
        (!same).then_some(next)
    }

    /// The record once its pending effects have been written.
    pub fn cleared(&self) -> Self {
        let version = self.version.saturating_add(1);
        let mut known_by = self.known_references.clone();
        known_by.extend(self.pending.iter().filter_map(|effect| match effect {
            Effect::Alias(reference) => Some(short_hash(reference)),
            Effect::Letter(_) | Effect::Commission(_) | Effect::ReferralStatus(_) => None,
        }));
        let overflow = known_by.len().saturating_sub(MAX_KNOWN_REFERENCES);
        known_by.drain(..overflow);
        Self {
            pending: Vec::new(),
            version,
            known_references: known_by,
            ..self.clone()
        }
    }

    /// What follows for partners from a state that has all payments the record has lines of.
    fn reconcile(&self, state: &CustomerState, now: Timestamp) -> Reconciliation {
        let (ledger, rows) =
            self.ledger
                .reconcile(&self.customer, &state.partners, &state.payments, now);
        let (statuses, status_rows) =
            self.referral_statuses
                .reconcile(&self.customer, &state.partners, &state.payments, now);
        let rows = rows.into_iter().map(Box::new).map(Effect::Commission);
        let status_rows = status_rows
            .into_iter()
            .map(Box::new)
            .map(Effect::ReferralStatus);
        Reconciliation {
            ledger,
            referral_statuses: statuses,
            effects: rows.chain(status_rows).collect(),
        }
    }

    fn next_version(
        &self,
        folded: Folded,
        fresh: &[&Entry],
        settled: Reconciliation,
        now: Timestamp,
    ) -> Self {
        let mut ring: Vec<u64> = fresh.iter().map(|entry| entry.digest.short()).collect();
        let keep = RING.saturating_sub(ring.len());
        let forgotten = self.ring.len().saturating_sub(keep);
        ring.splice(0..0, self.ring.iter().copied().skip(forgotten));
        let overflow = ring.len().saturating_sub(RING);
        ring.drain(..overflow);

        let mut pending = self.pending.clone();
        let mut owe = |effect: Effect| {
            if !pending.contains(&effect) {
                pending.push(effect);
            }
        };
        let references: BTreeSet<&Reference> = fresh
            .iter()
            .flat_map(|entry| &entry.event.references)
            .collect();
        // What is set stays set, and whoever parks an entry under it looks it up afterwards.
        references
            .into_iter()
            .filter(|reference| !self.known_references.contains(&short_hash(reference)))
            .for_each(|reference| owe(Effect::Alias(reference.clone())));

        settled.effects.into_iter().for_each(&mut owe);
        let planned = plan(&folded.state, now);
        let mut decided: Vec<DueLetter> = self
            .due_letters
            .iter()
            .filter(|decided| decided.is_timely(now))
            .cloned()
            .collect();
        for due in planned.due {
            if !decided
                .iter()
                .any(|d| d.letter == due.letter && d.cause == due.cause)
            {
                decided.push(due.clone());
                owe(Effect::Letter(due));
            }
        }
        Self {
            customer: self.customer.clone(),
            ledger: settled.ledger.with_open_payments(&folded.state.payments),
            referral_statuses: settled.referral_statuses,
            folded,
            version: self.version.saturating_add(1),
            ring,
            pending,
            known_references: self.known_references.clone(),
            due_letters: decided,
            next_due_at: planned.next_due_at,
        }
    }
}

/// What a fold decides for partners: rows, and the books with them.
struct Reconciliation {
    ledger: Ledger,
    referral_statuses: ReferralStatuses,
    effects: Vec<Effect>,
}

impl Folded {
    /// Of a whole journal, with every payment there ever was.
    fn of_journal(journal: &[Arc<Entry>]) -> Self {
        let mut folded = Self::default();
        for entry in journal {
            folded.add_entry(entry);
        }
        folded.state = fold_with_all_payments(journal.iter().map(|entry| &entry.event));
        folded
    }

    fn add_entry(&mut self, entry: &Entry) {
        self.count = self.count.saturating_add(1);
        self.digest = self.digest.plus(entry.digest);
        let position = entry.event.position();
        if self.last.as_ref().is_none_or(|last| *last < position) {
            self.last = Some(position);
        }
    }
}

/// Short form of a reference.
fn short_hash(reference: &Reference) -> u64 {
    let hash = Sha256::digest(reference.as_str().as_bytes());
    u64::from_be_bytes(hash.first_chunk::<8>().copied().unwrap_or_default())
}
