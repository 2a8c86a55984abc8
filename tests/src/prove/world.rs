//! One world: a virtual clock, a table, processes that the world runs, delays and kills, and
//! everything that happens drawn from one seed.

use super::faults::{Fault, Hits, Spec};
pub(super) use super::happening::{End, Happening, Process, Role};
use super::mutants::Mutant;
use super::noticing::Noticing;
use super::paying::Paying;
use super::pipes::{Consumer, Message};
use super::port::{Ask, Port, Reply};
use super::random::Rng;
use super::rows::Decided;
use super::senders::Sending;
use super::told::{BEGIN, Story};
use super::twin::{Answer, Op, Twin};
use super::weather::Fate;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::task::{Context, Poll, Waker};
use store::audit::Report;
use store::{Item, Key, Put};

pub(super) struct Task {
    process: Process,
    ask: Option<Ask>,
    pub(super) role: Role,
    /// Entries it parked although their customer was known by then.
    pub(super) parked_blindly: Vec<Key>,
}

/// A world.
pub(super) struct World<'a> {
    pub(super) spec: &'a Spec,
    pub(super) story: Story,
    pub(super) mutant: Option<Mutant>,
    /// Milliseconds since the epoch.
    pub(super) clock: i64,
    pub(super) rng: Rng,
    pub(super) twin: Twin,
    pub(super) port: Port,
    pub(super) hits: Hits,
    pub(super) deliveries: u64,
    /// No more faults: what is left comes to rest.
    pub(super) calm: bool,
    /// Of 1024 questions, so many go wrong.
    pub(super) roughness: u64,
    pub(super) sending: Vec<Sending>,
    pub(super) rotated_at: i64,
    pub(super) consumers: Vec<Consumer>,
    pub(super) queue: Vec<Message>,
    /// Letters that the mail service accepted, how often.
    pub(super) accepted: BTreeMap<Key, u32>,
    /// Letters that some record, as written, owed.
    pub(super) owed: BTreeSet<Key>,
    /// Rows that some record, as written, decided.
    pub(super) decided: Decided,
    /// The shop's payouts.
    pub(super) paying: Paying,
    /// Partners' notices.
    pub(super) noticing: Noticing,
    /// Whether the stream lost anything, so that only the audit can mend.
    pub(super) stream_lost: bool,
    /// Minutes for which a sweep is on the schedule.
    pub(super) sweeps: BTreeSet<i64>,
    /// Whether somebody is about to ask for what waits for an API.
    pub(super) completing: bool,
    pub(super) last_report: Option<Report>,
    pub(super) broken: Option<String>,
    heap: BinaryHeap<Reverse<(i64, u32, Happening)>>,
    sequence: u32,
    tasks: Vec<Option<Task>>,
    free: Vec<usize>,
    pub(super) late: Vec<Option<Op>>,
    seen_changes: usize,
    faults_so_far: u32,
    /// For the mutant that reads what is stale: items as they were before their last write.
    pub(super) stale: BTreeMap<Key, Option<Item>>,
}

impl<'a> World<'a> {
    /// A world before anything happened in it.
    pub(super) fn new(spec: &'a Spec, mutant: Option<Mutant>) -> Self {
        let mut rng = Rng::fork(spec.seed, 2);
        let mut twin = Twin::default();
        twin.page = [0, 0, 3, 7][rng.index(4)];
        Self {
            spec,
            story: super::lives::story(spec.seed),
            mutant,
            clock: BEGIN * 1000,
            twin,
            port: Port::default(),
            hits: Hits::default(),
            deliveries: 0,
            calm: false,
            roughness: [0, 6, 24, 72][rng.index(4)],
            sending: Vec::new(),
            rotated_at: i64::MAX,
            consumers: Vec::new(),
            queue: Vec::new(),
            accepted: BTreeMap::new(),
            owed: BTreeSet::new(),
            decided: Decided::default(),
            paying: Paying::default(),
            noticing: Noticing::default(),
            stream_lost: false,
            sweeps: BTreeSet::new(),
            completing: false,
            last_report: None,
            broken: None,
            heap: BinaryHeap::with_capacity(64),
            sequence: 0,
            tasks: Vec::with_capacity(16),
            free: Vec::new(),
            late: Vec::new(),
            seen_changes: 0,
            faults_so_far: 0,
            stale: BTreeMap::new(),
            rng,
        }
    }

    /// Runs until nothing more happens by itself, or a law is broken.
    pub(super) fn rest(&mut self) {
        let mut left = 200_000_u32;
        while let Some(Reverse((at, _, happening))) = self.heap.pop() {
            self.clock = self.clock.max(at);
            self.twin.now = self.clock;
            self.happen(happening);
            self.wake_readers();
            left -= 1;
            if left == 0 {
                self.breaks("the world never comes to rest".into());
            }
            if self.broken.is_some() {
                return;
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Deliver(request) => self.deliver(request),
            Happening::Step(task, fate) => self.step(task, fate),
            Happening::Late(number) => {
                if let Some(op) = self.late[number].take() {
                    self.apply(usize::MAX, op);
                }
            }
            Happening::Pump(reader) => self.pump(reader),
            Happening::Visible(message) => self.receive_message(message),
            Happening::Again(message) => self.work_on(message),
            Happening::Audit => self.audit(),
            Happening::Sweep => self.sweep(),
            Happening::Complete => self.complete(),
            Happening::Pay(wish) => self.pay(wish),
            Happening::Notify(message) => self.receive_order(message),
            Happening::NotifyAgain(message) => self.notify(message),
            Happening::SeeTo(wish) => self.see_to(wish),
        }
    }

    /// Something happens in so many milliseconds.
    pub(super) fn after(&mut self, delay: i64, happening: Happening) {
        self.sequence += 1;
        let when = (self.clock + delay, self.sequence, happening);
        self.heap.push(Reverse(when));
    }

    /// The first law that is broken ends the world.
    pub(super) fn breaks(&mut self, law: String) {
        self.broken.get_or_insert(law);
    }

    /// Whether a fault happens that was drawn: not if it is masked out, spared or late.
    pub(super) fn strikes(&mut self, fault: Fault, drawn: bool) -> bool {
        if !drawn || self.calm || self.spec.faults >> (fault as u8) & 1 == 0 {
            return false;
        }
        self.faults_so_far += 1;
        if self.spec.spared.contains(&self.faults_so_far) {
            return false;
        }
        self.hits.0[fault as usize] += 1;
        true
    }

    /// How many faults there were.
    pub(super) fn faults(&self) -> u32 {
        self.faults_so_far
    }

    /// A process's clock: the world's, or a little off.
    pub(super) fn skewed(&mut self) -> Timestamp {
        let drawn = self.rng.chance(64);
        let off = self.rng.between(-900_000, 900_000);
        let off = if self.strikes(Fault::ClockSkew, drawn) {
            off
        } else {
            0
        };
        Timestamp::from_millisecond(self.clock + off).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Starts a process.
    pub(super) fn spawn(&mut self, role: Role, process: Process) {
        let task = Task {
            process,
            ask: None,
            role,
            parked_blindly: Vec::new(),
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.tasks[number] = Some(task);
                number
            }
            None => {
                self.tasks.push(Some(task));
                self.tasks.len() - 1
            }
        };
        self.poll(number);
    }

    fn poll(&mut self, number: usize) {
        let Some(task) = self.tasks[number].as_mut() else {
            return;
        };
        let mut context = Context::from_waker(Waker::noop());
        match task.process.as_mut().poll(&mut context) {
            Poll::Ready(end) => {
                let task = self.tasks[number].take();
                self.free.push(number);
                if let Some(task) = task {
                    self.ended(&task, end);
                }
            }
            Poll::Pending => {
                let ask = self.port.take_ask();
                let (fate, delay) = self.fate(ask.as_ref());
                if let Some(task) = self.tasks[number].as_mut() {
                    task.ask = ask;
                }
                self.after(delay, Happening::Step(number, fate));
            }
        }
    }

    fn ended(&mut self, task: &Task, end: End) {
        match (task.role, end) {
            (Role::Delivery(request), End::Received(result)) => {
                self.received(request, task, result);
            }
            (Role::Batch(reader), End::Batched(failed)) => self.batched(reader, failed),
            (Role::Mail(message), End::Mailed(done)) => self.mailed(message, done),
            (Role::Audit, End::Audited(result)) => self.audited(result),
            (Role::Sweep, End::Swept) => self.swept(),
            (Role::Complete, End::Completed) => self.completed(),
            (Role::Payout(wish), End::Paid(result)) => self.paid_out(wish, result),
            (Role::Notice(attempt), End::Notified(done)) => self.notified(attempt, done),
            (Role::Endpoint(wish), End::SeenTo(done)) => self.seen_to(wish, done),
            _ => self.breaks("a process ended as another".into()),
        }
    }

    fn died(&mut self, role: Role) {
        match role {
            Role::Delivery(request) => self.try_again(request),
            Role::Batch(reader) => self.batched(reader, Some(0)),
            // Its message becomes visible again; the next audit begins where this one did.
            Role::Mail(_) | Role::Audit | Role::Notice(_) => {}
            Role::Endpoint(wish) => self.seen_to(wish, false),
            Role::Sweep => self.swept(),
            Role::Complete => self.completed(),
            Role::Payout(wish) => self.ask_again(wish),
        }
    }

    fn step(&mut self, number: usize, fate: Fate) {
        let Some(task) = self.tasks[number].as_mut() else {
            return;
        };
        let (Some(ask), role) = (task.ask.take(), task.role) else {
            return;
        };
        if fate == Fate::CrashBefore {
            self.kill(number);
            return self.died(role);
        }
        let reply = match ask {
            Ask::Send(letter) => Reply::Mail(self.post(letter, fate)),
            Ask::Table(op) => Reply::Table(self.request(number, op, fate)),
            Ask::Api(wanted) => Reply::Api(self.enrich(wanted, fate)),
            Ask::Notice(sent) => Reply::Notice(self.take_notice(number, &sent, fate)),
            Ask::Queue(asked) => Reply::Queue(self.queue_notices(&asked, fate)),
        };
        if fate == Fate::CrashAfter {
            self.kill(number);
            return self.died(role);
        }
        self.port.answer(reply);
        self.poll(number);
    }

    fn kill(&mut self, number: usize) {
        self.tasks[number] = None;
        self.free.push(number);
    }

    /// Does a request, and watches what only the moment can tell.
    pub(super) fn apply(&mut self, number: usize, op: Op) -> Answer {
        let op = match self.mutant {
            Some(mutant) => mutant.before(self, op),
            None => op,
        };
        let watched = match &op {
            Op::Put(
                Item::Parked(..)
                | Item::Letter(_)
                | Item::Record(_)
                | Item::Commission(_)
                | Item::Standing(_)
                | Item::Payout(_)
                | Item::Told(_)
                | Item::Endpoint(_),
                _,
            ) => Some(op.clone()),
            _ => None,
        };
        let answer = match op {
            Op::Due(shard, until, most) => self.due(shard, until, most),
            op => self.twin.apply(op),
        };
        if let Some(Op::Put(item, _)) = watched {
            let done = matches!(answer, Answer::Put(Put::Done));
            self.watch(number, &item, done);
        }
        match self.mutant {
            Some(mutant) => mutant.after(self, number, answer),
            None => answer,
        }
    }

    /// What the process of that number is for, if it lives.
    pub(super) fn role(&self, number: usize) -> Option<Role> {
        Some(self.tasks.get(number)?.as_ref()?.role)
    }

    pub(super) fn flag_blind_parking(&mut self, number: usize, key: Key) {
        if let Some(Some(task)) = self.tasks.get_mut(number) {
            task.parked_blindly.push(key);
        }
    }

    /// New changes wake the stream's readers.
    fn wake_readers(&mut self) {
        while self.seen_changes < self.twin.changes.len() {
            let hash = self.twin.changes[self.seen_changes].hash;
            self.route_change(hash, self.seen_changes);
            self.seen_changes += 1;
        }
    }
}
