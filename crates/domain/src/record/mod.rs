//! The record: the folded state, the bookkeeping that says what was folded, and the effects that
//! follow from it.

pub mod raw_item;
mod entry;
mod folded;
mod effects;
pub mod closed_objects;
pub mod checkpoint;
mod refold;
mod restored;
mod clearing;
pub mod explain;
pub mod journal;

pub use effects::{Effect, MAX_PENDING, Remainder};
pub use entry::Entry;
pub use folded::Folded;

use crate::digest::Digest;
use crate::event::NormalizedEvent;
use crate::ids::{CustomerKey, EventId, Reference};
use crate::letter::plan::{DueLetter, plan};
use crate::partner::first_payment::PersonPayments;
use crate::partner::ledger::Ledger;
use crate::partner::referral_status::ReferralStatuses;
use crate::record::effects::{journal_references, next_aliases, references};
use crate::state::CustomerState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many of the entries folded last a record remembers.
pub const RING: usize = 24;

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
    /// What has to be written after them, because it did not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remainder: Option<Remainder>,
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
    /// Whether the ids of all that left the record stand in the table's index of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed_index: bool,
    /// Of a long journal: the ids of the entries folded last; all after its checkpoint are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<EventId>,
    /// When the person first paid, as this customer announced it and heard it from the others.
    #[serde(default, skip_serializing_if = "PersonPayments::is_empty")]
    pub person_payments: PersonPayments,
    /// The next moment at which something may fall due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Timestamp>,
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
            remainder: None,
            known_references: Vec::new(),
            due_letters: Vec::new(),
            ledger: Ledger::default(),
            referral_statuses: ReferralStatuses::default(),
            closed_index: false,
            recent: Vec::new(),
            person_payments: PersonPayments::default(),
            next_due_at: None,
        }
    }

    /// Whether the ring has an entry. `false` may also mean that it was folded long ago.
    pub fn remembers(&self, digest: Digest) -> bool {
        self.ring.contains(&digest.short())
    }

    /// Whether something that follows from it still has to be put into the table.
    pub fn owes(&self) -> bool {
        !self.pending.is_empty() || self.remainder.is_some()
    }

    /// Folds new entries on top, except those that the ring has. Effects are planned for `now`.
    pub fn advance(&self, entries: &[Arc<Entry>], now: Timestamp) -> AdvanceOutcome {
        self.fold_on_top(entries, now, CustomerState::may_reach_closed)
    }

    /// The same for entries of which somebody knows that they change nothing that left the record:
    /// none of the [objects that it misses](Self::missing_objects) was ever in it.
    pub fn advance_on_top(&self, entries: &[Arc<Entry>], now: Timestamp) -> AdvanceOutcome {
        self.fold_on_top(entries, now, |_, _| false)
    }

    fn fold_on_top(
        &self,
        entries: &[Arc<Entry>],
        now: Timestamp,
        may_reach_closed: impl Fn(&CustomerState, &NormalizedEvent) -> bool,
    ) -> AdvanceOutcome {
        let mut new: Vec<&Entry> = Vec::with_capacity(entries.len());
        for entry in entries {
            if !self.remembers(entry.digest) && !new.iter().any(|n| n.digest == entry.digest) {
                new.push(entry);
            }
        }
        if new.is_empty() {
            return AdvanceOutcome::AlreadyFolded;
        }
        if self.folded.is_of_older_fold() {
            return AdvanceOutcome::ReadJournal;
        }
        new.sort_by_key(|entry| entry.event.position());
        let mut folded = self.folded.clone();
        for entry in &new {
            let position = entry.event.position();
            let comes_last = folded.last.as_ref().is_none_or(|last| *last < position);
            let state = &folded.state;
            if !comes_last || state.ties_with(&entry.event) || may_reach_closed(state, &entry.event)
            {
                return AdvanceOutcome::ReadJournal;
            }
            let Some(state) = std::mem::take(&mut folded.state).fold_next(&entry.event) else {
                return AdvanceOutcome::ReadJournal;
            };
            folded.state = state;
            folded.add_entry(entry);
        }
        match self.next_on_top(folded, &new, now) {
            Some(mut next) if self.closed_index => {
                next.recent
                    .extend(new.iter().map(|entry| entry.event.id.clone()));
                AdvanceOutcome::Next(Box::new(next))
            }
            Some(next) => AdvanceOutcome::Next(Box::new(next)),
            None => AdvanceOutcome::ReadJournal,
        }
    }

    /// The next version, with a fold in which everything is still there that this record holds.
    /// `None` where only a fold of the whole journal says what follows.
    fn next_on_top(&self, mut folded: Folded, new: &[&Entry], now: Timestamp) -> Option<Self> {
        let may_pair = folded.state.payments.may_pair_with_closed();
        if may_pair || !folded.state.earns_as(&self.folded.state) {
            return None;
        }
        let reconciled = self.reconcile(&folded.state, now, MAX_PENDING);
        if self.version == 0 && !reconciled.effects.is_empty() {
            // An earlier record of this customer may have put rows: they must be read first.
            return None;
        }
        let aliases = self.unknown(references(new.iter().copied()));
        let effects = reconciled.effects.len().saturating_add(aliases.len());
        if !reconciled.complete || effects > MAX_PENDING {
            return None;
        }
        folded.state.close_old();
        let crowded = folded.state.crowded || self.folded.state.crowded;
        if crowded || !folded.state.payments.are_the_latest() {
            return None;
        }
        let (aliases, _) = next_aliases(&aliases, None, MAX_PENDING);
        let remaining = (aliases, self.remainder.clone());
        Some(self.next_version(folded, new, reconciled, remaining, now))
    }

    /// Folds the whole journal; `new` are the entries that led here. `None` when nothing changes.
    /// Of many effects the first are pending, and the [remainder](Self::remainder) names the rest.
    pub fn rebuild(
        &self,
        journal: &[Arc<Entry>],
        new: &[Arc<Entry>],
        now: Timestamp,
    ) -> Option<Self> {
        let mut folded = Folded::of_journal(journal);
        let room = MAX_PENDING.saturating_sub(self.pending.len());
        let reconciled = self.reconcile(&folded.state, now, room);
        folded.state.close_old();
        if folded == self.folded && reconciled.effects.is_empty() && self.remainder.is_none() {
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
        let room = room.saturating_sub(reconciled.effects.len());
        let new = || fresh.iter().filter(|e| unfolded.contains(&e.digest));
        let remaining = match (reconciled.complete, &self.remainder) {
            (false, _) => (Vec::new(), Some(Remainder::Rows)),
            (true, None) => {
                next_aliases(&self.unknown(references(fresh.iter().copied())), None, room)
            }
            (true, Some(Remainder::Aliases { after: Some(after) })) if only_these => {
                // Those of the new entries that stand before it, and the next ones after it.
                let mut passed = self.unknown(references(new().copied()));
                passed.retain(|reference| *reference <= after);
                let all = self.unknown(journal_references(journal));
                let (mut aliases, remainder) = next_aliases(&all, Some(after), room);
                aliases.extend(next_aliases(&passed, None, usize::MAX).0);
                (aliases, remainder)
            }
            (true, Some(Remainder::Rows | Remainder::Aliases { .. })) => {
                next_aliases(&self.unknown(journal_references(journal)), None, room)
            }
        };
        let decided = self.with_letters_of_old_causes(journal, &unfolded, now);
        let next = decided.next_version(folded, &fresh, reconciled, remaining, now);
        // Who keeps a checkpoint of this journal says what follows it.
        let recent = Vec::new();
        Some(Self { recent, ..next })
    }

    /// Those of these references whose aliases were not set lately.
    fn unknown<'a>(&self, mut references: BTreeSet<&'a Reference>) -> BTreeSet<&'a Reference> {
        // An alias stays once it is set: who parks an entry under it looks it up afterwards.
        references.retain(|reference| !self.known_references.contains(&reference.short_hash()));
        references
    }

    /// Plans again at a later moment, for what has fallen due since. `None` when nothing changes.
    pub fn replan(&self, now: Timestamp) -> Option<Self> {
        let unchanged = Reconciliation {
            ledger: self.ledger.clone(),
            referral_statuses: self.referral_statuses.clone(),
            person_payments: self.person_payments.clone(),
            effects: Vec::new(),
            complete: true,
        };
        let remaining = (Vec::new(), self.remainder.clone());
        let next = self.next_version(self.folded.clone(), &[], unchanged, remaining, now);
        let same = next.pending == self.pending && next.next_due_at == self.next_due_at;
        (!same).then_some(next)
    }

    /// What follows for partners, with room for so many ledger rows. The state must still have all
    /// payments that the record has balances of.
    fn reconcile(&self, state: &CustomerState, now: Timestamp, room: usize) -> Reconciliation {
        let (partners, payments) = (&state.partners, &state.payments);
        let (person_payments, announced) = self.person_payments.reconcile(partners, payments, now);
        let of_partners = (partners, payments);
        let (ledger, rows, complete) =
            self.ledger
                .reconcile(&self.customer, of_partners, &person_payments, now, room);
        let (referral_statuses, changes) =
            self.referral_statuses
                .reconcile(&self.customer, partners, payments, now);
        let announced = announced.map(Box::new).map(Effect::FirstPayment);
        let rows = rows.into_iter().map(Box::new).map(Effect::Commission);
        let changes = changes
            .into_iter()
            .map(Box::new)
            .map(Effect::ReferralStatus);
        Reconciliation {
            ledger,
            referral_statuses,
            person_payments,
            effects: rows.chain(changes).chain(announced).collect(),
            complete,
        }
    }

    fn next_version(
        &self,
        folded: Folded,
        fresh: &[&Entry],
        reconciled: Reconciliation,
        (aliases, remainder): (Vec<Effect>, Option<Remainder>),
        now: Timestamp,
    ) -> Self {
        let mut ring: Vec<u64> = fresh.iter().map(|entry| entry.digest.short()).collect();
        let keep = RING.saturating_sub(ring.len());
        let forgotten = self.ring.len().saturating_sub(keep);
        ring.splice(0..0, self.ring.iter().copied().skip(forgotten));
        let overflow = ring.len().saturating_sub(RING);
        ring.drain(..overflow);

        let is_new = |effect: &Effect| !self.pending.contains(effect);
        let mut pending = self.pending.clone();
        pending.extend(aliases.into_iter().chain(reconciled.effects).filter(is_new));
        if !fresh.is_empty() {
            let owners = folded.state.identified_as.iter().cloned();
            pending.extend(owners.map(Effect::HandOver).filter(is_new));
        }
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
                pending.extend(Some(Effect::Letter(letter)).filter(is_new));
            }
        }
        Self {
            customer: self.customer.clone(),
            ledger: reconciled.ledger.with_open_payments(&folded.state.payments),
            referral_statuses: reconciled.referral_statuses,
            person_payments: reconciled.person_payments,
            folded,
            version: self.version.saturating_add(1),
            ring,
            pending,
            remainder,
            known_references: self.known_references.clone(),
            due_letters,
            closed_index: self.closed_index,
            recent: self.recent.clone(),
            next_due_at: planned.next_due_at,
        }
    }
}

/// What a fold decides for partners: the new bookkeeping, and the effects with the rows.
struct Reconciliation {
    ledger: Ledger,
    referral_statuses: ReferralStatuses,
    person_payments: PersonPayments,
    effects: Vec<Effect>,
    /// Whether no row of a ledger is missing any more.
    complete: bool,
}
