//! What the simulation's activities, processes and requests mean: the one place that knows the
//! workload, the checkers and the mutations.

use super::simulation::activity::{ProcessEnd, ProcessRole, SimulationActivity};
use super::simulation::faults::Fault;
use super::simulation::port::{ApiQuestion, QueueRequest, SentNotice};
use super::simulation::state::{Behavior, ProcessTask, Simulation};
use domain::record::Entry;
use runtime::post::PostOutcome;
use runtime::queue::QueueError;
use std::sync::Arc;
use store::memory::{TableAnswer, TableRequest};
use store::{Item, Key};

/// The proof's own.
pub(crate) struct ProofBehavior;

impl Behavior for ProofBehavior {
    fn run_activity(&self, simulation: &mut Simulation<'_>, activity: SimulationActivity) {
        match activity {
            SimulationActivity::Deliver(request) => simulation.deliver(request),
            SimulationActivity::ReadStream(reader) => simulation.read_batch(reader),
            SimulationActivity::ReceiveLetterMessage(message) => {
                simulation.receive_letter_message(message)
            }
            SimulationActivity::RedeliverLetterMessage(message) => {
                simulation.handle_letter_message(message)
            }
            SimulationActivity::Audit => simulation.audit(),
            SimulationActivity::DueScan => simulation.due_scan(),
            SimulationActivity::CompleteWaiting => simulation.complete_waiting(),
            SimulationActivity::RunPayout(number) => simulation.run_payout(number),
            SimulationActivity::ReceiveNoticeMessage(message) => {
                simulation.receive_notice_message(message)
            }
            SimulationActivity::RedeliverNoticeMessage(message) => {
                simulation.handle_notice_message(message)
            }
            SimulationActivity::ChangeEndpoint(number) => simulation.change_endpoint(number),
            SimulationActivity::Step(..) | SimulationActivity::ApplyLate(_) => {}
        }
    }

    fn process_ended(&self, simulation: &mut Simulation<'_>, task: &ProcessTask, end: ProcessEnd) {
        match (task.role, end) {
            (ProcessRole::Delivery(request), ProcessEnd::Received(result)) => {
                simulation.delivery_ended(request, task, result);
            }
            (ProcessRole::Batch(reader), ProcessEnd::Batched(failed)) => {
                simulation.batch_ended(reader, failed)
            }
            (ProcessRole::Letter(message), ProcessEnd::LetterHandled(done)) => {
                simulation.letter_handled(message, done)
            }
            (ProcessRole::Audit, ProcessEnd::Audited(result)) => simulation.audit_ended(result),
            (ProcessRole::DueScan, ProcessEnd::DueScanned) => simulation.due_scan_ended(),
            (ProcessRole::CompleteWaiting, ProcessEnd::DueScanned) => simulation.completion_ended(),
            (ProcessRole::Payout(number), ProcessEnd::PaidOut(result)) => {
                simulation.payout_ended(number, result)
            }
            (ProcessRole::Notice(attempt), ProcessEnd::NoticeHandled(done)) => {
                simulation.notice_handled(attempt, done)
            }
            (ProcessRole::Endpoint(number), ProcessEnd::EndpointChanged(done)) => {
                simulation.endpoint_change_ended(number, done)
            }
            _ => simulation.report_violation("a process ended as another".into()),
        }
    }

    fn process_died(&self, simulation: &mut Simulation<'_>, role: ProcessRole) {
        match role {
            ProcessRole::Delivery(request) => simulation.retry_delivery(request),
            ProcessRole::Batch(reader) => simulation.batch_ended(reader, Some(0)),
            // Its message becomes visible again; the next audit begins where this one did.
            ProcessRole::Letter(_) | ProcessRole::Audit | ProcessRole::Notice(_) => {}
            ProcessRole::Endpoint(number) => simulation.endpoint_change_ended(number, false),
            ProcessRole::DueScan => simulation.due_scan_ended(),
            ProcessRole::CompleteWaiting => simulation.completion_ended(),
            ProcessRole::Payout(number) => simulation.retry_payout(number),
        }
    }

    fn route_change(&self, simulation: &mut Simulation<'_>, change: usize) {
        simulation.route_change(change);
    }

    fn item_put(&self, simulation: &mut Simulation<'_>, process: usize, item: &Item, done: bool) {
        let was_off = simulation.is_off(item);
        simulation.check_write(process, item, done);
        match item {
            Item::Parked(_, entry) if entry.event.is_waiting() => simulation.schedule_completion(),
            Item::DeliveryState(_) | Item::Record(_) if done => simulation.schedule_due_scan(item),
            Item::NoticeEndpoint(endpoint) if done => {
                let is_wanted = endpoint.is_configured();
                if let Some(partner) = endpoint.addressee.partner()
                    && simulation.is_off(item)
                    && (!was_off || !is_wanted)
                {
                    simulation.schedule_enable(partner, is_wanted);
                }
            }
            _ => {}
        }
    }

    fn alter_request(
        &self,
        simulation: &mut Simulation<'_>,
        process: usize,
        request: TableRequest,
    ) -> TableRequest {
        match simulation.mutant {
            Some(mutant) => mutant.alter_request(simulation, process, request),
            None => request,
        }
    }

    fn alter_answer(
        &self,
        simulation: &mut Simulation<'_>,
        process: usize,
        request: &TableRequest,
        answer: TableAnswer,
    ) -> TableAnswer {
        match simulation.mutant {
            Some(mutant) => mutant.alter_answer(simulation, process, request, answer),
            None => answer,
        }
    }

    fn email_accepted(&self, simulation: &mut Simulation<'_>, letter: Key) {
        simulation.check_email(letter);
    }

    fn ask_api(
        &self,
        simulation: &mut Simulation<'_>,
        question: ApiQuestion,
        fault: Fault,
    ) -> Option<Vec<Arc<Entry>>> {
        simulation.answer_api(question, fault)
    }

    fn post_notice(
        &self,
        simulation: &mut Simulation<'_>,
        process: usize,
        notice: &SentNotice,
        fault: Fault,
    ) -> PostOutcome {
        simulation.post_notice(process, notice, fault)
    }

    fn ask_queue(
        &self,
        simulation: &mut Simulation<'_>,
        process: usize,
        request: &QueueRequest,
        fault: Fault,
    ) -> Result<(), QueueError> {
        simulation.perform_queue_request(process, request, fault)
    }
}
