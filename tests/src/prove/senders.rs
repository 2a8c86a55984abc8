//! Providers and partners: they deliver at least once, in no order, sometimes days late, and
//! again until they hear 2xx.

use super::faults::Fault;
use super::handlers;
use super::happening::{DAY, MINUTE};
use super::port::Wanted;
use super::told::{BEGIN, NORMALIZER, is_poison};
use super::world::{Happening, Role, Task, World};
use domain::ids::CustomerKey;
use domain::reading::{About, Reading};
use domain::record::Entry;
use std::sync::Arc;
use store::accept::Verdict;
use store::items::{ALIAS, reference_partition};
use store::{Item, Key, StoreError};

/// How delivering one request goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Sending {
    /// The provider has heard 2xx.
    pub(super) acknowledged: bool,
    /// We have said 2xx.
    pub(super) answered: bool,
    attempts: u32,
}

impl World<'_> {
    /// Lays out every request's first delivery and its duplicates.
    pub(super) fn start_sending(&mut self) {
        let mask = self.spec.events;
        for request in &mut self.story.requests {
            request.retain(|event| mask >> event & 1 == 1);
        }
        if self.rng.one_in(2) {
            let span = self.story.span.max(3600);
            self.rotated_at = (BEGIN + self.rng.between(0, span)) * 1000;
        }
        let patience = [2, 8, 60][self.rng.index(3)];
        for request in 0..self.story.requests.len() {
            self.sending.push(Sending::default());
            let events = &self.story.requests[request];
            let (Some(first), many) = (events.first().copied(), events.len() > 1) else {
                continue;
            };
            self.strikes(Fault::ManyInOne, many);
            let told = self.story.told[first].readings[0].occurred_at;
            let happened = told.as_millisecond() - self.clock;
            let mut delay = happened + self.rng.between(100, 1500);
            let reordered = self.rng.one_in(patience);
            let by = self.rng.between(0, 90 * MINUTE);
            if self.strikes(Fault::Reorder, reordered) {
                delay += by;
            }
            let late = self.rng.one_in(12);
            let by = self.rng.between(DAY, 9 * DAY);
            if self.strikes(Fault::DelayedByDays, late) {
                delay += by;
            }
            self.after(delay, Happening::Deliver(request));
            self.duplicate(request, delay);
        }
    }

    fn duplicate(&mut self, request: usize, delay: i64) {
        for _ in 0..4 {
            let again = self.rng.one_in(3);
            let later = match self.rng.index(4) {
                0 => 0,
                1 => self.rng.between(0, 40),
                2 => self.rng.between(0, 30 * MINUTE),
                _ => self.rng.between(0, 36 * DAY),
            };
            if self.strikes(Fault::Duplicate, again) {
                self.after(delay + later, Happening::Deliver(request));
            }
        }
    }

    /// A request arrives, or is lost on its way.
    pub(super) fn deliver(&mut self, request: usize) {
        let dropped = self.rng.one_in(32);
        if self.strikes(Fault::Dropped, dropped) {
            return self.try_again(request);
        }
        self.deliveries += 1;
        // Secrets are cached: for a while a process knows only the old one.
        let learned_at = self
            .rotated_at
            .saturating_add(self.rng.between(0, 5 * MINUTE));
        let refused = self.clock >= self.rotated_at && self.clock < learned_at;
        let refused = refused || (self.clock >= self.rotated_at && self.rng.one_in(48));
        if self.strikes(Fault::SecretRotation, refused) {
            return self.try_again(request);
        }
        let mut events = self.story.requests[request].iter();
        let poison = events.any(|event| is_poison(&self.story.told[*event].readings[0]));
        self.hits.0[Fault::Poison as usize] += u64::from(poison);
        let now = self.skewed();
        let newer = self.rng.one_in(4);
        let version = if self.strikes(Fault::TwoVersions, newer) {
            NORMALIZER + 1
        } else {
            NORMALIZER
        };
        self.sending[request].attempts += 1;
        let receipt: Arc<str> = Arc::from(self.deliveries.to_string());
        let told = &self.story.told;
        let mut events = self.story.requests[request].iter();
        if events.any(|event| told[*event].is_asked_for()) {
            let wanted = Wanted::Request {
                request,
                version,
                now,
                receipt,
            };
            let process = handlers::ask_and_receive(self.port.clone(), wanted, now, self.mutant);
            return self.spawn(Role::Delivery(request), process);
        }
        let entries: Vec<Arc<Entry>> = self.story.requests[request]
            .iter()
            .map(|event| told[*event].entry(version, now, receipt.clone()))
            .collect();
        let entries = match self.mutant {
            Some(mutant) => mutant.distort(self, entries),
            None => entries,
        };
        let process = handlers::receive(self.port.clone(), entries, now, self.mutant);
        self.spawn(Role::Delivery(request), process);
    }

    /// No 2xx was heard: the sender delivers again, later and later.
    pub(super) fn try_again(&mut self, request: usize) {
        let attempts = i64::from(self.sending[request].attempts.min(6));
        let wait = self.rng.between(500, 20_000) << attempts;
        self.after(wait, Happening::Deliver(request));
    }

    /// The door answered.
    pub(super) fn received(
        &mut self,
        request: usize,
        task: &Task,
        result: Result<Vec<(Arc<Entry>, Verdict)>, StoreError>,
    ) {
        let Ok(taken) = result else {
            return self.try_again(request);
        };
        self.sending[request].answered = true;
        for (entry, verdict) in &taken {
            if !self.is_durable(entry) {
                let id = &entry.reading.id;
                self.breaks(format!("2xx, and {id} is nowhere ({verdict:?})"));
            }
            let blindly = |key: &Key| key.sort.ends_with(entry.reading.id.as_str());
            if *verdict == Verdict::Parked && task.parked_blindly.iter().any(blindly) {
                let id = &entry.reading.id;
                self.breaks(format!(
                    "{id} stays parked behind an alias that stood already"
                ));
            }
        }
        let lost = self.rng.one_in(40);
        if self.strikes(Fault::AcknowledgmentLost, lost) {
            return self.try_again(request);
        }
        self.sending[request].acknowledged = true;
    }

    /// Whether an entry stands in a journal or waits under what it names. What waited for an API
    /// may have been completed meanwhile.
    fn is_durable(&self, entry: &Entry) -> bool {
        let id = &entry.reading.id;
        let told = self.story.told.iter().find(|told| told.id() == id);
        let completed = told.filter(|_| entry.reading.is_waiting());
        let mut readings = completed.iter().flat_map(|told| &told.readings);
        self.stands(&entry.reading) || readings.any(|reading| self.stands(reading))
    }

    fn stands(&self, reading: &Reading) -> bool {
        let id = &reading.id;
        let in_journal = |customer: &CustomerKey| {
            let key = Key::entry(customer, id);
            self.twin.look(&key).is_some()
        };
        match &reading.about {
            About::Customer(customer) => in_journal(customer),
            About::Behind(behind) => behind.iter().any(|reference| {
                self.twin.look(&Key::parked(reference, id)).is_some()
                    || self.behind(reference).any(in_journal)
            }),
        }
    }

    fn behind<'b>(
        &'b self,
        reference: &domain::ids::Reference,
    ) -> impl Iterator<Item = &'b CustomerKey> + use<'b> {
        let aliases = self.twin.under(&reference_partition(reference), ALIAS);
        aliases.filter_map(|item| match item {
            Item::Alias(_, customer) => Some(customer),
            _ => None,
        })
    }

    /// Watches a write at its moment: what only then can be told from the table.
    pub(super) fn watch(&mut self, number: usize, item: &Item, done: bool) {
        match item {
            Item::Parked(_, entry) if entry.reading.is_waiting() => self.ask_to_complete(),
            Item::Parked(_, entry) => {
                let About::Behind(behind) = &entry.reading.about else {
                    return;
                };
                if behind.iter().any(|name| self.behind(name).next().is_some()) {
                    self.flag_blind_parking(number, item.key());
                }
            }
            Item::Commission(_) | Item::Standing(_) if done => {
                if !self.decided.has(item) {
                    self.breaks(format!("{} is decided by no record as written", item.key()));
                }
                self.row_stands(item);
            }
            Item::Payout(payout) if done => {
                self.payout_stands(number, payout);
                self.row_stands(item);
            }
            Item::Told(told) if done => {
                self.ask_to_look(item);
                self.told_stands(told);
            }
            Item::Endpoint(endpoint) if done => self.endpoint_stands(endpoint),
            Item::Record(record) if done => {
                self.ask_to_look(item);
                if let Err(law) = self.decided.take_in(record) {
                    self.breaks(law);
                }
                for effect in &record.pending {
                    if let domain::record::Effect::Letter(due) = effect {
                        let key = Key::letter(&record.customer, due.letter, &due.cause);
                        let end = due.letter.window_end(due.caused_at).as_millisecond();
                        // A clock ahead of ours, and a process frozen between fold and write.
                        if self.owed.insert(key) && self.clock > end + 120 * MINUTE {
                            self.breaks(format!("{due:?} was decided after its window"));
                        }
                    }
                }
            }
            Item::Letter(row) if done && row.version == 1 && !self.owed.contains(&item.key()) => {
                self.breaks(format!("{} is owed by no record as written", item.key()));
            }
            _ => {}
        }
    }
}
