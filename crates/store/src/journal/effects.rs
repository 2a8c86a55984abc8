//! What follows from a record, put into the table.

use crate::error::StoreError;
use crate::journal::guest::{hand_over, look_under_alias};
use crate::journal::person_first;
use crate::journal::rows::Alias;
use crate::letters::row::LetterRow;
use crate::port::Table;
use domain::ids::CustomerKey;
use domain::partner::first_payment::FirstPayment;
use domain::partner::ledger::CommissionRow;
use domain::partner::referral_status::ReferralStatusRow;
use domain::record::{Effect, Entry, Record};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
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

/// What a record has not folded yet.
#[derive(Default)]
pub(crate) struct Heard {
    /// Entries of its journal.
    pub(crate) new: Vec<Arc<Entry>>,
    /// Whether another customer of the person may have paid earlier than the record knows.
    pub(crate) asks: bool,
}

impl Heard {
    pub(crate) fn is_empty(&self) -> bool {
        self.new.is_empty() && !self.asks
    }
}

/// Puts one effect. Gives the customers of the same person to whom it may make a difference: they
/// are told before it is cleared, or a crash would lose the announcement.
pub(crate) async fn put_effect<T: Table>(
    table: &T,
    record: &Record,
    effect: &Effect,
    now: Timestamp,
    heard: &mut Heard,
    others: &mut EntriesOfOthers,
) -> Result<BTreeSet<CustomerKey>, StoreError> {
    let customer = &record.customer;
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
            heard.new.extend(found.unparked);
        }
        Effect::HandOver(owner) => {
            let new = hand_over(table, customer, owner).await?;
            others.entry(owner.clone()).or_default().extend(new);
        }
        Effect::FirstPayment(own) => {
            let concerned = person_first::announce(table, customer, own).await?;
            heard.asks = earliest(table, record).await? != record.person_payments.earliest;
            return Ok(concerned);
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
    Ok(BTreeSet::new())
}

/// The earliest payment of the person that a record's customer is.
pub(crate) async fn earliest<T: Table>(
    table: &T,
    record: &Record,
) -> Result<Option<FirstPayment>, StoreError> {
    person_first::earliest(table, &record.folded.state.partners.names).await
}
