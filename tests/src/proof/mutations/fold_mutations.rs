//! What the mutations of appending and folding make of requests and answers.

use super::ledger_mutations;
use crate::proof::simulation::mutant::Mutant;
use crate::proof::simulation::script::is_poison;
use crate::proof::simulation::state::Simulation;
use domain::event::{Fact, NormalizedEvent};
use domain::ids::ObjectId;
use domain::letter::plan::DueLetter;
use domain::money::StatedAmount;
use domain::record::{Effect, Record};
use jiff::Timestamp;
use std::sync::Arc;
use store::items::{ALIAS, JOURNAL, customer_partition};
use store::letters::LetterRow;
use store::memory::{TableAnswer, TableRequest};
use store::{Item, Page, StoreError, WriteCondition};

/// Changes of one instant are ordered by when they arrived.
pub(crate) fn tie_by_arrival(event: &mut NormalizedEvent, arrival: u64) {
    for fact in &mut event.facts {
        if let Fact::Subscription(seen) = fact {
            seen.previous_attributes = None;
            event.rank = (arrival % 256) as u8;
        }
    }
}

/// A refund is another one with each delivery.
pub(crate) fn refund_by_delivery(event: &mut NormalizedEvent, arrival: u64) {
    for fact in &mut event.facts {
        if let Fact::Refund(seen) = fact {
            let delivery = format!("{}-{arrival}", event.id);
            seen.id = ObjectId::parse(delivery).expect("is an id");
        }
    }
}

/// Of an event with an unclear part nothing else is read.
pub(crate) fn hide_clear_part(event: &mut NormalizedEvent, _: u64) {
    if event
        .facts
        .iter()
        .any(|fact| matches!(fact, Fact::Unclear { .. }))
    {
        event
            .facts
            .retain(|fact| matches!(fact, Fact::Unclear { .. }));
    }
}

/// Whatever currency a refund states, it is taken for the payment's.
pub(crate) fn add_foreign_currency(event: &mut NormalizedEvent, _: u64) {
    for fact in &mut event.facts {
        if let Fact::Refund(seen) = fact {
            seen.amount = StatedAmount::in_currency_of_payment(seen.amount.minor);
        }
    }
}

/// No payment waits for what else it may be.
pub(crate) fn count_unlinked_twice(event: &mut NormalizedEvent, _: u64) {
    for fact in &mut event.facts {
        if let Fact::Payment(seen) = fact {
            seen.unlinked = false;
        }
    }
}

/// What the audit is told where an item is in the way.
pub(crate) fn alter_audit_answer(mutant: Mutant, answer: TableAnswer) -> TableAnswer {
    match answer {
        TableAnswer::Page(page)
            if mutant == Mutant::StopAtNewerItem
                && page
                    .items
                    .iter()
                    .any(|item| matches!(item, Item::Unreadable(_))) =>
        {
            TableAnswer::Error(StoreError::Invalid("an unknown format".into()))
        }
        answer => ledger_mutations::alter_answer(mutant, answer),
    }
}

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
