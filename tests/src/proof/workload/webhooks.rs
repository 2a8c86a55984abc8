//! Providers and partners: they deliver at least once, in no order, sometimes days late, and
//! again until they hear 2xx.

use super::handlers;
use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::activity::SimulationActivity;
use crate::proof::simulation::activity::{DAY, MINUTE};
use crate::proof::simulation::faults::FaultKind;
use crate::proof::simulation::port::ApiQuestion;
use crate::proof::simulation::records::RequestDelivery;
use crate::proof::simulation::script::{NORMALIZER_VERSION, START_SECOND, is_poison};
use crate::proof::simulation::state::ProcessTask;
use crate::proof::simulation::state::Simulation;
use domain::record::Entry;
use std::sync::Arc;
use store::ingest::AppendOutcome;
use store::{Key, StoreError};

impl Simulation<'_> {
    /// Lays out every request's first delivery and its duplicates.
    pub(crate) fn schedule_deliveries(&mut self) {
        let mask = self.spec.events;
        for request in &mut self.script.requests {
            request.retain(|event| mask >> event & 1 == 1);
        }
        if self.rng.one_in(2) {
            let span = self.script.span_seconds.max(3600);
            self.secret_rotated_at = (START_SECOND + self.rng.between(0, span)) * 1000;
        }
        let patience = [2, 8, 60][self.rng.index(3)];
        for request in 0..self.script.requests.len() {
            self.request_deliveries.push(RequestDelivery::default());
            let events = &self.script.requests[request];
            let (Some(first), many) = (events.first().copied(), events.len() > 1) else {
                continue;
            };
            self.inject(FaultKind::ManyInOne, many);
            let scripted = self.script.events[first].normalized[0].occurred_at;
            let happened = scripted.as_millisecond() - self.clock;
            let mut delay = happened + self.rng.between(100, 1500);
            let reordered = self.rng.one_in(patience);
            let by = self.rng.between(0, 90 * MINUTE);
            if self.inject(FaultKind::Reorder, reordered) {
                delay += by;
            }
            let late = self.rng.one_in(12);
            let by = self.rng.between(DAY, 9 * DAY);
            if self.inject(FaultKind::DelayedByDays, late) {
                delay += by;
            }
            self.schedule(delay, SimulationActivity::Deliver(request));
            self.schedule_duplicates(request, delay);
        }
    }

    fn schedule_duplicates(&mut self, request: usize, delay: i64) {
        for _ in 0..4 {
            let again = self.rng.one_in(3);
            let later = match self.rng.index(4) {
                0 => 0,
                1 => self.rng.between(0, 40),
                2 => self.rng.between(0, 30 * MINUTE),
                _ => self.rng.between(0, 36 * DAY),
            };
            if self.inject(FaultKind::Duplicate, again) {
                self.schedule(delay + later, SimulationActivity::Deliver(request));
            }
        }
    }

    /// A request arrives, or is lost on its way.
    pub(crate) fn deliver(&mut self, request: usize) {
        let dropped = self.rng.one_in(32);
        if self.inject(FaultKind::Dropped, dropped) {
            return self.retry_delivery(request);
        }
        self.deliveries += 1;
        // Secrets are cached: for a while a process knows only the old one.
        let learned_at = self
            .secret_rotated_at
            .saturating_add(self.rng.between(0, 5 * MINUTE));
        let refused = self.clock >= self.secret_rotated_at && self.clock < learned_at;
        let refused = refused || (self.clock >= self.secret_rotated_at && self.rng.one_in(48));
        if self.inject(FaultKind::SecretRotation, refused) {
            return self.retry_delivery(request);
        }
        let mut events = self.script.requests[request].iter();
        let poison = events.any(|event| is_poison(&self.script.events[*event].normalized[0]));
        self.fault_counts.0[FaultKind::Poison as usize] += u64::from(poison);
        let now = self.skewed_now();
        let newer = self.rng.one_in(4);
        let version = if self.inject(FaultKind::TwoVersions, newer) {
            NORMALIZER_VERSION + 1
        } else {
            NORMALIZER_VERSION
        };
        self.request_deliveries[request].attempts += 1;
        let receipt: Arc<str> = Arc::from(self.deliveries.to_string());
        let scripted = &self.script.events;
        let mut events = self.script.requests[request].iter();
        if events.any(|event| scripted[*event].asks_api()) {
            let wanted = ApiQuestion::Request {
                request,
                version,
                now,
                receipt,
            };
            let process = handlers::ask_api_and_receive(self.port.clone(), wanted, now);
            return self.spawn(ProcessRole::Delivery(request), process);
        }
        let entries: Vec<Arc<Entry>> = self.script.requests[request]
            .iter()
            .map(|event| scripted[*event].entry(version, now, receipt.clone()))
            .collect();
        let entries = match self.mutant {
            Some(mutant) => mutant.alter_entries(self, entries),
            None => entries,
        };
        let process = handlers::receive(self.port.clone(), entries, now);
        self.spawn(ProcessRole::Delivery(request), process);
    }

    /// No 2xx was heard: the sender delivers again, later and later.
    pub(crate) fn retry_delivery(&mut self, request: usize) {
        let attempts = i64::from(self.request_deliveries[request].attempts.min(6));
        let wait = self.rng.between(500, 20_000) << attempts;
        self.schedule(wait, SimulationActivity::Deliver(request));
    }

    /// The endpoint answered.
    pub(crate) fn delivery_ended(
        &mut self,
        request: usize,
        task: &ProcessTask,
        result: Result<Vec<(Arc<Entry>, AppendOutcome)>, StoreError>,
    ) {
        let Ok(taken) = result else {
            return self.retry_delivery(request);
        };
        self.request_deliveries[request].answered = true;
        for (entry, verdict) in &taken {
            if !self.is_durable(entry) {
                let id = &entry.event.id;
                self.report_violation(format!("2xx, and {id} is nowhere ({verdict:?})"));
            }
            let blindly = |key: &Key| key.sort.ends_with(entry.event.id.as_str());
            if *verdict == AppendOutcome::Parked && task.parked_blindly.iter().any(blindly) {
                let id = &entry.event.id;
                self.report_violation(format!(
                    "{id} stays parked behind an alias that stood already"
                ));
            }
        }
        let lost = self.rng.one_in(40);
        if self.inject(FaultKind::AcknowledgmentLost, lost) {
            return self.retry_delivery(request);
        }
        self.request_deliveries[request].acknowledged = true;
    }
}
