//! A guest's payment that turns out to be a customer's. Some events tell of it without its
//! customer, others with it; whatever their order, all of them end in the customer's journal.
//!
//! A guest's partition is named after the payment. Whoever sets an alias of an object looks who
//! else has one of it: where one of them is named after that very object and another is not a
//! guest, the guest's journal is told whose it is, by an entry of its own. From then on the fold
//! makes nothing of that journal but a pending effect, which copies it to the customer. Aliases are
//! put first and looked at afterwards, so that of two at once one sees the other.

use crate::error::StoreError;
use crate::items::due_index::floor_to_second;
use crate::items::item::Item;
use crate::items::key::{ALIAS, JOURNAL, PARKED, customer_partition, reference_partition};
use crate::journal::append::{append_unparked, hand_over_parked};
use crate::journal::rows::{Alias, JournalEntry, ParkedEntry};
use crate::port::{InsertOutcome, Table, query_all};
use crate::usage::parking::assign_owner;
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{CustomerKey, EventId, InvalidId, Reference};
use domain::record::Entry;
use jiff::Timestamp;
use std::sync::Arc;

/// What a new alias brings along.
#[derive(Debug, Default)]
pub(crate) struct AliasFindings {
    /// Entries that were parked and are now in the customer's journal.
    pub(crate) unparked: Vec<Arc<Entry>>,
    /// Guests who turned out to be a customer, each with the entry that says so.
    pub(crate) guests: Vec<(CustomerKey, Arc<Entry>)>,
}

/// Looks under a reference, of which this customer has just put an alias.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn look_under_alias<T: Table>(
    table: &T,
    reference: &Reference,
    customer: &CustomerKey,
    now: Timestamp,
) -> Result<AliasFindings, StoreError> {
    // A reference that many share may have many aliases, and makes nobody a guest.
    let prefix = if reference.is_shared() { PARKED } else { "" };
    let (mut parked, mut owners, mut usage) = (Vec::new(), Vec::new(), Vec::new());
    for item in query_all(table, &reference_partition(reference), prefix).await? {
        let item = item.into_readable()?;
        if let Item::Parked(reference, entry) = item {
            parked.push(ParkedEntry { reference, entry });
        } else if let Item::Alias(_, owner) = item {
            owners.push(owner);
        } else if let Item::ParkedUsage(row) = item {
            usage.push(row);
        }
    }
    for row in &usage {
        assign_owner(table, row).await?;
    }
    Ok(AliasFindings {
        unparked: hand_over_parked(table, reference, customer, parked).await?,
        guests: identify_guest(table, reference, &owners, now).await?,
    })
}

/// Tells the guest among these owners of an object whose it is, if another of them is a customer.
async fn identify_guest<T: Table>(
    table: &T,
    reference: &Reference,
    owners: &[CustomerKey],
    now: Timestamp,
) -> Result<Vec<(CustomerKey, Arc<Entry>)>, StoreError> {
    let mut told = Vec::new();
    let Some(guest) = owners.iter().find(|owner| is_named_after(owner, reference)) else {
        return Ok(told);
    };
    for owner in owners.iter().filter(|owner| *owner != guest) {
        // To a guest nobody is handed over: that customers are not guests keeps this from going
        // in circles.
        if is_guest(table, owner).await? {
            continue;
        }
        let entry = identification(guest, owner, now).map_err(invalid_id)?;
        let row = JournalEntry {
            customer: guest.clone(),
            entry: entry.clone(),
        };
        if table.insert(row).await? == InsertOutcome::Inserted {
            told.push((guest.clone(), entry));
        }
    }
    Ok(told)
}

fn is_named_after(owner: &CustomerKey, reference: &Reference) -> bool {
    owner.as_str() == reference.as_str()
}

/// Whether a partition is named after an object that leads to it.
async fn is_guest<T: Table>(table: &T, owner: &CustomerKey) -> Result<bool, StoreError> {
    let own = Reference::parse(owner.as_str()).map_err(invalid_id)?;
    let partition = reference_partition(&own);
    let aliases: Vec<Alias> = table
        .query_rows(&partition, &[ALIAS, owner.as_str()].concat())
        .await?;
    Ok(aliases.iter().any(|alias| alias.customer == *owner))
}

/// The entry that says who a guest is. It is the same whoever writes it, but for the moment.
fn identification(
    guest: &CustomerKey,
    customer: &CustomerKey,
    now: Timestamp,
) -> Result<Arc<Entry>, InvalidId> {
    let event = NormalizedEvent {
        id: EventId::parse(format!("guest/{guest}/{customer}"))?,
        kind: KIND.into(),
        occurred_at: floor_to_second(now),
        rank: RANK,
        about: About::Customer(guest.clone()),
        facts: vec![Fact::GuestIdentified {
            customer: customer.clone(),
        }],
        references: Vec::new(),
    };
    let raw = serde_json::json!({
        "type": KIND,
        "data": { "guest": guest, "customer": customer },
    });
    let raw: Arc<[u8]> = raw.to_string().into_bytes().into();
    let receipt = event.id.as_str().into();
    Ok(Arc::new(Entry::new(event, raw, NORMALIZER, now, receipt)))
}

/// Copies a guest's journal to the customer whose it is. Gives what was new there.
///
/// # Errors
/// When the table does not answer; what was copied stays, and copying it again is safe.
pub(crate) async fn hand_over<T: Table>(
    table: &T,
    guest: &CustomerKey,
    customer: &CustomerKey,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let mut fresh = Vec::new();
    // With their wire items, which the fold does not read.
    let journal: Vec<JournalEntry> = table
        .query_rows(&customer_partition(guest), JOURNAL)
        .await?;
    for JournalEntry { entry, .. } in journal {
        let identifies = |fact: &Fact| matches!(fact, Fact::GuestIdentified { .. });
        if entry.event.facts.iter().any(identifies) {
            continue;
        }
        if append_unparked(table, customer, &entry).await? {
            fresh.push(entry);
        }
    }
    Ok(fresh)
}

fn invalid_id(error: InvalidId) -> StoreError {
    StoreError::Invalid(error.to_string())
}

const KIND: &str = "guest.identified";
/// Behind whatever else happened in the same second.
const RANK: u8 = u8::MAX;
/// The version in which such entries are read.
const NORMALIZER: u16 = 1;
