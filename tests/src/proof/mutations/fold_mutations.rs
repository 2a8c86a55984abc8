//! What the mutations of appending and folding make of requests and answers.

use crate::proof::simulation::script::is_poison;
use crate::proof::simulation::state::Simulation;
use domain::letter::plan::DueLetter;
use domain::record::{Effect, Record};
use jiff::Timestamp;
use std::sync::Arc;
use store::items::{ALIAS, JOURNAL, customer_partition};
use store::letters::LetterRow;
use store::memory::{TableAnswer, TableRequest};
use store::{Item, Page, WriteCondition};

/// Writes what a record decides just before the record itself.
pub(crate) fn write_effects_first(
    simulation: &mut Simulation<'_>,
    process: usize,
    record: &Record,
) {
    let now = Timestamp::from_millisecond(simulation.clock).unwrap_or_default();
    for effect in &record.pending {
        let item = match effect {
            Effect::Alias(reference) => Item::Alias(reference.clone(), record.customer.clone()),
            Effect::HandOver(_) => continue,
            Effect::Letter(due) => {
                Item::Letter(Arc::new(LetterRow::due(record.customer.clone(), due, now)))
            }
            Effect::Commission(row) => Item::Commission(Arc::new((**row).clone())),
            Effect::FirstPayment(_) => continue,
            Effect::ReferralStatus(row) => Item::ReferralStatus(Arc::new((**row).clone())),
        };
        simulation.apply(process, TableRequest::Put(item, WriteCondition::Absent));
    }
}

/// A record that takes every entry that is not after its last one for folded.
pub(crate) fn with_all_folded(simulation: &Simulation<'_>, record: &Record) -> Arc<Record> {
    let mut record = record.clone();
    let last = record.folded.last.clone();
    let partition = customer_partition(&record.customer);
    for item in simulation.table.with_prefix(&partition, JOURNAL) {
        if let Item::Entry(_, entry) = item
            && Some(entry.event.position()) <= last
        {
            // As the ring has it: the digest's first half.
            let digest = entry.digest.to_string();
            let short = digest.get(..16).map(|half| u64::from_str_radix(half, 16));
            record.ring.extend(short.and_then(Result::ok));
        }
    }
    Arc::new(record)
}

/// A record without what it has decided.
pub(crate) fn without_pending(record: &Record) -> Arc<Record> {
    Arc::new(Record {
        pending: Vec::new(),
        ..record.clone()
    })
}

/// A record that decides a letter for what is long past, as if it came to be now.
pub(crate) fn with_new_cause(simulation: &Simulation<'_>, record: &Record) -> Arc<Record> {
    let mut record = record.clone();
    let now = Timestamp::from_millisecond(simulation.clock).unwrap_or_default();
    let running = record.folded.state.subscriptions.iter();
    let running = running.filter(|(_, subscription)| subscription.terms.status.is_running());
    for (id, _) in running {
        let due = DueLetter {
            letter: domain::letter::Letter::Welcome,
            cause: id.as_str().into(),
            caused_at: now,
        };
        if !record.due_letters.iter().any(|d| d.cause == due.cause) {
            record.due_letters.push(due.clone());
            record.pending.push(Effect::Letter(due));
        }
    }
    Arc::new(record)
}

/// Whether a record can't be written because a poison event is in its journal.
pub(crate) fn is_stuck(simulation: &Simulation<'_>, record: &Record) -> bool {
    let partition = customer_partition(&record.customer);
    let mut journal = simulation.table.with_prefix(&partition, JOURNAL);
    journal.any(|item| match item {
        Item::Entry(_, entry) => is_poison(&entry.event),
        _ => false,
    })
}

/// No alias for whoever parked behind one that stood already: as if it had not looked again.
pub(crate) fn hide_alias(
    simulation: &Simulation<'_>,
    process: usize,
    request: &TableRequest,
    answer: TableAnswer,
) -> TableAnswer {
    let is_second_look = match request {
        TableRequest::Query(_, prefix, _) => **prefix == *ALIAS,
        _ => false,
    };
    if is_second_look && simulation.has_parked_blindly(process) {
        return TableAnswer::Page(Page::default());
    }
    answer
}
