//! Twenty-five laws broken on purpose, one at a time, to see that the machinery notices.

use super::misbooking;
use super::random::Rng;
use super::told::is_poison;
use super::twin::{Answer, Op};
use super::world::{Role, World};
use domain::reading::Fact;
use domain::record::{Decided, Effect, Entry, Record};
use jiff::Timestamp;
use std::sync::Arc;
use store::items::JOURNAL;
use store::{Item, When};

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
    TellAgain,
    TellEarly,
    ToldUntaken,
    UnmarkUnordered,
    AuditUnheard,
    PutOnUnreminded,
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
        Mutant::TellAgain,
        "a partner is told without a look at what it was told",
    ),
    (
        Mutant::TellEarly,
        "a release is told before the hold is over",
    ),
    (
        Mutant::ToldUntaken,
        "a notice is written down before it is taken",
    ),
    (
        Mutant::UnmarkUnordered,
        "a row's mark is taken off, and its order not handed over",
    ),
    (
        Mutant::AuditUnheard,
        "nobody hears whom the audit names as untold",
    ),
    (
        Mutant::PutOnUnreminded,
        "an endpoint is put on, and what it missed forgotten",
    ),
];

impl Mutant {
    /// What it makes of the entries of one delivery.
    pub(super) fn distort(self, world: &World<'_>, entries: Vec<Arc<Entry>>) -> Vec<Arc<Entry>> {
        if !matches!(self, Self::TieByArrival | Self::RefundByDelivery) {
            return entries;
        }
        let arrival = world.deliveries;
        let distort = |entry: Arc<Entry>| {
            let mut entry = Entry::clone(&entry);
            for fact in &mut entry.reading.facts {
                match (self, fact) {
                    (Self::TieByArrival, Fact::Subscription(seen)) => {
                        seen.before = None;
                        entry.reading.rank = (arrival % 256) as u8;
                    }
                    (Self::RefundByDelivery, Fact::Refund(seen)) => {
                        let delivery = format!("{}-{arrival}", entry.reading.id);
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
    pub(super) fn before(self, world: &mut World<'_>, op: Op) -> Op {
        match (self, op) {
            (Self::StaleReads, op) => {
                if let Op::Put(item, _) = &op {
                    let key = item.key();
                    let was = world.twin.look(&key).cloned();
                    world.stale.insert(key, was);
                }
                op
            }
            (Self::ActOnOldCause, Op::Put(Item::Record(record), when)) => {
                let mut record = Record::clone(&record);
                let now = Timestamp::from_millisecond(world.clock).unwrap_or_default();
                let running = record.folded.state.subscriptions.iter();
                let running = running.filter(|(_, s)| s.terms.status.is_running());
                for (id, _) in running {
                    let due = Decided {
                        letter: domain::letters::Letter::Welcome,
                        cause: id.as_str().into(),
                        caused_at: now,
                    };
                    if !record.decided.iter().any(|d| d.cause == due.cause) {
                        record.decided.push(due.clone());
                        record.pending.push(Effect::Letter(due));
                    }
                }
                Op::Put(Item::Record(Arc::new(record)), when)
            }
            (Self::StopAtPoison, Op::Put(item @ Item::Record(_), when)) => {
                let partition = item.key().partition;
                let mut journal = world.twin.under(&partition, JOURNAL);
                let stuck = journal.any(|item| match item {
                    Item::Entry(_, entry) => is_poison(&entry.reading),
                    _ => false,
                });
                Op::Put(item, if stuck { When::Version(u64::MAX) } else { when })
            }
            (mutant, op) if mutant.misbooks() => misbooking::before(mutant, world, op),
            (_, op) => op,
        }
    }

    /// What it makes of an answer.
    pub(super) fn after(self, world: &mut World<'_>, process: usize, answer: Answer) -> Answer {
        match self {
            Self::StaleReads => world.stale_answer(answer),
            Self::ForgetPending => match answer {
                Answer::Item(Some(Item::Record(record))) => {
                    Answer::Item(Some(Item::Record(forgetful(&record))))
                }
                Answer::Page(mut page) => {
                    for item in &mut page.items {
                        if let Item::Record(record) = item {
                            *record = forgetful(record);
                        }
                    }
                    Answer::Page(page)
                }
                answer => answer,
            },
            // Else a payout would suffer before the ledger does.
            mutant => match world.role(process) {
                Some(Role::Payout(_)) => answer,
                _ => misbooking::after(mutant, answer),
            },
        }
    }

    /// Whether it breaks a law of the fold by what is done in which order.
    pub(super) fn misfolds(self) -> bool {
        matches!(self, Self::DropRing | Self::EffectsFirst | Self::TrustAlias)
    }

    /// Whether it breaks a law of the ledger by what is written.
    fn misbooks(self) -> bool {
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

fn forgetful(record: &Record) -> Arc<Record> {
    Arc::new(Record {
        pending: Vec::new(),
        ..record.clone()
    })
}

impl World<'_> {
    /// One read in eight is as if the last write to each item had not reached its replica.
    fn stale_answer(&mut self, answer: Answer) -> Answer {
        let mut rng = Rng::fork(self.spec.seed, self.clock as u64);
        if self.calm || !rng.one_in(8) {
            return answer;
        }
        let stale = |item: Item| match self.stale.get(&item.key()) {
            Some(was) => was.clone(),
            None => Some(item),
        };
        match answer {
            Answer::Item(Some(item)) => Answer::Item(stale(item)),
            Answer::Page(mut page) => {
                page.items = page.items.into_iter().filter_map(stale).collect();
                Answer::Page(page)
            }
            answer => answer,
        }
    }
}
