//! From an authentic event to a journal entry: appended to its customer, or parked under what
//! it names until somebody knows whose that is.

use crate::folding;
use crate::items::{ALIAS, Item, Key, PARKED, reference_partition};
use crate::port::{Put, StoreError, Table, When, query_all};
use domain::ids::{CustomerKey, Reference};
use domain::reading::About;
use domain::record::Entry;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// In its customer's journal, for the first time.
    Appended,
    /// It was there already.
    Repeated,
    /// Waiting for somebody to know whose it is.
    Parked,
}

/// Takes in the entries of one request: each is durable when this returns, and the records they
/// concern have been folded as far as possible; what is left the stream and the audit do.
///
/// # Errors
/// When an entry may not be durable: the sender must try again.
pub async fn receive<T: Table>(
    table: &T,
    entries: &[Arc<Entry>],
    now: Timestamp,
) -> Result<Vec<Verdict>, StoreError> {
    let mut verdicts = Vec::with_capacity(entries.len());
    let mut touched: BTreeMap<CustomerKey, Vec<Arc<Entry>>> = BTreeMap::new();
    for entry in entries {
        let (verdict, customers) = accept(table, entry).await?;
        verdicts.push(verdict);
        for customer in customers {
            touched.entry(customer).or_default().push(entry.clone());
        }
    }
    for (customer, new) in touched {
        folding::fold_or_leave(table, &customer, new, now).await;
    }
    Ok(verdicts)
}

/// Makes one entry durable. Gives the customers to whose journals it was new.
///
/// # Errors
/// When it may not be durable.
pub async fn accept<T: Table>(
    table: &T,
    entry: &Arc<Entry>,
) -> Result<(Verdict, Vec<CustomerKey>), StoreError> {
    match &entry.reading.about {
        About::Customer(customer) => {
            let new = append(table, customer, entry).await?; // 1
            Ok(if new {
                (Verdict::Appended, vec![customer.clone()])
            } else {
                (Verdict::Repeated, Vec::new())
            })
        }
        About::Behind(references) => accept_behind(table, references, entry).await,
    }
}

async fn accept_behind<T: Table>(
    table: &T,
    references: &[Reference],
    entry: &Arc<Entry>,
) -> Result<(Verdict, Vec<CustomerKey>), StoreError> {
    // What several customers may share keeps its entries, for those who come later; what
    // belongs to one hands them over. Put first, look afterwards: whoever sets the alias does
    // the same, so one of the two sees the other.
    let shared = references.iter().any(Reference::is_shared);
    let mut known = if shared {
        Vec::new()
    } else {
        behind(table, references).await?
    };
    let mut parked = false;
    if known.is_empty() {
        for reference in references {
            let item = Item::Parked(reference.clone(), entry.clone());
            parked |= is_new(table.put(item, When::Absent).await?, entry);
        }
        known = behind(table, references).await?;
        if known.is_empty() {
            return Ok((
                if parked {
                    Verdict::Parked
                } else {
                    Verdict::Repeated
                },
                Vec::new(),
            ));
        }
    }
    let mut fresh = Vec::new();
    for customer in known {
        if append(table, &customer, entry).await? {
            fresh.push(customer);
        }
    }
    // What another delivery of it parked is cleared by whoever hands it over.
    if !shared && parked {
        unpark(table, entry).await?;
    }
    Ok((
        if fresh.is_empty() {
            Verdict::Repeated
        } else {
            Verdict::Appended
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
    let item = Item::Entry(customer.clone(), entry.clone());
    Ok(is_new(table.put(item, When::Absent).await?, entry))
}

/// Puts a parked entry into a customer's journal. Whether it was new there: its receipt is that
/// of whoever parked it and tells nothing; one whose answer was lost is left to the stream.
async fn hand<T: Table>(
    table: &T,
    customer: &CustomerKey,
    entry: &Arc<Entry>,
) -> Result<bool, StoreError> {
    let item = Item::Entry(customer.clone(), entry.clone());
    Ok(table.put(item, When::Absent).await? == Put::Done)
}

/// Hands what is parked under a reference to one of the customers behind it. Gives what was
/// new in the customer's journal.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn hand_over<T: Table>(
    table: &T,
    reference: &Reference,
    customer: &CustomerKey,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let mut fresh = Vec::new();
    for item in query_all(table, &reference_partition(reference), PARKED).await? {
        let Item::Parked(_, entry) = item else {
            continue;
        };
        if hand(table, customer, &entry).await? {
            fresh.push(entry.clone());
        }
        if !reference.is_shared() {
            unpark(table, &entry).await?;
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
    let About::Behind(references) = &entry.reading.about else {
        return Ok(Vec::new());
    };
    // For that one nobody's reference will do: it is read again first.
    if entry.reading.is_waiting() {
        return Ok(Vec::new());
    }
    let mut fresh = Vec::new();
    let known = behind(table, references).await?;
    for customer in &known {
        if hand(table, customer, entry).await? {
            fresh.push(customer.clone());
        }
    }
    if !known.is_empty() && !references.iter().any(Reference::is_shared) {
        unpark(table, entry).await?;
    }
    Ok(fresh)
}

/// The customers these references lead to: of an object's ids the first that leads anywhere,
/// of shared ones all.
pub(crate) async fn behind<T: Table>(
    table: &T,
    references: &[Reference],
) -> Result<Vec<CustomerKey>, StoreError> {
    let mut customers: Vec<CustomerKey> = Vec::new();
    for reference in references {
        let aliases = query_all(table, &reference_partition(reference), ALIAS).await?;
        customers.extend(aliases.into_iter().filter_map(Item::into_aliased));
        if !customers.is_empty() && !reference.is_shared() {
            break;
        }
    }
    customers.sort();
    customers.dedup();
    Ok(customers)
}

async fn unpark<T: Table>(table: &T, entry: &Entry) -> Result<(), StoreError> {
    let About::Behind(references) = &entry.reading.about else {
        return Ok(());
    };
    for reference in references.iter().filter(|reference| !reference.is_shared()) {
        table
            .delete(Key::parked(reference, &entry.reading.id))
            .await?;
    }
    Ok(())
}

/// A refused put is new all the same when what is there is our own earlier, unanswered one.
fn is_new(put: Put, entry: &Entry) -> bool {
    match put {
        Put::Done => true,
        Put::Refused(Some(there)) => match *there {
            Item::Entry(_, there) | Item::Parked(_, there) => there.receipt == entry.receipt,
            Item::Record(_)
            | Item::Alias(..)
            | Item::Letter(_)
            | Item::Partner(_)
            | Item::Commission(_)
            | Item::Payout(_)
            | Item::Bank(_)
            | Item::Transfers(_)
            | Item::Standing(_)
            | Item::Report(..)
            | Item::Endpoint(_)
            | Item::Told(_)
            | Item::Cursor(_) => false,
        },
        Put::Refused(None) => false,
    }
}
