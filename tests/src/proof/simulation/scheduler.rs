//! One world: a virtual clock, a table, processes that the world runs, delays and kills, and
//! everything that happens drawn from one seed.

pub(crate) use super::activity::{ProcessEnd, ProcessRole, SimulatedProcess, SimulationActivity};
use super::fault_injector::Fault;
use super::faults::{FaultCounts, FaultKind, SimulationSpec};
use super::model_table::{ModelTable, TableAnswer, TableRequest};
use super::port::{Port, PortReply, PortRequest};
use super::random::Rng;
use super::script::{START_SECOND, Script};
use crate::proof::checkers::ledger_checks::DecidedRows;
use crate::proof::mutations::mutants::Mutant;
use crate::proof::workload::notices::NoticeWorkload;
use crate::proof::workload::payouts::PayoutWorkload;
use crate::proof::workload::stream_and_queue::{QueuedLetter, StreamReader};
use crate::proof::workload::webhooks::RequestDelivery;
use calendar::AuditSummary;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::task::{Context, Poll, Waker};
use store::{Item, Key, PutOutcome};

pub(crate) struct ProcessTask {
    process: SimulatedProcess,
    request: Option<PortRequest>,
    pub(crate) role: ProcessRole,
    /// Entries it parked although their customer was known by then.
    pub(crate) parked_blindly: Vec<Key>,
}

/// A world.
pub(crate) struct Simulation<'a> {
    pub(crate) spec: &'a SimulationSpec,
    pub(crate) story: Script,
    pub(crate) mutant: Option<Mutant>,
    /// Milliseconds since the epoch.
    pub(crate) clock: i64,
    pub(crate) rng: Rng,
    pub(crate) table: ModelTable,
    pub(crate) port: Port,
    pub(crate) fault_counts: FaultCounts,
    pub(crate) deliveries: u64,
    /// No more faults: what is left comes to rest.
    pub(crate) faults_stopped: bool,
    /// Of 1024 questions, so many go wrong.
    pub(crate) fault_rate: u64,
    pub(crate) request_deliveries: Vec<RequestDelivery>,
    pub(crate) secret_rotated_at: i64,
    pub(crate) stream_readers: Vec<StreamReader>,
    pub(crate) letter_queue: Vec<QueuedLetter>,
    /// Letters that the mail service accepted, how often.
    pub(crate) accepted_letters: BTreeMap<Key, u32>,
    /// Letters that some record, as written, owed.
    pub(crate) due_letters: BTreeSet<Key>,
    /// Rows that some record, as written, decided.
    pub(crate) decided_rows: DecidedRows,
    /// The shop's payouts.
    pub(crate) payouts: PayoutWorkload,
    /// Partners' notices.
    pub(crate) notices: NoticeWorkload,
    /// Whether the stream lost anything, so that only the audit can mend.
    pub(crate) stream_lost: bool,
    /// Minutes for which a sweep is on the schedule.
    pub(crate) scheduled_due_scans: BTreeSet<i64>,
    /// Whether somebody is about to ask for what waits for an API.
    pub(crate) completion_scheduled: bool,
    pub(crate) last_audit: Option<AuditSummary>,
    pub(crate) violation: Option<String>,
    activities: BinaryHeap<Reverse<(i64, u32, SimulationActivity)>>,
    sequence: u32,
    processes: Vec<Option<ProcessTask>>,
    free_numbers: Vec<usize>,
    pub(crate) late_requests: Vec<Option<TableRequest>>,
    routed_changes: usize,
    fault_count: u32,
    /// For the mutant that reads what is stale: items as they were before their last write.
    pub(crate) stale_items: BTreeMap<Key, Option<Item>>,
}

impl<'a> Simulation<'a> {
    /// A world before anything happened in it.
    pub(crate) fn new(spec: &'a SimulationSpec, mutant: Option<Mutant>) -> Self {
        let mut rng = Rng::fork(spec.seed, 2);
        let mut table = ModelTable::default();
        table.page = [0, 0, 3, 7][rng.index(4)];
        table.scan_page = [0, 1, 2, 7][rng.index(4)];
        Self {
            spec,
            story: crate::proof::workload::scenarios::random_script(spec.seed),
            mutant,
            clock: START_SECOND * 1000,
            table,
            port: Port::default(),
            fault_counts: FaultCounts::default(),
            deliveries: 0,
            faults_stopped: false,
            fault_rate: [0, 6, 24, 72][rng.index(4)],
            request_deliveries: Vec::new(),
            secret_rotated_at: i64::MAX,
            stream_readers: Vec::new(),
            letter_queue: Vec::new(),
            accepted_letters: BTreeMap::new(),
            due_letters: BTreeSet::new(),
            decided_rows: DecidedRows::default(),
            payouts: PayoutWorkload::default(),
            notices: NoticeWorkload::default(),
            stream_lost: false,
            scheduled_due_scans: BTreeSet::new(),
            completion_scheduled: false,
            last_audit: None,
            violation: None,
            activities: BinaryHeap::with_capacity(64),
            sequence: 0,
            processes: Vec::with_capacity(16),
            free_numbers: Vec::new(),
            late_requests: Vec::new(),
            routed_changes: 0,
            fault_count: 0,
            stale_items: BTreeMap::new(),
            rng,
        }
    }

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
                self.report_violation("the world never comes to rest".into());
            }
            if self.violation.is_some() {
                return;
            }
        }
    }

    fn run_activity(&mut self, happening: SimulationActivity) {
        match happening {
            SimulationActivity::Deliver(request) => self.deliver(request),
            SimulationActivity::Step(task, fate) => self.step(task, fate),
            SimulationActivity::ApplyLate(number) => {
                if let Some(op) = self.late_requests[number].take() {
                    self.apply(usize::MAX, op);
                }
            }
            SimulationActivity::ReadStream(reader) => self.read_batch(reader),
            SimulationActivity::ReceiveLetterMessage(message) => {
                self.receive_letter_message(message)
            }
            SimulationActivity::RedeliverLetterMessage(message) => {
                self.handle_letter_message(message)
            }
            SimulationActivity::Audit => self.audit(),
            SimulationActivity::DueScan => self.due_scan(),
            SimulationActivity::CompleteWaiting => self.complete_waiting(),
            SimulationActivity::RunPayout(wish) => self.run_payout(wish),
            SimulationActivity::ReceiveNoticeMessage(message) => {
                self.receive_notice_message(message)
            }
            SimulationActivity::RedeliverNoticeMessage(message) => {
                self.handle_notice_message(message)
            }
            SimulationActivity::ChangeEndpoint(wish) => self.change_endpoint(wish),
        }
    }

    /// Something happens in so many milliseconds.
    pub(crate) fn schedule(&mut self, delay: i64, happening: SimulationActivity) {
        self.sequence += 1;
        let when = (self.clock + delay, self.sequence, happening);
        self.activities.push(Reverse(when));
    }

    /// The first law that is broken ends the world.
    pub(crate) fn report_violation(&mut self, law: String) {
        self.violation.get_or_insert(law);
    }

    /// Whether a fault happens that was drawn: not if it is masked out, spared or late.
    pub(crate) fn inject(&mut self, fault: FaultKind, drawn: bool) -> bool {
        if !drawn || self.faults_stopped || self.spec.faults >> (fault as u8) & 1 == 0 {
            return false;
        }
        self.fault_count += 1;
        if self.spec.spared.contains(&self.fault_count) {
            return false;
        }
        self.fault_counts.0[fault as usize] += 1;
        true
    }

    /// How many faults there were.
    pub(crate) fn fault_count(&self) -> u32 {
        self.fault_count
    }

    /// A process's clock: the world's, or a little off.
    pub(crate) fn skewed_now(&mut self) -> Timestamp {
        let drawn = self.rng.chance(64);
        let off = self.rng.between(-900_000, 900_000);
        let off = if self.inject(FaultKind::ClockSkew, drawn) {
            off
        } else {
            0
        };
        Timestamp::from_millisecond(self.clock + off).unwrap_or(Timestamp::UNIX_EPOCH)
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
                    self.process_ended(&task, end);
                }
            }
            Poll::Pending => {
                let ask = self.port.take_request();
                let (fate, delay) = self.draw_fault(ask.as_ref());
                if let Some(task) = self.processes[number].as_mut() {
                    task.request = ask;
                }
                self.schedule(delay, SimulationActivity::Step(number, fate));
            }
        }
    }

    fn process_ended(&mut self, task: &ProcessTask, end: ProcessEnd) {
        match (task.role, end) {
            (ProcessRole::Delivery(request), ProcessEnd::Received(result)) => {
                self.delivery_ended(request, task, result);
            }
            (ProcessRole::Batch(reader), ProcessEnd::Batched(failed)) => {
                self.batch_ended(reader, failed)
            }
            (ProcessRole::Letter(message), ProcessEnd::LetterHandled(done)) => {
                self.letter_handled(message, done)
            }
            (ProcessRole::Audit, ProcessEnd::Audited(result)) => self.audit_ended(result),
            (ProcessRole::DueScan, ProcessEnd::DueScanned) => self.due_scan_ended(),
            (ProcessRole::CompleteWaiting, ProcessEnd::Completed) => self.completion_ended(),
            (ProcessRole::Payout(wish), ProcessEnd::PaidOut(result)) => {
                self.payout_ended(wish, result)
            }
            (ProcessRole::Notice(attempt), ProcessEnd::NoticeHandled(done)) => {
                self.notice_handled(attempt, done)
            }
            (ProcessRole::Endpoint(wish), ProcessEnd::EndpointChanged(done)) => {
                self.endpoint_change_ended(wish, done)
            }
            _ => self.report_violation("a process ended as another".into()),
        }
    }

    fn process_died(&mut self, role: ProcessRole) {
        match role {
            ProcessRole::Delivery(request) => self.retry_delivery(request),
            ProcessRole::Batch(reader) => self.batch_ended(reader, Some(0)),
            // Its message becomes visible again; the next audit begins where this one did.
            ProcessRole::Letter(_) | ProcessRole::Audit | ProcessRole::Notice(_) => {}
            ProcessRole::Endpoint(wish) => self.endpoint_change_ended(wish, false),
            ProcessRole::DueScan => self.due_scan_ended(),
            ProcessRole::CompleteWaiting => self.completion_ended(),
            ProcessRole::Payout(wish) => self.retry_payout(wish),
        }
    }

    fn step(&mut self, number: usize, fate: Fault) {
        let Some(task) = self.processes[number].as_mut() else {
            return;
        };
        let (Some(ask), role) = (task.request.take(), task.role) else {
            return;
        };
        if fate == Fault::CrashBefore {
            self.kill(number);
            return self.process_died(role);
        }
        let reply = match ask {
            PortRequest::SendLetter(letter) => PortReply::Letter(self.send_email(letter, fate)),
            PortRequest::Table(op) => PortReply::Table(self.perform_request(number, op, fate)),
            PortRequest::Api(wanted) => PortReply::Api(self.answer_api(wanted, fate)),
            PortRequest::Notice(sent) => PortReply::Notice(self.post_notice(number, &sent, fate)),
            PortRequest::Queue(asked) => {
                PortReply::Queue(self.perform_queue_request(number, &asked, fate))
            }
        };
        if fate == Fault::CrashAfter {
            self.kill(number);
            return self.process_died(role);
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
        let op = match self.mutant {
            Some(mutant) => mutant.alter_request(self, number, op),
            None => op,
        };
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
            self.check_write(number, &item, done);
        }
        match (self.mutant, asked) {
            (Some(mutant), Some(asked)) => mutant.alter_answer(self, number, &asked, answer),
            _ => answer,
        }
    }

    /// What the process of that number is for, if it lives.
    pub(crate) fn role(&self, number: usize) -> Option<ProcessRole> {
        Some(self.processes.get(number)?.as_ref()?.role)
    }

    pub(crate) fn flag_blind_parking(&mut self, number: usize, key: Key) {
        if let Some(Some(task)) = self.processes.get_mut(number) {
            task.parked_blindly.push(key);
        }
    }

    /// Whether the process parked an entry whose customer was known by then.
    pub(crate) fn has_parked_blindly(&self, number: usize) -> bool {
        let task = self.processes.get(number).and_then(Option::as_ref);
        task.is_some_and(|task| !task.parked_blindly.is_empty())
    }

    /// New changes wake the stream's readers.
    fn wake_readers(&mut self) {
        while self.routed_changes < self.table.changes.len() {
            let hash = self.table.changes[self.routed_changes].hash;
            self.route_change(hash, self.routed_changes);
            self.routed_changes += 1;
        }
    }
}
