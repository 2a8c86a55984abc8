//! A record that an older edition of the fold made.

use crate::digest::Digest;
use crate::letter::plan::{DueLetter, plan};
use crate::record::Record;
use crate::record::entry::Entry;
use crate::state::fold::fold_with_all_payments;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Record {
    /// This record with those letters remembered as decided that this edition of the fold finds
    /// due by what an older one had folded: nobody is written to because the fold is better now.
    pub(super) fn with_letters_of_old_causes(
        &self,
        journal: &[Arc<Entry>],
        unfolded: &BTreeSet<Digest>,
        now: Timestamp,
    ) -> Self {
        let mut decided = self.clone();
        if !self.folded.is_of_older_fold() {
            return decided;
        }
        let old = journal.iter().filter(|entry| {
            let position = Some(entry.event.position());
            !unfolded.contains(&entry.digest) && position <= self.folded.last
        });
        let state = fold_with_all_payments(old.map(|entry| &entry.event));
        for letter in plan(&state, now).due {
            if !decided.has_decided(&letter) {
                decided.due_letters.push(letter);
            }
        }
        decided
    }

    /// Whether a letter was decided before, for the same cause.
    fn has_decided(&self, letter: &DueLetter) -> bool {
        self.due_letters
            .iter()
            .any(|other| other.letter == letter.letter && other.cause == letter.cause)
    }
}
