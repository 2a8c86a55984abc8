//! The providers' own APIs: they answer, are silent, answer late, or tell of a later moment than
//! they are asked about. What waits for them is completed by `calendar`.

use super::faults::Fault;
use super::handlers;
use super::happening::MINUTE;
use super::port::Wanted;
use super::told::{NORMALIZER, Silent};
use super::weather::Fate;
use super::world::{Happening, Role, World};
use domain::ids::Reference;
use domain::record::Entry;
use jiff::Timestamp;
use std::sync::Arc;
use store::Item;
use store::items::{PARKED, reference_partition};

impl World<'_> {
    /// What becomes of a question to an API, and when.
    pub(super) fn fate_of_api(&mut self, kind: u64, delay: &mut i64) -> Fate {
        match kind {
            0..15 => self.fate_if(Fault::CrashElsewhere, Fate::CrashBefore),
            15..55 => self.fate_if(Fault::ApiSilent, Fate::Lost),
            55..80 => {
                // As long as a door waits for it, and then some.
                let long = self.rng.between(1_000, 90_000);
                if self.strikes(Fault::ApiSlow, true) {
                    *delay += long;
                }
                Fate::Fine
            }
            _ => self.fate_if(Fault::ApiAhead, Fate::Ahead),
        }
    }

    /// What is to be journaled by what an API says now.
    pub(super) fn enrich(&mut self, wanted: Wanted, fate: Fate) -> Option<Vec<Arc<Entry>>> {
        match wanted {
            Wanted::Request {
                request,
                version,
                now,
                receipt,
            } => {
                let mut entries = Vec::new();
                for event in self.story.requests[request].clone() {
                    entries.push(self.asked(event, version, fate, now, &receipt)?);
                }
                Some(entries)
            }
            Wanted::Waiting(waiting) => {
                let id = &waiting.reading.id;
                let event = self.story.told.iter().position(|told| told.id() == id)?;
                if fate == Fate::Lost {
                    return Some(Vec::new());
                }
                let (at, receipt) = (waiting.received_at, &waiting.receipt);
                let entry = self.asked(event, NORMALIZER, fate, at, receipt)?;
                Some(vec![entry])
            }
        }
    }

    /// The entry of one event by what an API says; none where its silence proves nothing.
    fn asked(
        &mut self,
        event: usize,
        version: u16,
        fate: Fate,
        now: Timestamp,
        receipt: &Arc<str>,
    ) -> Option<Arc<Entry>> {
        let readings = self.story.told[event].readings.len();
        let ahead = NORMALIZER as usize + self.rng.index(readings);
        let told = &self.story.told[event];
        match (&told.silent, fate) {
            (Silent::Unasked, _) => Some(told.entry(version, now, receipt.clone())),
            (Silent::Refused, Fate::Lost) => None,
            (Silent::Waits(_), Fate::Lost) => told.waiting(now, receipt.clone()),
            (Silent::Refused | Silent::Waits(_), Fate::Ahead) => {
                let version = u16::try_from(ahead).expect("few readings");
                Some(told.entry(version, now, receipt.clone()))
            }
            (Silent::Refused | Silent::Waits(_), _) => {
                Some(told.entry(version, now, receipt.clone()))
            }
        }
    }

    /// Something began to wait: `calendar` asks for it in a minute.
    pub(super) fn ask_to_complete(&mut self) {
        if !self.completing {
            self.completing = true;
            let longest = if self.calm { 1 } else { 600 };
            let minutes = 1 + self.rng.between(0, longest);
            self.after(minutes * MINUTE, Happening::Complete);
        }
    }

    /// `calendar` asks for what waits.
    pub(super) fn complete(&mut self) {
        let now = self.skewed();
        let most = 1 + self.rng.index(3);
        let accounts = super::tellings::TELLINGS.iter();
        let waits: Vec<Reference> = accounts
            .map(|telling| telling.account.waiting())
            .filter(|reference| self.waits_under(reference).next().is_some())
            .collect();
        let process = handlers::complete(self.port.clone(), waits, most, now);
        self.spawn(Role::Complete, process);
    }

    /// It ended, or died: the next one goes on, while anything waits.
    pub(super) fn completed(&mut self) {
        self.completing = false;
        if self.waits_for_an_api().is_some() {
            self.ask_to_complete();
        }
    }

    /// What still waits for an API.
    pub(super) fn waits_for_an_api(&self) -> Option<&Entry> {
        let mut parked = self.twin.items().filter_map(|item| match item {
            Item::Parked(_, entry) => Some(entry.as_ref()),
            _ => None,
        });
        parked.find(|entry| entry.reading.is_waiting())
    }

    fn waits_under(&self, reference: &Reference) -> impl Iterator<Item = &Item> {
        self.twin.under(&reference_partition(reference), PARKED)
    }
}
