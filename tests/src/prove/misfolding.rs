//! Laws of receiving, folding and claiming broken on purpose: what these mutants do instead.

use super::mutants::Mutant;
use domain::ids::CustomerKey;
use domain::reading::About;
use domain::record::{Effect, Entry, Record, Step};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::accept::{Verdict, accept, retry_parked};
use store::folding::{Outcome, read_journal, read_record};
use store::items::{ALIAS, PARKED, reference_partition};
use store::letters::{LetterRow, LetterState};
use store::{Item, Key, Put, StoreError, Table, When};

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
