//! Twenty-five laws broken on purpose, one at a time, to see that the machinery notices.

use super::ledger_mutations;
use crate::proof::simulation::model_table::{TableAnswer, TableRequest};
use crate::proof::simulation::random::Rng;
use crate::proof::simulation::scheduler::{ProcessRole, Simulation};
use crate::proof::simulation::script::is_poison;
use domain::event::Fact;
use domain::record::{DueLetter, Effect, Entry, Record};
use jiff::Timestamp;
use std::sync::Arc;
use store::items::JOURNAL;
use store::{Item, WriteCondition};

/// A law broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "NAMES says it")]
pub enum Mutant {
    DropRing,
    EffectsFirst,
    StaleReads,
    ForgetPending,
    TieByArrival,
    RetryMail,
    ActOnOldCause,
    TrustAlias,
    StopAtPoison,
    RefundByDelivery,
    RoundParts,
    EarnOnTax,
    ForgetReversal,
    NumberAnew,
    RowsUnread,
    RowByDelivery,
    PayUnreleased,
    PaySuspected,
    PayDayAgain,
    NotifyTwice,
    NotifyEarly,
    RecordUndelivered,
    UnmarkUnsent,
    IgnoreAuditFindings,
    EnableWithoutMissed,
}

/// All of them.
pub const ALL: [(Mutant, &str); 25] = [
    (Mutant::DropRing, "drop the ring"),
    (Mutant::EffectsFirst, "write effects before the record"),
    (Mutant::StaleReads, "skip consistent reads"),
    (Mutant::ForgetPending, "forget pending after a crash"),
    (Mutant::TieByArrival, "tie broken by arrival"),
    (Mutant::RetryMail, "retry SES"),
    (Mutant::ActOnOldCause, "act on an old cause"),
    (Mutant::TrustAlias, "trust the alias before parking twice"),
    (Mutant::StopAtPoison, "fold stops at a poison event"),
    (Mutant::RefundByDelivery, "refund keyed by delivery"),
    (Mutant::RoundParts, "a refund's share rounded by itself"),
    (Mutant::EarnOnTax, "a commission on the tax"),
    (Mutant::ForgetReversal, "a reversal forgotten"),
    (Mutant::NumberAnew, "rows numbered anew"),
    (Mutant::RowsUnread, "the journal read without its rows"),
    (Mutant::RowByDelivery, "row keyed by delivery"),
    (
        Mutant::PayUnreleased,
        "a payout takes what is still held back by its hold",
    ),
    (
        Mutant::PaySuspected,
        "a payout takes what waits for a person",
    ),
    (Mutant::PayDayAgain, "the same day is paid again"),
    (
        Mutant::NotifyTwice,
        "a partner is told without a look at what it was told",
    ),
    (
        Mutant::NotifyEarly,
        "a release is told before the hold is over",
    ),
    (
        Mutant::RecordUndelivered,
        "a notice is written down before it is taken",
    ),
    (
        Mutant::UnmarkUnsent,
        "a row's mark is taken off, and its order not handed over",
    ),
    (
        Mutant::IgnoreAuditFindings,
        "nobody hears whom the audit names as untold",
    ),
    (
        Mutant::EnableWithoutMissed,
        "an endpoint is put on, and what it missed forgotten",
    ),
];

impl Mutant {
    /// What it makes of the entries of one delivery.
    pub(crate) fn alter_entries(
        self,
        world: &Simulation<'_>,
        entries: Vec<Arc<Entry>>,
    ) -> Vec<Arc<Entry>> {
        if !matches!(self, Self::TieByArrival | Self::RefundByDelivery) {
            return entries;
        }
        let arrival = world.deliveries;
        let distort = |entry: Arc<Entry>| {
            let mut entry = Entry::clone(&entry);
            for fact in &mut entry.event.facts {
                match (self, fact) {
                    (Self::TieByArrival, Fact::Subscription(seen)) => {
                        seen.previous_attributes = None;
                        entry.event.rank = (arrival % 256) as u8;
                    }
                    (Self::RefundByDelivery, Fact::Refund(seen)) => {
                        let delivery = format!("{}-{arrival}", entry.event.id);
                        seen.id = domain::ids::ObjectId::new(delivery);
                    }
                    _ => {}
                }
            }
            Arc::new(entry)
        };
        entries.into_iter().map(distort).collect()
    }

    /// What it makes of a request.
    pub(crate) fn alter_request(
        self,
        world: &mut Simulation<'_>,
        op: TableRequest,
    ) -> TableRequest {
        match (self, op) {
            (Self::StaleReads, op) => {
                if let TableRequest::Put(item, _) = &op {
                    let key = item.key();
                    let was = world.table.peek(&key).cloned();
                    world.stale_items.insert(key, was);
                }
                op
            }
            (Self::ActOnOldCause, TableRequest::Put(Item::Record(record), when)) => {
                let mut record = Record::clone(&record);
                let now = Timestamp::from_millisecond(world.clock).unwrap_or_default();
                let running = record.folded.state.subscriptions.iter();
                let running = running.filter(|(_, s)| s.terms.status.is_running());
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
                TableRequest::Put(Item::Record(Arc::new(record)), when)
            }
            (Self::StopAtPoison, TableRequest::Put(item @ Item::Record(_), when)) => {
                let partition = item.key().partition;
                let mut journal = world.table.with_prefix(&partition, JOURNAL);
                let stuck = journal.any(|item| match item {
                    Item::Entry(_, entry) => is_poison(&entry.event),
                    _ => false,
                });
                TableRequest::Put(
                    item,
                    if stuck {
                        WriteCondition::Version(u64::MAX)
                    } else {
                        when
                    },
                )
            }
            (mutant, op) if mutant.breaks_ledger() => {
                ledger_mutations::alter_request(mutant, world, op)
            }
            (_, op) => op,
        }
    }

    /// What it makes of an answer.
    pub(crate) fn alter_answer(
        self,
        world: &mut Simulation<'_>,
        process: usize,
        answer: TableAnswer,
    ) -> TableAnswer {
        match self {
            Self::StaleReads => world.stale_answer(answer),
            Self::ForgetPending => match answer {
                TableAnswer::Item(Some(Item::Record(record))) => {
                    TableAnswer::Item(Some(Item::Record(without_pending(&record))))
                }
                TableAnswer::Page(mut page) => {
                    for item in &mut page.items {
                        if let Item::Record(record) = item {
                            *record = without_pending(record);
                        }
                    }
                    TableAnswer::Page(page)
                }
                answer => answer,
            },
            // Else a payout would suffer before the ledger does.
            mutant => match world.role(process) {
                Some(ProcessRole::Payout(_)) => answer,
                _ => ledger_mutations::alter_answer(mutant, answer),
            },
        }
    }

    /// Whether it breaks a law of the fold by what is done in which order.
    pub(crate) fn breaks_fold(self) -> bool {
        matches!(self, Self::DropRing | Self::EffectsFirst | Self::TrustAlias)
    }

    /// Whether it breaks a law of the ledger by what is written.
    fn breaks_ledger(self) -> bool {
        matches!(
            self,
            Self::RoundParts
                | Self::EarnOnTax
                | Self::ForgetReversal
                | Self::NumberAnew
                | Self::RowByDelivery
        )
    }
}

impl Simulation<'_> {
    /// Whether the mutation loses the message that this process hands to a queue.
    pub(crate) fn drops_message(&self, process: usize) -> bool {
        matches!(
            (self.mutant, self.role(process)),
            (Some(Mutant::IgnoreAuditFindings), Some(ProcessRole::Audit))
                | (Some(Mutant::UnmarkUnsent), Some(ProcessRole::DueScan))
        )
    }
}

fn without_pending(record: &Record) -> Arc<Record> {
    Arc::new(Record {
        pending: Vec::new(),
        ..record.clone()
    })
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
