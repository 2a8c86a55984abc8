//! Rules of the protocol broken on purpose, one at a time, to see that the checkers notice.
//!
//! A mutation changes what a process asks or is told; what runs is the real code. Mutations of
//! functions that ask nobody are left to cargo-mutants.

use super::{fold_mutations, ledger_mutations, notice_mutations, payout_mutations};
use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::mutant::Mutant;
use crate::proof::simulation::random::Rng;
use crate::proof::simulation::state::Simulation;
use domain::event::NormalizedEvent;
use domain::record::Entry;
use std::sync::Arc;
use store::memory::{TableAnswer, TableRequest};
use store::{Item, WriteCondition};

impl Mutant {
    /// What it makes of the entries of one delivery.
    pub(crate) fn alter_entries(
        self,
        simulation: &Simulation<'_>,
        entries: Vec<Arc<Entry>>,
    ) -> Vec<Arc<Entry>> {
        let distort: fn(&mut NormalizedEvent, u64) = match self {
            Self::TieByArrival => fold_mutations::tie_by_arrival,
            Self::RefundByDelivery => fold_mutations::refund_by_delivery,
            Self::HideClearPart => fold_mutations::hide_clear_part,
            Self::AddForeignCurrency => fold_mutations::add_foreign_currency,
            Self::CountUnlinkedTwice => fold_mutations::count_unlinked_twice,
            _ => return entries,
        };
        let arrival = simulation.deliveries;
        let distort = |entry: Arc<Entry>| {
            let mut entry = Entry::clone(&entry);
            distort(&mut entry.event, arrival);
            Arc::new(entry)
        };
        entries.into_iter().map(distort).collect()
    }

    /// What it makes of a request.
    pub(crate) fn alter_request(
        self,
        simulation: &mut Simulation<'_>,
        process: usize,
        op: TableRequest,
    ) -> TableRequest {
        match (self, op) {
            (Self::StaleReads, op) => {
                if let TableRequest::Put(item, _) = &op {
                    let key = item.key();
                    let was = simulation.table.peek(&key).cloned();
                    simulation.stale_items.insert(key, was);
                }
                op
            }
            (Self::EffectsFirst, TableRequest::Put(Item::Record(record), when)) => {
                fold_mutations::write_effects_first(simulation, process, &record);
                TableRequest::Put(Item::Record(record), when)
            }
            (Self::ActOnOldCause, TableRequest::Put(Item::Record(record), when)) => {
                let record = fold_mutations::with_new_cause(simulation, &record);
                TableRequest::Put(Item::Record(record), when)
            }
            (Self::StopAtPoison, TableRequest::Put(Item::Record(record), when)) => {
                let when = match fold_mutations::is_stuck(simulation, &record) {
                    true => WriteCondition::Version(u64::MAX),
                    false => when,
                };
                TableRequest::Put(Item::Record(record), when)
            }
            (mutant, op) => ledger_mutations::alter_request(mutant, simulation, op),
        }
    }

    /// What it makes of an answer.
    pub(crate) fn alter_answer(
        self,
        simulation: &mut Simulation<'_>,
        process: usize,
        request: &TableRequest,
        answer: TableAnswer,
    ) -> TableAnswer {
        match self {
            Self::StaleReads => return simulation.stale_answer(answer),
            Self::TrustAlias => {
                return fold_mutations::hide_alias(simulation, process, request, answer);
            }
            Self::ForgetPending | Self::DropRing => {
                return self.alter_records(simulation, answer);
            }
            _ => {}
        }
        match simulation.role(process) {
            // What the ledger suffers must not show at a payout first.
            Some(ProcessRole::Payout(_)) => payout_mutations::alter_answer(self, answer),
            Some(ProcessRole::Audit) => fold_mutations::alter_audit_answer(self, answer),
            Some(role @ (ProcessRole::Notice(_) | ProcessRole::Endpoint(_))) => {
                notice_mutations::alter_answer(self, role, answer)
            }
            _ => ledger_mutations::alter_answer(self, answer),
        }
    }

    fn alter_records(self, simulation: &Simulation<'_>, mut answer: TableAnswer) -> TableAnswer {
        let items = match &mut answer {
            TableAnswer::Item(item) => item.as_mut_slice(),
            TableAnswer::Page(page) => page.items.as_mut_slice(),
            _ => &mut [],
        };
        for item in items {
            if let Item::Record(record) = item {
                *record = match self {
                    Self::ForgetPending => fold_mutations::without_pending(record),
                    _ => fold_mutations::with_all_folded(simulation, record),
                };
            }
        }
        answer
    }
}

impl Simulation<'_> {
    /// Whether the mutation loses the notice task that this process hands to the queue.
    pub(crate) fn drops_notice_task(&self, process: usize) -> bool {
        matches!(
            (self.mutant, self.role(process)),
            (Some(Mutant::IgnoreAuditFindings), Some(ProcessRole::Audit))
                | (Some(Mutant::UnmarkUnsent), Some(ProcessRole::DueScan))
        )
    }
}

impl Simulation<'_> {
    /// One read in eight is as if the last write to each item had not reached its replica.
    fn stale_answer(&mut self, answer: TableAnswer) -> TableAnswer {
        let mut rng = Rng::fork(self.spec.seed, self.clock as u64);
        if self.faults_stopped || !rng.one_in(8) {
            return answer;
        }
        let stale = |item: Item| match self.stale_items.get(&item.key()) {
            Some(was) => was.clone(),
            None => Some(item),
        };
        match answer {
            TableAnswer::Item(Some(item)) => TableAnswer::Item(stale(item)),
            TableAnswer::Page(mut page) => {
                page.items = page.items.into_iter().filter_map(stale).collect();
                TableAnswer::Page(page)
            }
            answer => answer,
        }
    }
}
