//! From where a long journal is folded again: the fold of all but its last entries. An event that
//! comes seconds late costs a fold of these, and not of years.

use crate::digest::Digest;
use crate::event::NormalizedEvent;
use crate::ids::{CustomerKey, EventId, ObjectId};
use crate::record::Record;
use crate::record::closed_objects::objects_of;
use crate::record::entry::Entry;
use crate::record::folded::Folded;
use crate::state::fold::fold;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many of the entries folded last a record of a long journal names at most.
pub const MAX_RECENT: usize = 48;

/// How many entries a new checkpoint leaves to be folded after it, at least.
const KEPT_RECENT: usize = 16;

/// The fold of the entries of a journal up to a moment. It is a cache: without it, or where it does
/// not belong to the record, the journal is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Whose journal.
    pub customer: CustomerKey,
    /// What these entries say.
    #[serde(flatten)]
    pub folded: Folded,
    /// Counts writes.
    pub version: u64,
}

/// A record that was folded from a checkpoint on.
#[derive(Debug)]
pub struct FoldedTail {
    /// The record to write if none of the objects in `missing` ever left the record.
    pub next: Record,
    /// The objects that the new entries name, and that neither the checkpoint nor its tail has.
    pub missing: BTreeSet<ObjectId>,
    /// A later checkpoint, where many entries follow the one that was read.
    pub checkpoint: Option<Folded>,
}

impl Record {
    /// The checkpoint of a journal, and the ids of the entries that follow it. `None` where events
    /// of one moment are too many, where the last ones touch what had left the record before them,
    /// or a partner earns on the customer.
    pub fn checkpoint(journal: &[Arc<Entry>]) -> Option<(Folded, Vec<EventId>)> {
        let mut sorted: Vec<&Arc<Entry>> = journal.iter().collect();
        sorted.sort_by_cached_key(|entry| entry.event.position());
        let (before, after) = split(&sorted)?;
        let folded = Folded::of(before.iter().map(|entry| &***entry));
        if !folded.state.partners.is_without_terms() {
            return None;
        }
        let mut left: BTreeSet<&ObjectId> = objects_of(before.iter().copied(), false);
        folded.held().for_each(|held| {
            left.remove(held);
        });
        let tail = objects_of(after.iter().copied(), true);
        let ids = after.iter().map(|entry| entry.event.id.clone()).collect();
        tail.is_disjoint(&left).then_some((folded, ids))
    }

    /// Folds new entries into the place that is theirs, after a checkpoint. `recent` are the
    /// entries folded [last](Self::recent). `None` where the whole journal must be read: the
    /// checkpoint is not this record's, an entry comes before it, or a partner earns on this
    /// customer.
    pub fn fold_tail(
        &self,
        checkpoint: &Folded,
        recent: &[Arc<Entry>],
        new: &[Arc<Entry>],
        now: jiff::Timestamp,
    ) -> Option<FoldedTail> {
        let mut both = [checkpoint, &self.folded].into_iter();
        if both.any(|folded| folded.is_of_older_fold() || folded.is_of_newer_fold()) {
            return None;
        }
        let from = checkpoint.last.as_ref()?;
        let follows = |entry: &&Arc<Entry>| entry.event.occurred_at > from.at;
        let tail: Vec<&Arc<Entry>> = recent.iter().filter(follows).collect();
        let sum = |digest: Digest, entry: &&Arc<Entry>| digest.plus(entry.digest);
        let is_mine = tail.iter().fold(checkpoint.digest, sum) == self.folded.digest;
        let known: BTreeSet<Digest> = tail.iter().map(|entry| entry.digest).collect();
        let new: Vec<&Arc<Entry>> = new
            .iter()
            .filter(|entry| !known.contains(&entry.digest) && !self.remembers(entry.digest))
            .collect();
        if !is_mine || !new.iter().all(follows) {
            return None;
        }
        let mut all: Vec<&Arc<Entry>> = tail.iter().chain(&new).copied().collect();
        all.sort_by_cached_key(|entry| entry.event.position());
        all.dedup_by(|a, b| a.event.id == b.event.id);
        let folded = checkpoint.with_entries(&all)?;
        let earns = !folded.state.partners.is_without_terms() || !self.ledger.is_empty();
        if new.is_empty() || earns {
            return None;
        }
        let mut missing = objects_of(new.iter().copied(), true);
        let of_tail = objects_of(tail.iter().copied(), false);
        checkpoint.held().chain(of_tail).for_each(|known| {
            missing.remove(known);
        });
        let missing = missing.into_iter().cloned().collect();
        let later = (all.len() > MAX_RECENT.saturating_sub(KEPT_RECENT))
            .then(|| later_checkpoint(checkpoint, &all))
            .flatten();
        let fresh: Vec<&Entry> = new.iter().map(|entry| &***entry).collect();
        let mut next = self.next_on_top(folded, &fresh, now)?;
        next.recent = later.as_ref().map_or_else(
            || all.iter().map(|entry| entry.event.id.clone()).collect(),
            |(_, recent)| recent.clone(),
        );
        let fits = next.recent.len() <= MAX_RECENT;
        fits.then(|| FoldedTail {
            next,
            missing,
            checkpoint: later.map(|(folded, _)| folded),
        })
    }
}

/// A checkpoint further on, where the entries after it touch nothing that has left by then.
fn later_checkpoint(checkpoint: &Folded, sorted: &[&Arc<Entry>]) -> Option<(Folded, Vec<EventId>)> {
    let (before, after) = split(sorted)?;
    let mut folded = checkpoint.with_entries(before)?;
    let mut left = objects_of(before.iter().copied(), false);
    left.extend(checkpoint.held());
    folded.state.close_old();
    folded.held().for_each(|held| {
        left.remove(held);
    });
    let tail = objects_of(after.iter().copied(), true);
    let ids = after.iter().map(|entry| entry.event.id.clone()).collect();
    let state = &folded.state;
    let stands = !state.crowded && state.payments.are_the_latest() && tail.is_disjoint(&left);
    stands.then_some((folded, ids))
}

/// Entries in the order of the fold.
type Sorted<'a, 'b> = &'a [&'b Arc<Entry>];

/// The entries up to a checkpoint and those after it. Entries of one moment stay together.
fn split<'a, 'b>(sorted: Sorted<'a, 'b>) -> Option<(Sorted<'a, 'b>, Sorted<'a, 'b>)> {
    let at = |entry: &&Arc<Entry>| entry.event.occurred_at;
    let kept = sorted.len().checked_sub(KEPT_RECENT)?;
    let moment = sorted.get(kept).map(at)?;
    let (before, after) = sorted.split_at(sorted.partition_point(|entry| at(entry) < moment));
    (!before.is_empty() && after.len() <= MAX_RECENT).then_some((before, after))
}

impl Folded {
    /// The fold of these entries, without what leaves the record.
    fn of<'a>(entries: impl Iterator<Item = &'a Entry> + Clone) -> Self {
        let mut folded = Self::default();
        entries.clone().for_each(|entry| folded.add_entry(entry));
        folded.state = fold(entries.map(|entry| &entry.event));
        folded
    }

    /// This fold with more entries, sorted, which all come after its own. What leaves the record is
    /// still there. `None` when one panics.
    fn with_entries(&self, sorted: &[&Arc<Entry>]) -> Option<Self> {
        let mut folded = self.clone();
        let same_moment =
            |a: &&Arc<Entry>, b: &&Arc<Entry>| a.event.occurred_at == b.event.occurred_at;
        for moment in sorted.chunk_by(same_moment) {
            let events: Vec<&NormalizedEvent> = moment.iter().map(|entry| &entry.event).collect();
            folded.state = folded.state.with_events(&events)?;
            moment.iter().for_each(|entry| folded.add_entry(entry));
        }
        Some(folded)
    }
}
