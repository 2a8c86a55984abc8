//! Nineteen laws broken on purpose, one at a time, to see that the machinery notices.

use super::misbooking;
use super::random::Rng;
use super::told::is_poison;
use super::twin::{Answer, Op};
use super::world::World;
use domain::ids::CustomerKey;
use domain::reading::{About, Fact};
use domain::record::{Decided, Effect, Entry, Record, Step};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::accept::{Verdict, accept, retry_parked};
use store::folding::{Outcome, read_journal, read_record};
use store::items::{ALIAS, JOURNAL, PARKED, reference_partition};
use store::letters::{LetterRow, LetterState};
use store::{Item, Key, Put, StoreError, Table, When};

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
}

/// All of them.
pub const ALL: [(Mutant, &str); 19] = [
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
    pub(super) fn after(self, world: &mut World<'_>, answer: Answer) -> Answer {
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
            mutant => misbooking::after(mutant, answer),
        }
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

/// [`store::accept::receive`] with a law broken.
pub(super) async fn receive<T: Table>(
    table: &T,
    entries: &[Arc<Entry>],
    now: Timestamp,
    mutant: Mutant,
) -> Result<Vec<Verdict>, StoreError> {
    let mut verdicts = Vec::new();
    let mut touched: BTreeMap<CustomerKey, Vec<Arc<Entry>>> = BTreeMap::new();
    for entry in entries {
        let (verdict, customers) = match &entry.reading.about {
            About::Behind(_) if mutant == Mutant::TrustAlias => park_once(table, entry).await?,
            About::Behind(_) | About::Customer(_) => accept(table, entry).await?,
        };
        verdicts.push(verdict);
        for customer in customers {
            touched.entry(customer).or_default().push(entry.clone());
        }
    }
    for (customer, new) in touched {
        // What goes wrong is left to the stream.
        let _ = fold(table, &customer, new, now, mutant).await;
    }
    Ok(verdicts)
}

/// Looks for the alias, then parks, and does not look again.
async fn park_once<T: Table>(
    table: &T,
    entry: &Arc<Entry>,
) -> Result<(Verdict, Vec<CustomerKey>), StoreError> {
    let fresh = retry_parked(table, entry).await?;
    let About::Behind(references) = &entry.reading.about else {
        return Ok((Verdict::Repeated, fresh));
    };
    if !fresh.is_empty() {
        return Ok((Verdict::Appended, fresh));
    }
    for reference in references {
        let partition = reference_partition(reference);
        let aliases = table.query(&partition, ALIAS, None).await?;
        if !aliases.items.is_empty() {
            return Ok((Verdict::Repeated, fresh));
        }
    }
    for reference in references {
        let parked = Item::Parked(reference.clone(), entry.clone());
        table.put(parked, When::Absent).await?;
    }
    Ok((Verdict::Parked, fresh))
}

/// [`store::folding::fold`], or the same with a law broken.
pub(super) async fn fold<T: Table>(
    table: &T,
    customer: &CustomerKey,
    new: Vec<Arc<Entry>>,
    now: Timestamp,
    mutant: Mutant,
) -> Result<Outcome, StoreError> {
    let broken = match mutant {
        Mutant::DropRing | Mutant::EffectsFirst => mutant,
        _ => return store::folding::fold(table, customer, new, now).await,
    };
    for _ in 0..5 {
        let there = read_record(table, customer).await?;
        let record = there.unwrap_or_else(|| Arc::new(Record::new(customer.clone())));
        let last = record.folded.last.clone();
        let mut unseen = new.clone();
        if broken == Mutant::DropRing {
            // Without the ring, what is not after the last is taken for folded.
            unseen.retain(|entry| last.as_ref() < Some(&entry.reading.position()));
        }
        if unseen.is_empty() {
            put_effects(table, &record, now).await?;
            return Ok(Outcome::Done);
        }
        let next = match record.advance(&unseen, now) {
            Step::Folded => None,
            Step::Next(next) => Some(*next),
            Step::ReadJournal => {
                let journal = read_journal(table, customer).await?;
                record.rebuild(&journal, &unseen, now)
            }
        };
        let Some(next) = next else {
            put_effects(table, &record, now).await?;
            return Ok(Outcome::Done);
        };
        if broken == Mutant::EffectsFirst {
            put_effects(table, &next, now).await?;
        }
        let when = match record.version {
            0 => When::Absent,
            version => When::Version(version),
        };
        let next = Arc::new(next);
        if table.put(Item::Record(next.clone()), when).await? == Put::Done {
            put_effects(table, &next, now).await?;
            return Ok(Outcome::Done);
        }
    }
    Ok(Outcome::Contended)
}

async fn put_effects<T: Table>(
    table: &T,
    record: &Record,
    now: Timestamp,
) -> Result<(), StoreError> {
    for effect in &record.pending {
        match effect {
            Effect::Alias(reference) => {
                let alias = Item::Alias(reference.clone(), record.customer.clone());
                table.put(alias, When::Absent).await?;
                let partition = reference_partition(reference);
                for item in table.query(&partition, PARKED, None).await?.items {
                    if let Item::Parked(_, entry) = item {
                        retry_parked(table, &entry).await?;
                    }
                }
            }
            Effect::Letter(due) => {
                let row = LetterRow::owed(record.customer.clone(), due, now);
                table.put(Item::Letter(Arc::new(row)), When::Absent).await?;
            }
            Effect::Commission(row) => {
                let row = Item::Commission(Arc::new((**row).clone()));
                table.put(row, When::Absent).await?;
            }
            Effect::Standing(row) => {
                let row = Item::Standing(Arc::new((**row).clone()));
                table.put(row, When::Absent).await?;
            }
        }
    }
    if !record.pending.is_empty() {
        let cleared = Item::Record(Arc::new(record.cleared()));
        table.put(cleared, When::Version(record.version)).await?;
    }
    Ok(())
}

/// Claims a letter without planning once more.
pub(super) async fn claim_as_it_stands<T: Table>(
    table: &T,
    order: &LetterRow,
    owner: &str,
    now: Timestamp,
) -> Result<Option<Arc<LetterRow>>, StoreError> {
    let key = Key::letter(&order.customer, order.letter, &order.cause);
    let Some(Item::Letter(row)) = table.get(key).await? else {
        return Ok(None);
    };
    if row.state != LetterState::Owed {
        return Ok(None);
    }
    let claimed = Arc::new(LetterRow {
        version: row.version + 1,
        state: LetterState::Claimed {
            owner: owner.into(),
            claimed_at: now,
        },
        ..LetterRow::clone(&row)
    });
    let put = table.put(Item::Letter(claimed.clone()), When::Version(row.version));
    Ok((put.await? == Put::Done).then_some(claimed))
}
