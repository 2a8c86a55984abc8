//! Laws of receiving, folding and claiming broken on purpose: what these mutants do instead.

use super::mutants::Mutant;
use domain::event::About;
use domain::ids::CustomerKey;
use domain::record::{AdvanceOutcome, Effect, Entry, Record};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::folding::{FoldStatus, read_journal, read_record};
use store::ingest::{AppendOutcome, append_or_park, retry_parked};
use store::items::{ALIAS, PARKED, reference_partition};
use store::letters::{LetterRow, LetterState};
use store::{Item, Key, PutOutcome, StoreError, Table, WriteCondition};

/// [`store::accept::receive`] with a law broken.
pub(crate) async fn receive<T: Table>(
    table: &T,
    entries: &[Arc<Entry>],
    now: Timestamp,
    mutant: Mutant,
) -> Result<Vec<AppendOutcome>, StoreError> {
    let mut verdicts = Vec::new();
    let mut touched: BTreeMap<CustomerKey, Vec<Arc<Entry>>> = BTreeMap::new();
    for entry in entries {
        let (verdict, customers) = match &entry.event.about {
            About::ByReference(_) if mutant == Mutant::TrustAlias => {
                park_once(table, entry).await?
            }
            About::ByReference(_) | About::Customer(_) => append_or_park(table, entry).await?,
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
) -> Result<(AppendOutcome, Vec<CustomerKey>), StoreError> {
    let fresh = retry_parked(table, entry).await?;
    let About::ByReference(references) = &entry.event.about else {
        return Ok((AppendOutcome::Repeated, fresh));
    };
    if !fresh.is_empty() {
        return Ok((AppendOutcome::Appended, fresh));
    }
    for reference in references {
        let partition = reference_partition(reference);
        let aliases = table.query(&partition, ALIAS, None).await?;
        if !aliases.items.is_empty() {
            return Ok((AppendOutcome::Repeated, fresh));
        }
    }
    for reference in references {
        let parked = Item::Parked(reference.clone(), entry.clone());
        table.put(parked, WriteCondition::Absent).await?;
    }
    Ok((AppendOutcome::Parked, fresh))
}

/// [`store::folding::fold`], or the same with a law broken.
pub(crate) async fn fold<T: Table>(
    table: &T,
    customer: &CustomerKey,
    new: Vec<Arc<Entry>>,
    now: Timestamp,
    mutant: Mutant,
) -> Result<FoldStatus, StoreError> {
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
            unseen.retain(|entry| last.as_ref() < Some(&entry.event.position()));
        }
        if unseen.is_empty() {
            put_effects(table, &record, now).await?;
            return Ok(FoldStatus::Done);
        }
        let next = match record.advance(&unseen, now) {
            AdvanceOutcome::AlreadyFolded => None,
            AdvanceOutcome::Next(next) => Some(*next),
            AdvanceOutcome::ReadJournal => {
                let journal = read_journal(table, customer).await?;
                record.rebuild(&journal, &unseen, now)
            }
        };
        let Some(next) = next else {
            put_effects(table, &record, now).await?;
            return Ok(FoldStatus::Done);
        };
        if broken == Mutant::EffectsFirst {
            put_effects(table, &next, now).await?;
        }
        let when = match record.version {
            0 => WriteCondition::Absent,
            version => WriteCondition::Version(version),
        };
        let next = Arc::new(next);
        if table.put(Item::Record(next.clone()), when).await? == PutOutcome::Done {
            put_effects(table, &next, now).await?;
            return Ok(FoldStatus::Done);
        }
    }
    Ok(FoldStatus::Contended)
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
                table.put(alias, WriteCondition::Absent).await?;
                let partition = reference_partition(reference);
                for item in table.query(&partition, PARKED, None).await?.items {
                    if let Item::Parked(_, entry) = item {
                        retry_parked(table, &entry).await?;
                    }
                }
            }
            Effect::Letter(due) => {
                let row = LetterRow::due(record.customer.clone(), due, now);
                table
                    .put(Item::Letter(Arc::new(row)), WriteCondition::Absent)
                    .await?;
            }
            Effect::Commission(row) => {
                let row = Item::Commission(Arc::new((**row).clone()));
                table.put(row, WriteCondition::Absent).await?;
            }
            Effect::ReferralStatus(row) => {
                let row = Item::ReferralStatus(Arc::new((**row).clone()));
                table.put(row, WriteCondition::Absent).await?;
            }
        }
    }
    if !record.pending.is_empty() {
        let cleared = Item::Record(Arc::new(record.cleared()));
        table
            .put(cleared, WriteCondition::Version(record.version))
            .await?;
    }
    Ok(())
}

/// Claims a letter without planning once more.
pub(crate) async fn claim_without_replanning<T: Table>(
    table: &T,
    order: &LetterRow,
    owner: &str,
    now: Timestamp,
) -> Result<Option<Arc<LetterRow>>, StoreError> {
    let key = Key::letter(&order.customer, order.letter, &order.cause);
    let Some(Item::Letter(row)) = table.get(key).await? else {
        return Ok(None);
    };
    if row.state != LetterState::Due {
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
    let put = table.put(
        Item::Letter(claimed.clone()),
        WriteCondition::Version(row.version),
    );
    Ok((put.await? == PutOutcome::Done).then_some(claimed))
}
