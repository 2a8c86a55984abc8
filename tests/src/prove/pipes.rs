//! The stream with its two readers, and the queue: batches in order, again on failure, and
//! gone after a day.

use super::faults::Fault;
use super::handlers;
use super::happening::DAY;
use super::port::Posted;
use super::world::{Happening, Role, World};
use jiff::Timestamp;
use std::sync::Arc;
use store::letters::{LetterRow, LetterState};
use store::notices::Order;
use store::{Item, Key};

const SHARDS: usize = 2;
/// Attempts at a batch before it goes to its destination.
const MOST_TRIES: u32 = 5;
/// Deliveries of a message before it goes to the dead-letter queue.
const MOST_RECEIVES: u32 = 4;

/// One reader of one shard.
#[derive(Clone, Debug)]
pub(super) struct Consumer {
    /// Positions in the table's changes.
    log: Vec<usize>,
    at: usize,
    /// Records under way, from `at`.
    taken: usize,
    /// Only letters and rows, for the queues; or entries, records and parked ones, to be folded.
    for_queue: bool,
    tries: u32,
    most: usize,
    scheduled: bool,
    /// From when it stands still for more than a day, once.
    stalls_at: i64,
}

/// A message: a letter to be sent.
#[derive(Clone, Debug)]
pub(super) struct Message {
    row: Arc<LetterRow>,
    receives: u32,
    gone: bool,
}

impl World<'_> {
    /// Two readers a shard, as the mappings allow.
    pub(super) fn start_readers(&mut self) {
        let span = self.story.span.max(3600);
        for reader in 0..SHARDS * 2 {
            let stalls = self.rng.one_in(8);
            let from = (super::told::BEGIN + self.rng.between(0, span)) * 1000;
            self.consumers.push(Consumer {
                log: Vec::new(),
                at: 0,
                taken: 0,
                for_queue: reader % 2 == 1,
                tries: 0,
                most: 1 + self.rng.index(8),
                scheduled: false,
                stalls_at: if stalls { from } else { i64::MAX },
            });
        }
    }

    /// A change goes to the two readers of its partition's shard, if their filter lets it by.
    pub(super) fn route_change(&mut self, hash: u64, change: usize) {
        let shard = (hash >> 7) as usize % SHARDS;
        for reader in [shard * 2, shard * 2 + 1] {
            let for_queue = self.consumers[reader].for_queue;
            let new = self.twin.changes[change].new.as_ref();
            if !new.is_some_and(|item| concerns(item, for_queue)) {
                continue;
            }
            self.consumers[reader].log.push(change);
            self.schedule_reader(reader, 4_000);
        }
    }

    fn schedule_reader(&mut self, reader: usize, window: i64) {
        if self.consumers[reader].scheduled {
            return;
        }
        self.consumers[reader].scheduled = true;
        let mut delay = self.rng.between(200, window);
        // A reader that stands still for more than a day loses what is older.
        if self.clock >= self.consumers[reader].stalls_at {
            self.consumers[reader].stalls_at = i64::MAX;
            if self.strikes(Fault::StreamLost, true) {
                delay += DAY + self.rng.between(0, DAY);
            }
        }
        self.after(delay, Happening::Pump(reader));
    }

    /// A reader takes its next batch.
    pub(super) fn pump(&mut self, reader: usize) {
        let clock = self.clock;
        let changes = &self.twin.changes;
        let consumer = &mut self.consumers[reader];
        while let Some(change) = consumer.log.get(consumer.at) {
            if clock - changes[*change].at < DAY {
                break;
            }
            consumer.at += 1;
            self.stream_lost = true;
        }
        let twice = self.rng.one_in(16) && self.consumers[reader].at > 0;
        if self.strikes(Fault::RecordTwice, twice) {
            self.consumers[reader].at -= 1;
        }
        let consumer = &mut self.consumers[reader];
        consumer.taken = consumer.most.min(consumer.log.len() - consumer.at);
        let batch = &consumer.log[consumer.at..consumer.at + consumer.taken];
        let changes = &self.twin.changes;
        let items: Vec<Item> = batch
            .iter()
            .filter_map(|change| changes[*change].new.clone())
            .collect();
        if items.is_empty() {
            self.consumers[reader].scheduled = false;
            return;
        }
        if self.consumers[reader].for_queue {
            self.dispatch(reader, items);
        } else {
            let now = self.skewed();
            let process = handlers::journal_fold(self.port.clone(), items, now, self.mutant);
            self.spawn(Role::Batch(reader), process);
        }
    }

    /// `dispatch`: what was put as owed, or for a partner to know, becomes a message.
    fn dispatch(&mut self, reader: usize, items: Vec<Item>) {
        let dies = self.rng.chance(self.roughness);
        let dies = self.strikes(Fault::CrashElsewhere, dies);
        let whole = items.len();
        let reaches = if dies {
            self.rng.index(whole + 1)
        } else {
            whole
        };
        for item in items.into_iter().take(reaches) {
            if let Some(order) = Order::of(&item) {
                self.order(order);
            } else if let Item::Letter(row) = item {
                self.enqueue(row);
            }
        }
        self.batched(reader, dies.then_some(0));
    }

    /// A batch is done up to its first failure, which is tried again, by halves, and at last
    /// given up.
    pub(super) fn batched(&mut self, reader: usize, failed: Option<usize>) {
        let again = failed.is_none() && self.rng.one_in(16);
        let failed = if self.strikes(Fault::BatchRerun, again) {
            Some(0)
        } else {
            failed
        };
        let calm = self.calm;
        let consumer = &mut self.consumers[reader];
        consumer.scheduled = false;
        let mut bisected = false;
        match failed {
            None => {
                consumer.at += consumer.taken;
                consumer.tries = 0;
            }
            Some(done) => {
                consumer.at += done;
                consumer.tries += 1;
                bisected = consumer.tries > 1 && consumer.taken > 1;
                if bisected {
                    consumer.most = (consumer.most / 2).max(1);
                }
            }
        }
        // Its age may end it before its retries do.
        let tries = consumer.tries;
        let old = tries > 0 && self.rng.one_in(12);
        let given_up = !calm && (tries >= MOST_TRIES || self.strikes(Fault::GivenUp, old));
        let consumer = &mut self.consumers[reader];
        if given_up {
            consumer.at += 1;
            consumer.tries = 0;
            self.stream_lost = true;
            self.hits.0[Fault::GivenUp as usize] += u64::from(tries >= MOST_TRIES);
        }
        if bisected {
            self.hits.0[Fault::Bisect as usize] += 1;
        }
        let consumer = &mut self.consumers[reader];
        if consumer.tries == 0 && self.rng.one_in(4) {
            consumer.most = 1 + self.rng.index(8);
        }
        let wait = 1_000_i64 << self.consumers[reader].tries;
        if self.consumers[reader].at < self.consumers[reader].log.len() {
            self.schedule_reader(reader, 1_000 + wait);
        }
    }

    /// A letter goes into the queue.
    pub(super) fn enqueue(&mut self, row: Arc<LetterRow>) {
        self.queue.push(Message {
            row,
            receives: 0,
            gone: false,
        });
        let delay = self.rng.between(10, 2_000);
        self.after(delay, Happening::Visible(self.queue.len() - 1));
    }

    /// A worker takes a message; unless it is deleted, it comes back.
    pub(super) fn receive_message(&mut self, number: usize) {
        let message = &mut self.queue[number];
        message.receives += 1;
        if message.gone || message.receives > MOST_RECEIVES {
            message.gone = true;
            return;
        }
        let receives = i64::from(message.receives);
        let visible = self.rng.between(60_000, 400_000) * receives;
        self.after(visible, Happening::Visible(number));
        self.work_on(number);
        // The queue delivers at least once, and counts only approximately.
        let twice = self.rng.one_in(8);
        let later = self.rng.between(1, 300);
        if self.strikes(Fault::QueueTwice, twice) {
            self.after(later, Happening::Again(number));
        }
    }

    /// A worker is handed a message under the count it has.
    pub(super) fn work_on(&mut self, number: usize) {
        let message = &self.queue[number];
        let (row, owner) = (
            message.row.clone(),
            format!("m{number}#{}", message.receives),
        );
        let now = self.skewed();
        let mutant = self.mutant;
        let process = handlers::engagement_email(self.port.clone(), row, owner, now, mutant);
        self.spawn(Role::Mail(number), process);
    }

    pub(super) fn mailed(&mut self, message: usize, done: bool) {
        self.queue[message].gone |= done;
    }

    /// The mail service takes a letter in.
    pub(super) fn accept_letter(&mut self, letter: Key) {
        let row = match self.twin.look(&letter) {
            Some(Item::Letter(row)) => row.clone(),
            _ => return self.breaks(format!("{letter} was sent and stands nowhere")),
        };
        let end = row.letter.window_end(row.caused_at).as_millisecond();
        // Two clocks may be off, and a process may have been frozen after its claim.
        if self.clock > end + 3 * 900_000 {
            self.breaks(format!("{letter} was sent after its window"));
        }
        let state = &row.state;
        if !matches!(
            state,
            LetterState::Claimed { .. } | LetterState::Unknown { .. }
        ) {
            self.breaks(format!("{letter} was sent while {}", state.name()));
        }
        let times = self.accepted.entry(letter.clone()).or_default();
        *times += 1;
        if *times > 1 {
            self.breaks(format!("{letter} was sent twice"));
        }
    }
}

fn concerns(item: &Item, for_queue: bool) -> bool {
    match item {
        Item::Letter(row) => for_queue && row.state == LetterState::Owed,
        Item::Entry(..) | Item::Parked(..) => !for_queue,
        Item::Record(record) => !for_queue && !record.pending.is_empty(),
        Item::Commission(_) | Item::Standing(_) | Item::Payout(_) => for_queue,
        Item::Alias(..) | Item::Partner(_) | Item::Cursor(_) => false,
        Item::Bank(_) | Item::Transfers(_) | Item::Report(..) => false,
        Item::Endpoint(_) | Item::Told(_) => false,
    }
}

/// The state in which a worker leaves a letter after the mail service's answer.
pub(super) fn outcome(posted: Posted, at: Timestamp) -> LetterState {
    match posted {
        Posted::Accepted => LetterState::Sent {
            at,
            message_id: "m".into(),
        },
        Posted::Throttled => LetterState::Owed,
        Posted::Rejected => LetterState::Failed {
            at,
            reason: "refused".into(),
        },
        Posted::Unknown => LetterState::Unknown { at },
    }
}
