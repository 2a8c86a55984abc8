//! What can be told only at the moment of a write or of an answer.

use crate::proof::simulation::activity::MINUTE;
use crate::proof::simulation::state::Simulation;
use domain::event::{About, NormalizedEvent};
use domain::ids::CustomerKey;
use domain::record::Entry;
use store::items::{ALIAS, reference_partition};
use store::{Item, Key};

impl Simulation<'_> {
    /// Whether an entry stands in a journal or waits under what it names. What waited for an API
    /// may have been completed meanwhile.
    pub(crate) fn is_durable(&self, entry: &Entry) -> bool {
        let id = &entry.event.id;
        let scripted = self
            .script
            .events
            .iter()
            .find(|scripted| scripted.id() == id);
        let completed = scripted.filter(|_| entry.event.is_waiting());
        let mut readings = completed.iter().flat_map(|scripted| &scripted.normalized);
        self.is_stored(&entry.event) || readings.any(|reading| self.is_stored(reading))
    }

    fn is_stored(&self, reading: &NormalizedEvent) -> bool {
        let id = &reading.id;
        let in_journal = |customer: &CustomerKey| {
            let key = Key::entry(customer, id);
            self.table.peek(&key).is_some()
        };
        match &reading.about {
            About::Customer(customer) => in_journal(customer),
            About::ByReference(behind) => behind.iter().any(|reference| {
                self.table.peek(&Key::parked(reference, id)).is_some()
                    || self.customers_by_reference(reference).any(in_journal)
            }),
        }
    }

    fn customers_by_reference<'b>(
        &'b self,
        reference: &domain::ids::Reference,
    ) -> impl Iterator<Item = &'b CustomerKey> + use<'b> {
        let aliases = self
            .table
            .with_prefix(&reference_partition(reference), ALIAS);
        aliases.filter_map(|item| match item {
            Item::Alias(_, customer) => Some(customer),
            _ => None,
        })
    }

    /// Watches a write at its moment: what only then can be told from the table.
    pub(crate) fn check_write(&mut self, number: usize, item: &Item, done: bool) {
        match item {
            Item::Parked(_, entry) if !entry.event.is_waiting() => {
                let About::ByReference(behind) = &entry.event.about else {
                    return;
                };
                if behind
                    .iter()
                    .any(|name| self.customers_by_reference(name).next().is_some())
                {
                    self.flag_blind_parking(number, item.key());
                }
            }
            Item::Commission(_) | Item::ReferralStatus(_) if done => {
                if !self.decided_rows.contains(item) {
                    self.report_violation(format!(
                        "{} is decided by no record as written",
                        item.key()
                    ));
                }
                self.expect_notices(item);
            }
            Item::Payout(payout) if done => {
                self.check_new_payout(number, payout);
                self.expect_notices(item);
            }
            Item::DeliveryState(scripted) if done => self.check_delivery_state(scripted),
            Item::NoticeEndpoint(endpoint) if done => self.check_endpoint(endpoint),
            Item::Record(record) if done => {
                if let Err(law) = self.decided_rows.record_decisions(record) {
                    self.report_violation(law);
                }
                for effect in &record.pending {
                    if let domain::record::Effect::Letter(due) = effect {
                        let key = Key::letter(&record.customer, due.letter, &due.cause);
                        let end = due.letter.window_end(due.caused_at).as_millisecond();
                        // A clock ahead of ours, and a process frozen between fold and write.
                        if self.due_letters.insert(key) && self.clock > end + 120 * MINUTE {
                            self.report_violation(format!("{due:?} was decided after its window"));
                        }
                    }
                }
            }
            Item::Letter(row)
                if done && row.version == 1 && !self.due_letters.contains(&item.key()) =>
            {
                self.report_violation(format!("{} is owed by no record as written", item.key()));
            }
            _ => {}
        }
    }
}
