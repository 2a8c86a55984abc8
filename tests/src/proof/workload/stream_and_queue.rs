//! The stream with its two readers, and the queue: batches in order, again on failure, and
//! gone after a day.

use super::handlers;
use crate::proof::simulation::activity::DAY;
use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::activity::SimulationActivity;
use crate::proof::simulation::faults::FaultKind;
use crate::proof::simulation::mutant::Mutant;
use crate::proof::simulation::port::PortMailer;
use crate::proof::simulation::records::QueuedLetter;
use crate::proof::simulation::records::StreamReader;
use crate::proof::simulation::state::Simulation;
use serde_json::json;
use store::letters::{LetterState, SendTask};
use store::{Item, Key};

const STREAM_SHARDS: usize = 2;
/// Attempts at a batch before it goes to its destination.
const MAX_BATCH_TRIES: u32 = 5;
/// Deliveries of a message before it goes to the dead-letter queue.
const MAX_LETTER_RECEIVES: u32 = 4;

impl Simulation<'_> {
    /// Two readers a shard, as the mappings allow.
    pub(crate) fn start_readers(&mut self) {
        let span = self.script.span_seconds.max(3600);
        for reader in 0..STREAM_SHARDS * 2 {
            let stalls = self.rng.one_in(8);
            let from =
                (crate::proof::simulation::script::START_SECOND + self.rng.between(0, span)) * 1000;
            self.stream_readers.push(StreamReader {
                pending_changes: Vec::new(),
                position: 0,
                in_flight: 0,
                for_queue: reader % 2 == 1,
                tries: 0,
                batch_size: 1 + self.rng.index(5),
                scheduled: false,
                stalls_at: if stalls { from } else { i64::MAX },
            });
        }
    }

    /// A change goes to the two readers of its partition's shard, if their filter lets it by.
    pub(crate) fn route_change(&mut self, change: usize) {
        let hash = self.table.changes[change].hash;
        let shard = (hash >> 7) as usize % STREAM_SHARDS;
        for reader in [shard * 2, shard * 2 + 1] {
            let for_queue = self.stream_readers[reader].for_queue;
            let new = self.table.changes[change].new.as_ref();
            if !new.is_some_and(|item| passes_filter(item, for_queue)) {
                continue;
            }
            self.stream_readers[reader].pending_changes.push(change);
            self.schedule_reader(reader, 4_000);
        }
    }

    fn schedule_reader(&mut self, reader: usize, window: i64) {
        if self.stream_readers[reader].scheduled {
            return;
        }
        self.stream_readers[reader].scheduled = true;
        let mut delay = self.rng.between(200, window);
        // A reader that stands still for more than a day loses what is older.
        if self.clock >= self.stream_readers[reader].stalls_at {
            self.stream_readers[reader].stalls_at = i64::MAX;
            if self.inject(FaultKind::StreamLost, true) {
                delay += DAY + self.rng.between(0, DAY);
            }
        }
        self.schedule(delay, SimulationActivity::ReadStream(reader));
    }

    /// A reader takes its next batch.
    pub(crate) fn read_batch(&mut self, reader: usize) {
        let clock = self.clock;
        let changes = &self.table.changes;
        let consumer = &mut self.stream_readers[reader];
        while let Some(change) = consumer.pending_changes.get(consumer.position) {
            if clock - changes[*change].at < DAY {
                break;
            }
            consumer.position += 1;
            self.stream_lost = true;
        }
        let twice = self.rng.one_in(16) && self.stream_readers[reader].position > 0;
        if self.inject(FaultKind::RecordTwice, twice) {
            self.stream_readers[reader].position -= 1;
        }
        let consumer = &mut self.stream_readers[reader];
        consumer.in_flight = consumer
            .batch_size
            .min(consumer.pending_changes.len() - consumer.position);
        let batch =
            &consumer.pending_changes[consumer.position..consumer.position + consumer.in_flight];
        let changes = &self.table.changes;
        let items: Vec<Item> = batch
            .iter()
            .filter_map(|change| changes[*change].new.clone())
            .collect();
        if items.is_empty() {
            self.stream_readers[reader].scheduled = false;
            return;
        }
        let process = if self.stream_readers[reader].for_queue {
            handlers::dispatch(self.port.clone(), items)
        } else {
            let now = self.skewed_now();
            handlers::journal_fold(self.port.clone(), items, now)
        };
        self.spawn(ProcessRole::Batch(reader), process);
    }

    /// A batch is done up to its first failure, which is tried again, by halves, and at last
    /// given up.
    pub(crate) fn batch_ended(&mut self, reader: usize, failed: Option<usize>) {
        let again = failed.is_none() && self.rng.one_in(16);
        let failed = if self.inject(FaultKind::BatchRerun, again) {
            Some(0)
        } else {
            failed
        };
        let calm = self.faults_stopped;
        let consumer = &mut self.stream_readers[reader];
        consumer.scheduled = false;
        let mut bisected = false;
        match failed {
            None => {
                consumer.position += consumer.in_flight;
                consumer.tries = 0;
            }
            Some(done) => {
                consumer.position += done;
                consumer.tries += 1;
                bisected = consumer.tries > 1 && consumer.in_flight > 1;
                if bisected {
                    consumer.batch_size = (consumer.batch_size / 2).max(1);
                }
            }
        }
        // Its age may end it before its retries do.
        let tries = consumer.tries;
        let old = tries > 0 && self.rng.one_in(12);
        let given_up = !calm && (tries >= MAX_BATCH_TRIES || self.inject(FaultKind::GivenUp, old));
        let consumer = &mut self.stream_readers[reader];
        if given_up {
            consumer.position += 1;
            consumer.tries = 0;
            self.stream_lost = true;
            self.fault_counts.0[FaultKind::GivenUp as usize] += u64::from(tries >= MAX_BATCH_TRIES);
        }
        if bisected {
            self.fault_counts.0[FaultKind::Bisect as usize] += 1;
        }
        let consumer = &mut self.stream_readers[reader];
        if consumer.tries == 0 {
            consumer.batch_size = 1 + self.rng.index(5);
        }
        let wait = 1_000_i64 << self.stream_readers[reader].tries;
        if self.stream_readers[reader].position < self.stream_readers[reader].pending_changes.len()
        {
            self.schedule_reader(reader, 1_000 + wait);
        }
    }

    /// A letter goes into the queue.
    pub(crate) fn enqueue_letter(&mut self, task: SendTask) {
        self.letter_queue.push(QueuedLetter {
            task,
            receives: 0,
            deleted: false,
        });
        let delay = self.rng.between(10, 2_000);
        self.schedule(
            delay,
            SimulationActivity::ReceiveLetterMessage(self.letter_queue.len() - 1),
        );
    }

    /// A worker takes a message; unless it is deleted, it comes back.
    pub(crate) fn receive_letter_message(&mut self, number: usize) {
        let message = &mut self.letter_queue[number];
        message.receives += 1;
        if message.deleted || message.receives > MAX_LETTER_RECEIVES {
            message.deleted = true;
            return;
        }
        let receives = i64::from(message.receives);
        let visible = self.rng.between(60_000, 400_000) * receives;
        self.schedule(visible, SimulationActivity::ReceiveLetterMessage(number));
        self.handle_letter_message(number);
        // The queue delivers at least once, and counts only approximately.
        let twice = self.rng.one_in(8);
        let later = self.rng.between(1, 300);
        if self.inject(FaultKind::QueueTwice, twice) {
            self.schedule(later, SimulationActivity::RedeliverLetterMessage(number));
        }
    }

    /// A worker is handed a message under the count it has.
    pub(crate) fn handle_letter_message(&mut self, number: usize) {
        let message = &self.letter_queue[number];
        let task = &message.task;
        let event = json!({ "Records": [{
            "messageId": format!("m{number}"),
            "body": task.to_text(),
            "attributes": { "ApproximateReceiveCount": message.receives.to_string() },
        }] });
        let mailer = PortMailer {
            port: self.port.clone(),
            letter: Key::letter(&task.customer, task.letter, &task.cause),
            retries: self.mutant == Some(Mutant::RetryMail),
        };
        let now = self.skewed_now();
        let process = handlers::engagement_email(mailer, event.to_string(), now);
        self.spawn(ProcessRole::Letter(number), process);
    }

    pub(crate) fn letter_handled(&mut self, message: usize, done: bool) {
        self.letter_queue[message].deleted |= done;
    }
}

fn passes_filter(item: &Item, for_queue: bool) -> bool {
    match item {
        Item::Letter(row) => for_queue && row.state == LetterState::Due,
        Item::Entry(..) | Item::Parked(..) | Item::ParkedUsage(_) => !for_queue,
        Item::Record(record) => !for_queue && record.owes(),
        Item::Commission(_) | Item::ReferralStatus(_) | Item::Payout(_) => for_queue,
        Item::Alias(..)
        | Item::FirstPayment(_)
        | Item::Partner(_)
        | Item::Checkpoint(_)
        | Item::ClosedBucket(_)
        | Item::FanOut(_)
        | Item::ShopNotice(_)
        | Item::ShopKey(_)
        | Item::Root(_)
        | Item::UsagePage(_)
        | Item::Cursor(_) => false,
        Item::Bank(_) | Item::TransferBatch(_) | Item::Report(..) => false,
        Item::NoticeEndpoint(_) | Item::DeliveryState(_) | Item::Unreadable(_) => false,
    }
}
