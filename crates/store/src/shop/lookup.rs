//! Whom a reference leads to, for the shop's own code: bounded, and with as few reads as it takes.

use crate::error::StoreError;
use crate::items::item::TableRow;
use crate::items::key::{ALIAS, reference_partition};
use crate::journal::journal_reads::read_record;
use crate::journal::rows::Alias;
use crate::port::{Table, query_at_least};
use domain::ids::{CustomerKey, Mode, ObjectId, ProviderAccount, Reference};
use domain::record::Record;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The customers that a reference leads to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundCustomers {
    /// Their records as they stand, by key.
    pub records: Vec<Arc<Record>>,
    /// Whether the reference leads to more of them than are given here.
    pub more: bool,
}

/// Customers given for one reference; what is shared by more says so.
pub const MAX_CUSTOMERS: usize = 20;

/// The customers that a text names: a customer's key, any reference in full
/// (`provider/mode/id`, `shop/id`, `code/name`), or an id alone, which may be the shop's own, a
/// customer's or that of anything of a customer's in one of these accounts. What is looked for
/// first and leads to somebody answers. A customer's key costs one read.
///
/// # Errors
/// When the table does not answer.
pub async fn find_customers<T: Table>(
    table: &T,
    text: &str,
    accounts: &[ProviderAccount],
) -> Result<FoundCustomers, StoreError> {
    if let Some(key) = customer_key(text) {
        let found = customer(table, &key).await?;
        if !found.records.is_empty() {
            return Ok(found);
        }
    }
    for reference in in_full(text).into_iter().chain(Reference::shop(text)) {
        let found = referred(table, &reference).await?;
        if !found.records.is_empty() {
            return Ok(found);
        }
    }
    let Ok(id) = ObjectId::parse(text) else {
        return Ok(FoundCustomers::default());
    };
    for account in accounts {
        let mut found = customer(table, &account.customer(&id)).await?;
        if found.records.is_empty() {
            found = referred(table, &account.reference(&id)).await?;
        }
        if !found.records.is_empty() {
            return Ok(found);
        }
    }
    Ok(FoundCustomers::default())
}

/// What a text with a slash in it names in full. The shop's own words are made references as they
/// are everywhere.
fn in_full(text: &str) -> Option<Reference> {
    let made = match text.split_once('/')? {
        ("shop", id) => Reference::shop(id),
        ("code", code) => Reference::code(code),
        _ => Reference::parse(text),
    };
    made.ok()
}

/// Under what is parked that is told of somebody by such a text: a reference that one customer has
/// alone, or the shop's own id. A code and a person are nobody's alone.
pub fn parking_reference(text: &str) -> Option<Reference> {
    let reference = match text.contains('/') {
        true => in_full(text)?,
        false => Reference::shop(text).ok()?,
    };
    let is_of_one = !reference.is_shared() || reference.as_str().starts_with("shop/");
    is_of_one.then_some(reference)
}

/// A text that has the form of a customer's key: of the other forms no record is read.
fn customer_key(text: &str) -> Option<CustomerKey> {
    let mode = text.split('/').nth(1)?;
    let is_key = [Mode::Live, Mode::Test].map(Mode::as_str).contains(&mode);
    CustomerKey::parse(text).ok().filter(|_| is_key)
}

/// The customer of this key; of a guest who turned out to be somebody, that customer.
///
/// # Errors
/// When the table does not answer.
pub async fn customer<T: Table>(
    table: &T,
    key: &CustomerKey,
) -> Result<FoundCustomers, StoreError> {
    records(table, [key.clone()].into()).await
}

/// The customers that a reference leads to.
///
/// # Errors
/// When the table does not answer.
pub async fn referred<T: Table>(
    table: &T,
    reference: &Reference,
) -> Result<FoundCustomers, StoreError> {
    let partition = reference_partition(reference);
    let enough = MAX_CUSTOMERS.saturating_add(1);
    let mut keys = BTreeSet::new();
    for item in query_at_least(table, &partition, ALIAS, enough).await? {
        keys.extend(Alias::from_item(item.into_readable()?).map(|alias| alias.customer));
    }
    records(table, keys).await
}

async fn records<T: Table>(
    table: &T,
    keys: BTreeSet<CustomerKey>,
) -> Result<FoundCustomers, StoreError> {
    let more = keys.len() > MAX_CUSTOMERS;
    let (mut records, mut others) = (Vec::new(), BTreeSet::new());
    for key in keys.iter().take(MAX_CUSTOMERS) {
        match read_record(table, key).await? {
            // What a guest's events say stands in the records of whom it turned out to be.
            Some(record) if !record.folded.state.identified_as.is_empty() => {
                others.extend(record.folded.state.identified_as.iter().cloned());
            }
            Some(record) => records.push(record),
            None => {}
        }
    }
    for key in others.difference(&keys).take(MAX_CUSTOMERS) {
        records.extend(read_record(table, key).await?);
    }
    records.sort_by(|one, other| one.customer.cmp(&other.customer));
    records.dedup_by(|one, other| one.customer == other.customer);
    Ok(FoundCustomers { records, more })
}
