//! A record once its pending effects were written.

use crate::digest::Digest;
use crate::ids::Reference;
use crate::record::Record;
use crate::record::effects::{Effect, MAX_PENDING, Remainder, journal_references, next_aliases};
use crate::record::entry::Entry;
use std::sync::Arc;

impl Record {
    /// This record after its pending effects were written.
    pub fn cleared(&self) -> Self {
        let version = self.version.saturating_add(1);
        let mut known_references = self.known_references.clone();
        let set = self.pending.iter().filter_map(Effect::alias);
        known_references.extend(set.map(Reference::short_hash));
        let overflow = known_references.len().saturating_sub(MAX_KNOWN_REFERENCES);
        known_references.drain(..overflow);
        Self {
            pending: Vec::new(),
            version,
            known_references,
            ..self.clone()
        }
    }

    /// This record after its pending effects were written, with the next ones that follow from its
    /// journal, where that can be said without a fold.
    pub fn cleared_with_next(&self, journal: &[Arc<Entry>]) -> Self {
        let mut next = self.cleared();
        let digest = journal.iter().map(|entry| entry.digest);
        let is_its_journal = digest.fold(Digest::default(), Digest::plus) == self.folded.digest;
        if let Some(Remainder::Aliases { after }) = &self.remainder
            && is_its_journal
        {
            let references = next.unknown(journal_references(journal));
            let (pending, remainder) = next_aliases(&references, after.as_ref(), MAX_PENDING);
            next.pending = pending;
            next.remainder = remainder;
        }
        next
    }
}

/// How many of the aliases set last a record remembers.
const MAX_KNOWN_REFERENCES: usize = 24;
