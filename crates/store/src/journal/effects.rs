//! What follows from a record, put into the table.

use crate::error::StoreError;
use crate::journal::guest::{hand_over, look_under_alias};
use crate::journal::rows::Alias;
use crate::letters::row::LetterRow;
use crate::port::Table;
use domain::ids::CustomerKey;
use domain::partner::ledger::CommissionRow;
use domain::partner::referral_status::ReferralStatusRow;
use domain::record::{Effect, Entry, Record};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// 5: writes a record if the one it came from still stands. None when it lost.
pub(crate) async fn write<T: Table>(
    table: &T,
    from: &Record,
    next: Record,
) -> Result<Option<Arc<Record>>, StoreError> {
    let next = Arc::new(next);
    let written = table.replace(next.clone(), from.version).await?;
    Ok(written.then_some(next))
}

/// Entries that went to the journals of others, who are to be folded.
pub(crate) type EntriesOfOthers = BTreeMap<CustomerKey, Vec<Arc<Entry>>>;

/// What came of a record's effects.
pub(crate) struct PutEffects {
    /// Entries that were parked and are now in this customer's journal, to be folded.
    pub(crate) brought: Vec<Arc<Entry>>,
    /// Whether effects remain that only a fold of the whole journal can name.
    remains: bool,
}

impl PutEffects {
    pub(crate) fn is_all(&self) -> bool {
        self.brought.is_empty() && !self.remains
    }
}

/// 6 and 7: puts what the record as written says is owed, then clears it; page after page, where
/// the journal it was made from is at hand.
pub(crate) async fn put_effects<T: Table>(
    table: &T,
    mut record: Arc<Record>,
    journal: &[Arc<Entry>],
    now: Timestamp,
    others: &mut EntriesOfOthers,
) -> Result<PutEffects, StoreError> {
    let mut brought = Vec::new();
    while !record.pending.is_empty() {
        for effect in &record.pending {
            brought.extend(put_effect(table, &record.customer, effect, now, others).await?);
        }
        // Losing this race is harmless: whoever won sees the same effects and puts them again.
        let Some(next) = write(table, &record, record.cleared_with_next(journal)).await? else {
            let remains = false;
            return Ok(PutEffects { brought, remains });
        };
        record = next;
    }
    let remains = record.remainder.is_some();
    Ok(PutEffects { brought, remains })
}

async fn put_effect<T: Table>(
    table: &T,
    customer: &CustomerKey,
    effect: &Effect,
    now: Timestamp,
    others: &mut EntriesOfOthers,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    match effect {
        Effect::Alias(reference) => {
            let alias = Alias {
                reference: reference.clone(),
                customer: customer.clone(),
            };
            table.insert(alias).await?;
            let found = look_under_alias(table, reference, customer, now).await?;
            for (guest, entry) in found.guests {
                others.entry(guest).or_default().push(entry);
            }
            return Ok(found.unparked);
        }
        Effect::HandOver(owner) => {
            let new = hand_over(table, customer, owner).await?;
            others.entry(owner.clone()).or_default().extend(new);
        }
        Effect::Letter(decided) => {
            let row = LetterRow::due(customer.clone(), decided, now);
            table.insert(Arc::new(row)).await?;
        }
        Effect::Commission(row) => {
            table.insert(Arc::new(CommissionRow::clone(row))).await?;
        }
        Effect::ReferralStatus(row) => {
            let row = ReferralStatusRow::clone(row);
            table.insert(Arc::new(row)).await?;
        }
    }
    Ok(Vec::new())
}
