//! From an authentic event to a journal entry: appended to its customer, or parked under what
//! it names until somebody knows whose that is.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::{ALIAS, Key, reference_partition};
use crate::journal::fan_out_row::FanOut;
use crate::journal::rows::{JournalEntry, ParkedEntry};
use crate::port::{InsertOutcome, Table};
use domain::event::About;
use domain::ids::{CustomerKey, Reference};
use domain::record::Entry;
use std::sync::Arc;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// In its customer's journal, for the first time.
    Appended,
    /// It was there already.
    Repeated,
    /// Waiting for somebody to know whose it is, or on its way to many.
    Parked,
}

/// Makes one entry durable. Gives the customers to whose journals it was new.
///
/// # Errors
/// When it may not be durable.
pub async fn append_or_park<T: Table>(
    table: &T,
    entry: &Arc<Entry>,
) -> Result<(AppendOutcome, Vec<CustomerKey>), StoreError> {
    match &entry.event.about {
        About::Customer(customer) => {
            let new = append(table, customer, entry).await?; // 1
            Ok(if new {
                (AppendOutcome::Appended, vec![customer.clone()])
            } else {
                (AppendOutcome::Repeated, Vec::new())
            })
        }
        About::ByReference(references) => append_by_reference(table, references, entry).await,
    }
}

async fn append_by_reference<T: Table>(
    table: &T,
    references: &[Reference],
    entry: &Arc<Entry>,
) -> Result<(AppendOutcome, Vec<CustomerKey>), StoreError> {
    // What several customers may share keeps its entries, for those who come later; what
    // belongs to one hands them over. Put first, look afterwards: whoever sets the alias does
    // the same, so one of the two sees the other.
    let shared = references.iter().any(Reference::is_shared);
    let mut known = if shared {
        Reached::default()
    } else {
        resolve_references(table, references).await?
    };
    let mut parked = false;
    if known.customers.is_empty() {
        for reference in references {
            let row = ParkedEntry {
                reference: reference.clone(),
                entry: entry.clone(),
            };
            parked |= match table.insert(row).await? {
                InsertOutcome::Inserted => true,
                InsertOutcome::Present(present) => is_ours(present.map(|row| row.entry), entry),
            };
        }
        known = resolve_references(table, references).await?;
        begin_fan_outs(table, &known, entry).await?;
        if known.customers.is_empty() {
            return Ok((
                if parked {
                    AppendOutcome::Parked
                } else {
                    AppendOutcome::Repeated
                },
                Vec::new(),
            ));
        }
    }
    let mut fresh = Vec::new();
    for customer in known.customers {
        if append(table, &customer, entry).await? {
            fresh.push(customer);
        }
    }
    // What another delivery of it parked is cleared by whoever hands it over.
    if !shared && parked {
        delete_parked(table, entry).await?;
    }
    Ok((
        if fresh.is_empty() {
            AppendOutcome::Repeated
        } else {
            AppendOutcome::Appended
        },
        fresh,
    ))
}

/// Puts an entry into a customer's journal. Whether it was new there.
///
/// # Errors
/// When the table does not answer.
async fn append<T: Table>(
    table: &T,
    customer: &CustomerKey,
    entry: &Arc<Entry>,
) -> Result<bool, StoreError> {
    Ok(match table.insert(journal_entry(customer, entry)).await? {
        InsertOutcome::Inserted => true,
        InsertOutcome::Present(present) => is_ours(present.map(|row| row.entry), entry),
    })
}

/// Puts a parked entry into a customer's journal. Whether it was new there: its receipt is that
/// of whoever parked it and tells nothing; one whose answer was lost is left to the stream.
pub(crate) async fn append_unparked<T: Table>(
    table: &T,
    customer: &CustomerKey,
    entry: &Arc<Entry>,
) -> Result<bool, StoreError> {
    let inserted = table.insert(journal_entry(customer, entry)).await?;
    Ok(inserted == InsertOutcome::Inserted)
}

/// Hands these entries, which are parked under a reference, to one of the customers behind it.
/// Gives what was new in the customer's journal.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn hand_over_parked<T: Table>(
    table: &T,
    reference: &Reference,
    customer: &CustomerKey,
    parked: Vec<ParkedEntry>,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let mut fresh = Vec::new();
    for ParkedEntry { entry, .. } in parked {
        if append_unparked(table, customer, &entry).await? {
            fresh.push(entry.clone());
        }
        if !reference.is_shared() {
            delete_parked(table, &entry).await?;
        }
    }
    Ok(fresh)
}

/// Looks once more for whom a parked entry is about, and hands it over.
///
/// # Errors
/// When the table does not answer.
pub async fn retry_parked<T: Table>(
    table: &T,
    entry: &Arc<Entry>,
) -> Result<Vec<CustomerKey>, StoreError> {
    let About::ByReference(references) = &entry.event.about else {
        return Ok(Vec::new());
    };
    // For that one nobody's reference will do: it is read again first.
    if entry.event.is_waiting() {
        return Ok(Vec::new());
    }
    let mut fresh = Vec::new();
    let known = resolve_references(table, references).await?;
    begin_fan_outs(table, &known, entry).await?;
    for customer in &known.customers {
        if append_unparked(table, customer, entry).await? {
            fresh.push(customer.clone());
        }
    }
    if !known.customers.is_empty() && !references.iter().any(Reference::is_shared) {
        delete_parked(table, entry).await?;
    }
    Ok(fresh)
}

/// Moves an entry from a reference that it does not name: an earlier version spelled it otherwise.
/// Gives the customers to whose journals it was new.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn move_parked<T: Table>(
    table: &T,
    stands_under: &Reference,
    entry: &Arc<Entry>,
) -> Result<Vec<CustomerKey>, StoreError> {
    let (_, fresh) = append_or_park(table, entry).await?;
    table
        .delete(Key::parked(stands_under, &entry.event.id))
        .await?;
    Ok(fresh)
}

/// Whom references lead to.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// Those who are reached at once.
    pub(crate) customers: Vec<CustomerKey>,
    /// References that lead to more than [`MAX_AT_ONCE`]: these are reached in the background.
    pub(crate) crowded: Vec<Reference>,
}

/// So many customers of one shared reference get an entry at once, from whoever brings it.
pub const MAX_AT_ONCE: usize = 8;

/// Leaves an entry that is parked to the background, for the customers of crowded references. Where
/// that was done before, it stays as it is.
async fn begin_fan_outs<T: Table>(
    table: &T,
    reached: &Reached,
    entry: &Arc<Entry>,
) -> Result<(), StoreError> {
    for reference in &reached.crowded {
        let row = FanOut::new(reference.clone(), entry);
        table.insert(Arc::new(row)).await?;
    }
    Ok(())
}

/// The customers these references lead to: of an object's ids the first that leads anywhere,
/// of shared ones all.
pub(crate) async fn resolve_references<T: Table>(
    table: &T,
    references: &[Reference],
) -> Result<Reached, StoreError> {
    let mut reached = Reached::default();
    for reference in references {
        let most = match reference.is_shared() {
            true => MAX_AT_ONCE,
            false => usize::MAX,
        };
        match first_customers(table, reference, most).await? {
            Some(customers) => reached.customers.extend(customers),
            None => reached.crowded.push(reference.clone()),
        }
        if !reached.customers.is_empty() && !reference.is_shared() {
            break;
        }
    }
    reached.customers.sort();
    reached.customers.dedup();
    Ok(reached)
}

/// The customers that a reference leads to; none when they are more than so many. Of those no more
/// pages are read than show it.
async fn first_customers<T: Table>(
    table: &T,
    reference: &Reference,
    most: usize,
) -> Result<Option<Vec<CustomerKey>>, StoreError> {
    let (mut customers, mut after) = (Vec::new(), None);
    loop {
        let page = table
            .query(&reference_partition(reference), ALIAS, after)
            .await?;
        for item in page.items {
            if let Item::Alias(_, customer) = item.into_readable()? {
                customers.push(customer);
            }
        }
        if customers.len() > most {
            return Ok(None);
        }
        after = page.next;
        if after.is_none() {
            return Ok(Some(customers));
        }
    }
}

async fn delete_parked<T: Table>(table: &T, entry: &Entry) -> Result<(), StoreError> {
    let About::ByReference(references) = &entry.event.about else {
        return Ok(());
    };
    for reference in references.iter().filter(|reference| !reference.is_shared()) {
        table
            .delete(Key::parked(reference, &entry.event.id))
            .await?;
    }
    Ok(())
}

fn journal_entry(customer: &CustomerKey, entry: &Arc<Entry>) -> JournalEntry {
    JournalEntry {
        customer: customer.clone(),
        entry: entry.clone(),
    }
}

/// A refused put is new all the same when what is there is our own earlier, unanswered one.
fn is_ours(present: Option<Arc<Entry>>, entry: &Entry) -> bool {
    present.is_some_and(|present| present.receipt == entry.receipt)
}
