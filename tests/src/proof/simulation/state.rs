//! One simulation: a virtual clock, a table, processes that are run, delayed and killed, and
//! everything that happens drawn from one seed.

use super::activity::{ProcessEnd, ProcessRole, SimulatedProcess, SimulationActivity};
use super::faults::{Fault, FaultCounts, FaultKind, SimulationSpec};
use super::mutant::Mutant;
use super::port::{ApiQuestion, Port, PortRequest, QueueRequest, SentNotice};
use super::random::Rng;
use super::records::{
    DecidedRows, NoticeWorkload, PayoutWorkload, QueuedLetter, RequestDelivery, StreamReader,
};
use super::script::{START_SECOND, Script};
use calendar::AuditSummary;
use domain::record::{Entry, Record};
use jiff::Timestamp;
use runtime::post::PostOutcome;
use runtime::queue::QueueError;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use store::memory::{Paging, TableAnswer, TableRequest, TableState};
use store::{Item, Key};

/// What the scheduler leaves to those who know what its activities, processes and requests mean.
pub(crate) trait Behavior: Sync {
    /// The moment of an activity has come that is not the scheduler's own.
    fn run_activity(&self, simulation: &mut Simulation<'_>, activity: SimulationActivity);
    /// A process ended by itself.
    fn process_ended(&self, simulation: &mut Simulation<'_>, task: &ProcessTask, end: ProcessEnd);
    /// A process died.
    fn process_died(&self, simulation: &mut Simulation<'_>, role: ProcessRole);
    /// The table has changed: the change of that number is for the stream's readers.
    fn route_change(&self, simulation: &mut Simulation<'_>, change: usize);
    /// A process put an item, or was refused.
    fn item_put(&self, simulation: &mut Simulation<'_>, process: usize, item: &Item, done: bool);
    /// What a process asks of the table, as the mutation has it.
    fn alter_request(
        &self,
        simulation: &mut Simulation<'_>,
        process: usize,
        request: TableRequest,
    ) -> TableRequest;
    /// What the table answers, as the mutation has it.
    fn alter_answer(
        &self,
        simulation: &mut Simulation<'_>,
        process: usize,
        request: &TableRequest,
        answer: TableAnswer,
    ) -> TableAnswer;
    /// The mail service has accepted a letter.
    fn email_accepted(&self, simulation: &mut Simulation<'_>, letter: Key);
    /// A provider's API is asked.
    fn ask_api(
        &self,
        simulation: &mut Simulation<'_>,
        question: ApiQuestion,
        fault: Fault,
    ) -> Option<Vec<Arc<Entry>>>;
    /// A partner is sent a notice.
    fn post_notice(
        &self,
        simulation: &mut Simulation<'_>,
        process: usize,
        notice: &SentNotice,
        fault: Fault,
    ) -> PostOutcome;
    /// A queue is asked for something.
    ///
    /// # Errors
    /// When the queue does not answer.
    fn ask_queue(
        &self,
        simulation: &mut Simulation<'_>,
        process: usize,
        request: &QueueRequest,
        fault: Fault,
    ) -> Result<(), QueueError>;
}

/// A process, and what it waits for.
pub(crate) struct ProcessTask {
    pub(crate) process: SimulatedProcess,
    pub(crate) request: Option<PortRequest>,
    pub(crate) role: ProcessRole,
    /// Entries it parked although their customer was known by then.
    pub(crate) parked_blindly: Vec<Key>,
}

/// A simulation.
pub(crate) struct Simulation<'a> {
    pub(crate) spec: &'a SimulationSpec,
    pub(crate) script: Script,
    pub(crate) mutant: Option<Mutant>,
    /// What its activities mean.
    pub(crate) behavior: &'static dyn Behavior,
    /// Milliseconds since the epoch.
    pub(crate) clock: i64,
    pub(crate) rng: Rng,
    pub(crate) table: TableState,
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
    /// Minutes for which a due scan is on the schedule.
    pub(crate) scheduled_due_scans: BTreeSet<i64>,
    /// Whether somebody is about to ask for what waits for an API.
    pub(crate) completion_scheduled: bool,
    pub(crate) last_audit: Option<AuditSummary>,
    pub(crate) violation: Option<String>,
    pub(crate) activities: BinaryHeap<Reverse<(i64, u32, SimulationActivity)>>,
    pub(crate) sequence: u32,
    pub(crate) processes: Vec<Option<ProcessTask>>,
    pub(crate) free_numbers: Vec<usize>,
    pub(crate) late_requests: Vec<Option<TableRequest>>,
    pub(crate) routed_changes: usize,
    pub(crate) fault_count: u32,
    /// For the mutant that reads what is stale: items as they were before their last write.
    pub(crate) stale_items: BTreeMap<Key, Option<Item>>,
}

impl<'a> Simulation<'a> {
    /// A simulation before anything happened in it.
    pub(crate) fn new(
        spec: &'a SimulationSpec,
        script: Script,
        mutant: Option<Mutant>,
        behavior: &'static dyn Behavior,
    ) -> Self {
        let mut rng = Rng::fork(spec.seed, 2);
        let mut table = TableState::default();
        table.paging = Paging::Drawn(rng.next());
        table.scan_paging = Paging::Drawn(rng.next());
        Self {
            spec,
            script,
            behavior,
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

    /// Every record.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.table.items().filter_map(|item| match item {
            Item::Record(record) => Some(record),
            _ => None,
        })
    }

    /// What still waits for an API.
    pub(crate) fn entry_waiting_for_api(&self) -> Option<&Entry> {
        let mut parked = self.table.items().filter_map(|item| match item {
            Item::Parked(_, entry) => Some(entry.as_ref()),
            _ => None,
        });
        parked.find(|entry| entry.event.is_waiting())
    }

    /// Something happens in so many milliseconds.
    pub(crate) fn schedule(&mut self, delay: i64, happening: SimulationActivity) {
        self.sequence += 1;
        let when = (self.clock + delay, self.sequence, happening);
        self.activities.push(Reverse(when));
    }

    /// The first law that is broken ends the simulation.
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

    /// A process's clock: the simulation's, or a little off.
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
}
