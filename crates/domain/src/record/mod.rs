//! The record: the folded state, the bookkeeping that says what was folded, and the effects that
//! follow from it.

pub mod raw_item;
pub mod explain;
pub mod journal;

use crate::digest::Digest;
use crate::event::{NormalizedEvent, Position};
use crate::ids::{CustomerKey, Reference};
use crate::letter::plan::{DueLetter, plan};
use crate::partner::ledger::{CommissionRow, Ledger};
use crate::partner::referral_status::{ReferralStatusRow, ReferralStatuses};
use crate::record::raw_item::RawItem;
use crate::state::CustomerState;
use crate::state::fold::fold_with_all_payments;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many of the entries folded last a record remembers.
pub const RING: usize = 24;

/// How many of the aliases set last a record remembers.
const MAX_KNOWN_REFERENCES: usize = 24;

/// One journal entry: the raw wire item, and the event it was normalized to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The normalized event.
    pub event: NormalizedEvent,
    /// The wire item, byte for byte. The fold does not read it.
    pub raw: RawItem,
    /// The version of the normalizer that made the event.
    pub normalizer: u16,
    /// When we received it, by our clock. The fold does not read it.
    pub received_at: Timestamp,
    /// The id of the attempt that appended it, so that a repeated append knows its own write.
    pub receipt: Arc<str>,
    /// The digest of id, raw item and normalizer version.
    pub digest: Digest,
}

impl Entry {
    /// An entry to be appended; its digest is computed here. An event that is dated outside every
    /// sane time says nothing: see [`NormalizedEvent::dated_sanely`].
    pub fn new(
        event: NormalizedEvent,
        raw: Arc<[u8]>,
        normalizer: u16,
        received_at: Timestamp,
        receipt: Arc<str>,
    ) -> Self {
        let digest = Digest::of(&event.id, &raw, normalizer);
        Self {
            event: event.dated_sanely(received_at),
            raw: raw.into(),
            normalizer,
            received_at,
            receipt,
            digest,
        }
    }
}

/// A state, and which entries it was folded from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// What the entries say.
    pub state: CustomerState,
    /// The number of entries.
    pub count: u64,
    /// The sum of their digests.
    pub digest: Digest,
    /// The position of the last entry in the order of the fold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Position>,
}

/// A customer's record. `folded` is a function of the journal alone; the rest is bookkeeping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose record it is.
    pub customer: CustomerKey,
    /// What the journal says.
    #[serde(flatten)]
    pub folded: Folded,
    /// The number of writes. Each write is conditional on the version before it.
    pub version: u64,
    /// The first 64 bits of the digests of the entries folded last, at most [`RING`] of them.
    #[serde(default)]
    pub ring: Vec<u64>,
    /// Effects that are decided but not yet known to be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Effect>,
    /// Hashes of the references whose aliases were set last; most events name the same ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_references: Vec<u64>,
    /// Letters that became due and whose window is still open. Each is decided once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub due_letters: Vec<DueLetter>,
    /// The sums of the ledger rows decided so far, for the payments in the state.
    #[serde(default, skip_serializing_if = "Ledger::is_empty")]
    pub ledger: Ledger,
    /// The referral statuses that partners were told last.
    #[serde(default, skip_serializing_if = "ReferralStatuses::is_empty")]
    pub referral_statuses: ReferralStatuses,
    /// The next moment at which something may fall due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Timestamp>,
}

/// What follows from a record: a row that is put if absent, under a key made of its cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// This reference leads to this customer.
    Alias(Reference),
    /// This letter is due.
    Letter(DueLetter),
    /// This row belongs in a partner's ledger.
    Commission(Box<CommissionRow>),
    /// This is the new status of a partner's referral.
    ReferralStatus(Box<ReferralStatusRow>),
}

/// The result of folding new entries into a record.
#[derive(Debug)]
pub enum AdvanceOutcome {
    /// The record has all of them already.
    AlreadyFolded,
    /// The whole journal must be read: one of them comes before the last folded entry or at the
    /// same time, or something else forbids folding it on top.
    ReadJournal,
    /// The record to write, if the stored version is still the one it was made from.
    Next(Box<Record>),
}

impl Record {
    /// A record before its first entry. Its version is 0, which is never stored.
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

    /// Whether the ring has an entry. `false` may also mean that it was folded long ago.
    pub fn remembers(&self, digest: Digest) -> bool {
        self.ring.contains(&digest.short())
    }

    /// Folds new entries on top, except those that the ring has. Effects are planned for `now`.
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
            let comes_last = folded.last.as_ref().is_none_or(|last| *last < position);
            if !comes_last || folded.state.must_refold(&entry.event) {
                return AdvanceOutcome::ReadJournal;
            }
            let Some(state) = std::mem::take(&mut folded.state).fold_next(&entry.event) else {
                return AdvanceOutcome::ReadJournal;
            };
            folded.state = state;
            folded.add_entry(entry);
        }
        let reconciled = self.reconcile(&folded.state, now);
        if self.version == 0 && !reconciled.effects.is_empty() {
            // An earlier record of this customer may have put rows: they must be read first.
            return AdvanceOutcome::ReadJournal;
        }
        folded.state.close_old();
        AdvanceOutcome::Next(Box::new(self.next_version(folded, &new, reconciled, now)))
    }

    /// This record with its ledger summed from the rows in the table and its pending rows. Needed
    /// before a [rebuild](Self::rebuild): the record forgets the sums of payments that left it.
    pub fn with_ledger_from_rows(&self, rows: &[CommissionRow]) -> Self {
        let stored: BTreeSet<u64> = rows.iter().map(|row| row.n).collect();
        let pending = self.pending.iter().filter_map(|effect| match effect {
            Effect::Commission(row) if !stored.contains(&row.n) => Some(&**row),
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

    /// This record with its referral statuses read from the rows in the table. It is needed only
    /// after a record was lost, because referral statuses never leave a record.
    pub fn with_statuses_from_rows(&self, rows: &[ReferralStatusRow]) -> Self {
        Self {
            referral_statuses: ReferralStatuses::from_rows(rows),
            ..self.clone()
        }
    }

    /// Folds the whole journal; `new` are the entries that led here. `None` when nothing changes.
    pub fn rebuild(
        &self,
        journal: &[Arc<Entry>],
        new: &[Arc<Entry>],
        now: Timestamp,
    ) -> Option<Self> {
        let mut folded = Folded::of_journal(journal);
        let reconciled = self.reconcile(&folded.state, now);
        folded.state.close_old();
        if folded == self.folded && reconciled.effects.is_empty() {
            return None;
        }
        let unfolded: BTreeSet<Digest> = new
            .iter()
            .map(|entry| entry.digest)
            .filter(|digest| !self.remembers(*digest))
            .collect();
        let sum = unfolded
            .iter()
            .fold(self.folded.digest, |sum, digest| sum.plus(*digest));
        // If the record and these entries make up the journal, only these are new. Else any entry
        // may be new, and every alias is set again.
        let only_these = sum == folded.digest;
        let fresh: Vec<&Entry> = journal
            .iter()
            .map(AsRef::as_ref)
            .filter(|entry| !only_these || unfolded.contains(&entry.digest))
            .collect();
        Some(self.next_version(folded, &fresh, reconciled, now))
    }

    /// Plans again at a later moment, for what has fallen due since. `None` when nothing changes.
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

    /// This record after its pending effects were written.
    pub fn cleared(&self) -> Self {
        let version = self.version.saturating_add(1);
        let mut known_references = self.known_references.clone();
        known_references.extend(self.pending.iter().filter_map(|effect| match effect {
            Effect::Alias(reference) => Some(short_hash(reference)),
            Effect::Letter(_) | Effect::Commission(_) | Effect::ReferralStatus(_) => None,
        }));
        let overflow = known_references.len().saturating_sub(MAX_KNOWN_REFERENCES);
        known_references.drain(..overflow);
        Self {
            pending: Vec::new(),
            version,
            known_references,
            ..self.clone()
        }
    }

    /// What follows for partners. The state must still have all payments that the record has
    /// balances of.
    fn reconcile(&self, state: &CustomerState, now: Timestamp) -> Reconciliation {
        let (ledger, rows) =
            self.ledger
                .reconcile(&self.customer, &state.partners, &state.payments, now);
        let (referral_statuses, changes) =
            self.referral_statuses
                .reconcile(&self.customer, &state.partners, &state.payments, now);
        let rows = rows.into_iter().map(Box::new).map(Effect::Commission);
        let changes = changes
            .into_iter()
            .map(Box::new)
            .map(Effect::ReferralStatus);
        Reconciliation {
            ledger,
            referral_statuses,
            effects: rows.chain(changes).collect(),
        }
    }

    fn next_version(
        &self,
        folded: Folded,
        fresh: &[&Entry],
        reconciled: Reconciliation,
        now: Timestamp,
    ) -> Self {
        let mut ring: Vec<u64> = fresh.iter().map(|entry| entry.digest.short()).collect();
        let keep = RING.saturating_sub(ring.len());
        let forgotten = self.ring.len().saturating_sub(keep);
        ring.splice(0..0, self.ring.iter().copied().skip(forgotten));
        let overflow = ring.len().saturating_sub(RING);
        ring.drain(..overflow);

        let mut pending = self.pending.clone();
        let mut add_effect = |effect: Effect| {
            if !pending.contains(&effect) {
                pending.push(effect);
            }
        };
        let references: BTreeSet<&Reference> = fresh
            .iter()
            .flat_map(|entry| &entry.event.references)
            .collect();
        // An alias stays once it is set: who parks an entry under it looks it up afterwards.
        references
            .into_iter()
            .filter(|reference| !self.known_references.contains(&short_hash(reference)))
            .for_each(|reference| add_effect(Effect::Alias(reference.clone())));

        reconciled.effects.into_iter().for_each(&mut add_effect);
        let planned = plan(&folded.state, now);
        let mut due_letters: Vec<DueLetter> = self
            .due_letters
            .iter()
            .filter(|letter| letter.is_timely(now))
            .cloned()
            .collect();
        for letter in planned.due {
            if !due_letters.iter().any(|other| other.is_same(&letter)) {
                due_letters.push(letter.clone());
                add_effect(Effect::Letter(letter));
            }
        }
        Self {
            customer: self.customer.clone(),
            ledger: reconciled.ledger.with_open_payments(&folded.state.payments),
            referral_statuses: reconciled.referral_statuses,
            folded,
            version: self.version.saturating_add(1),
            ring,
            pending,
            known_references: self.known_references.clone(),
            due_letters,
            next_due_at: planned.next_due_at,
        }
    }
}

/// What a fold decides for partners: the new bookkeeping, and the effects with the rows.
struct Reconciliation {
    ledger: Ledger,
    referral_statuses: ReferralStatuses,
    effects: Vec<Effect>,
}

impl Folded {
    /// The fold of a whole journal; its state keeps every payment.
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

/// The first 64 bits of a reference's hash.
fn short_hash(reference: &Reference) -> u64 {
    let hash = Sha256::digest(reference.as_str().as_bytes());
    u64::from_be_bytes(hash.first_chunk::<8>().copied().unwrap_or_default())
}
