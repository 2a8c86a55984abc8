//! Runs a simulation: takes its activities in the order of their moments, polls processes, and
//! does what they ask, or not.

use super::activity::{ProcessRole, SimulatedProcess, SimulationActivity};
use super::faults::{Fault, FaultKind};
use super::port::{EmailOutcome, PortReply, PortRequest};
use super::state::{ProcessTask, Simulation};
use std::cmp::Reverse;
use std::task::{Context, Poll, Waker};
use store::memory::{TableAnswer, TableRequest};
use store::{Item, Key, PutOutcome, StoreError};

impl Simulation<'_> {
    /// Runs until nothing more happens by itself, or a law is broken.
    pub(crate) fn run_until_idle(&mut self) {
        let mut left = 200_000_u32;
        while let Some(Reverse((at, _, happening))) = self.activities.pop() {
            self.clock = self.clock.max(at);
            self.table.now = self.clock;
            self.run_activity(happening);
            self.wake_readers();
            left -= 1;
            if left == 0 {
                self.report_violation("the simulation never comes to rest".into());
            }
            if self.violation.is_some() {
                return;
            }
        }
    }

    fn run_activity(&mut self, activity: SimulationActivity) {
        match activity {
            SimulationActivity::Step(process, fault) => self.step(process, fault),
            SimulationActivity::ApplyLate(number) => {
                if let Some(request) = self.late_requests[number].take() {
                    self.apply(usize::MAX, request);
                }
            }
            activity => self.behavior.run_activity(self, activity),
        }
    }

    /// Starts a process.
    pub(crate) fn spawn(&mut self, role: ProcessRole, process: SimulatedProcess) {
        let task = ProcessTask {
            process,
            request: None,
            role,
            parked_blindly: Vec::new(),
        };
        let number = match self.free_numbers.pop() {
            Some(number) => {
                self.processes[number] = Some(task);
                number
            }
            None => {
                self.processes.push(Some(task));
                self.processes.len() - 1
            }
        };
        self.poll(number);
    }

    fn poll(&mut self, number: usize) {
        let Some(task) = self.processes[number].as_mut() else {
            return;
        };
        let mut context = Context::from_waker(Waker::noop());
        match task.process.as_mut().poll(&mut context) {
            Poll::Ready(end) => {
                let task = self.processes[number].take();
                self.free_numbers.push(number);
                if let Some(task) = task {
                    self.behavior.process_ended(self, &task, end);
                }
            }
            Poll::Pending => {
                let ask = self.port.take_request();
                let (fault, delay) = self.draw_fault(ask.as_ref());
                if let Some(task) = self.processes[number].as_mut() {
                    task.request = ask;
                }
                self.schedule(delay, SimulationActivity::Step(number, fault));
            }
        }
    }

    fn step(&mut self, number: usize, fault: Fault) {
        let Some(task) = self.processes[number].as_mut() else {
            return;
        };
        let (Some(ask), role) = (task.request.take(), task.role) else {
            return;
        };
        if fault == Fault::CrashBefore {
            self.kill(number);
            return self.behavior.process_died(self, role);
        }
        let reply = match ask {
            PortRequest::SendLetter(letter) => PortReply::Letter(self.send_email(letter, fault)),
            PortRequest::Table(op) => PortReply::Table(self.perform_request(number, op, fault)),
            PortRequest::Api(wanted) => PortReply::Api(self.behavior.ask_api(self, wanted, fault)),
            PortRequest::Notice(sent) => {
                PortReply::Notice(self.behavior.post_notice(self, number, &sent, fault))
            }
            PortRequest::Queue(asked) => {
                PortReply::Queue(self.behavior.ask_queue(self, number, &asked, fault))
            }
        };
        if fault == Fault::CrashAfter {
            self.kill(number);
            return self.behavior.process_died(self, role);
        }
        self.port.answer(reply);
        self.poll(number);
    }

    fn kill(&mut self, number: usize) {
        self.processes[number] = None;
        self.free_numbers.push(number);
    }

    /// Does a request, and watches what only the moment can tell.
    pub(crate) fn apply(&mut self, number: usize, op: TableRequest) -> TableAnswer {
        let op = self.behavior.alter_request(self, number, op);
        let watched = match &op {
            TableRequest::Put(
                Item::Parked(..)
                | Item::Letter(_)
                | Item::Record(_)
                | Item::Commission(_)
                | Item::ReferralStatus(_)
                | Item::Payout(_)
                | Item::DeliveryState(_)
                | Item::NoticeEndpoint(_),
                _,
            ) => Some(op.clone()),
            _ => None,
        };
        let asked = self.mutant.map(|_| op.clone());
        let answer = match op {
            TableRequest::Due(shard, until, most) => self.due_from_index(shard, until, most),
            op => self.table.apply(op),
        };
        if let Some(TableRequest::Put(item, _)) = watched {
            let done = matches!(answer, TableAnswer::Put(PutOutcome::Done));
            self.behavior.item_put(self, number, &item, done);
        }
        match asked {
            Some(asked) => self.behavior.alter_answer(self, number, &asked, answer),
            None => answer,
        }
    }

    /// New changes wake the stream's readers.
    fn wake_readers(&mut self) {
        while self.routed_changes < self.table.changes.len() {
            self.behavior.route_change(self, self.routed_changes);
            self.routed_changes += 1;
        }
    }

    /// Does a request, or not, as its fault will have it.
    pub(crate) fn perform_request(
        &mut self,
        number: usize,
        op: TableRequest,
        fault: Fault,
    ) -> TableAnswer {
        let no_answer = || TableAnswer::Error(StoreError::NoAnswer("simulated".into()));
        match fault {
            Fault::Throttled => TableAnswer::Error(StoreError::Throttled),
            Fault::RequestLost | Fault::CrashBefore => no_answer(),
            Fault::LateApply => {
                self.late_requests.push(Some(op));
                let delay = self.rng.between(1, 400_000);
                self.schedule(
                    delay,
                    SimulationActivity::ApplyLate(self.late_requests.len() - 1),
                );
                no_answer()
            }
            Fault::AnswerLost => {
                self.apply(number, op);
                no_answer()
            }
            Fault::Repeated => {
                // The SDK gives a transaction a token, so its repetition is known as one.
                let first = self.apply(number, op.clone());
                match (&op, first) {
                    (TableRequest::Transact(_), first) => first,
                    (_, _) => self.apply(number, op),
                }
            }
            Fault::None | Fault::ApiAhead | Fault::CrashAfter => self.apply(number, op),
        }
    }

    /// The mail service's answer.
    pub(crate) fn send_email(&mut self, letter: Key, fault: Fault) -> EmailOutcome {
        match fault {
            Fault::Throttled => EmailOutcome::Throttled,
            Fault::RequestLost | Fault::CrashBefore => EmailOutcome::Unknown,
            Fault::None | Fault::ApiAhead | Fault::CrashAfter => {
                let rejected = self.rng.one_in(24);
                if self.inject(FaultKind::MailRejected, rejected) {
                    return EmailOutcome::Rejected;
                }
                self.behavior.email_accepted(self, letter);
                EmailOutcome::Accepted
            }
            Fault::AnswerLost | Fault::Repeated | Fault::LateApply => {
                self.behavior.email_accepted(self, letter);
                EmailOutcome::Unknown
            }
        }
    }
}
