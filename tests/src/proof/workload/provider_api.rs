//! The providers' own APIs: they answer, are silent, answer late, or tell of a later moment than
//! they are asked about. What waits for them is completed by `calendar`.

use super::handlers;
use crate::proof::simulation::activity::MINUTE;
use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::activity::SimulationActivity;
use crate::proof::simulation::faults::Fault;
use crate::proof::simulation::port::ApiQuestion;
use crate::proof::simulation::script::{NORMALIZER_VERSION, SilentApiOutcome};
use crate::proof::simulation::state::Simulation;
use domain::ids::Reference;
use domain::record::Entry;
use jiff::Timestamp;
use std::sync::Arc;
use store::Item;
use store::items::{PARKED, reference_partition};

impl Simulation<'_> {
    /// What is to be journaled by what an API says now.
    pub(crate) fn answer_api(
        &mut self,
        wanted: ApiQuestion,
        fault: Fault,
    ) -> Option<Vec<Arc<Entry>>> {
        match wanted {
            ApiQuestion::Request {
                request,
                version,
                now,
                receipt,
            } => {
                let mut entries = Vec::new();
                for event in self.script.requests[request].clone() {
                    entries.push(self.entry_by_api(event, version, fault, now, &receipt)?);
                }
                Some(entries)
            }
            ApiQuestion::Waiting(waiting) => {
                let id = &waiting.event.id;
                let event = self
                    .script
                    .events
                    .iter()
                    .position(|scripted| scripted.id() == id)?;
                if fault == Fault::RequestLost {
                    return Some(Vec::new());
                }
                let (at, receipt) = (waiting.received_at, &waiting.receipt);
                let entry = self.entry_by_api(event, NORMALIZER_VERSION, fault, at, receipt)?;
                Some(vec![entry])
            }
        }
    }

    /// The entry of one event by what an API says; none where its silence proves nothing.
    fn entry_by_api(
        &mut self,
        event: usize,
        version: u16,
        fault: Fault,
        now: Timestamp,
        receipt: &Arc<str>,
    ) -> Option<Arc<Entry>> {
        let readings = self.script.events[event].normalized.len();
        let ahead = NORMALIZER_VERSION as usize + self.rng.index(readings);
        let scripted = &self.script.events[event];
        match (&scripted.when_api_silent, fault) {
            (SilentApiOutcome::Unasked, _) => Some(scripted.entry(version, now, receipt.clone())),
            (SilentApiOutcome::Refused, Fault::RequestLost) => None,
            (SilentApiOutcome::Waits(_), Fault::RequestLost) => {
                scripted.waiting_entry(now, receipt.clone())
            }
            (SilentApiOutcome::Refused | SilentApiOutcome::Waits(_), Fault::ApiAhead) => {
                let version = u16::try_from(ahead).expect("few readings");
                Some(scripted.entry(version, now, receipt.clone()))
            }
            (SilentApiOutcome::Refused | SilentApiOutcome::Waits(_), _) => {
                Some(scripted.entry(version, now, receipt.clone()))
            }
        }
    }

    /// Something began to wait: `calendar` asks for it in a minute.
    pub(crate) fn schedule_completion(&mut self) {
        if !self.completion_scheduled {
            self.completion_scheduled = true;
            let longest = if self.faults_stopped { 1 } else { 600 };
            let minutes = 1 + self.rng.between(0, longest);
            self.schedule(minutes * MINUTE, SimulationActivity::CompleteWaiting);
        }
    }

    /// `calendar` asks for what waits, and scans who is due as it always does.
    pub(crate) fn complete_waiting(&mut self) {
        self.spawn_due_scan(ProcessRole::CompleteWaiting);
    }

    /// One due scan, with the APIs for which something waits.
    pub(crate) fn spawn_due_scan(&mut self, role: ProcessRole) {
        let now = self.skewed_now();
        let max_batch = 1 + self.rng.index(3);
        let accounts = super::provider_scripts::PROVIDER_SCRIPTS.iter();
        let waiting: Vec<Reference> = accounts
            .map(|telling| telling.account.waiting_reference())
            .filter(|reference| self.waiting_under(reference).next().is_some())
            .collect();
        let process = handlers::due_scan(self.port.clone(), waiting, max_batch, now);
        self.spawn(role, process);
    }

    /// It ended, or died: the next one goes on, while anything waits.
    pub(crate) fn completion_ended(&mut self) {
        self.completion_scheduled = false;
        if self.entry_waiting_for_api().is_some() {
            self.schedule_completion();
        }
    }

    fn waiting_under(&self, reference: &Reference) -> impl Iterator<Item = &Item> {
        self.table
            .with_prefix(&reference_partition(reference), PARKED)
    }
}
