//! Whom a word leads to: a customer's key or id, an e-mail address, the id of anything of theirs,
//! the shop's own id or a referral code.

use domain::ids::{CustomerKey, Mode, ObjectId, ProviderAccount, Reference};
use providers::{PROVIDERS, PersonKey};
use store::items::{ALIAS, Alias, JOURNAL, customer_partition, reference_partition};
use store::port::{query_all, query_at_least};
use store::{StoreError, Table, TableRow};

/// The customers whom these words name exactly, each once. `person` turns an e-mail address into
/// the digest under which the table knows it.
///
/// # Errors
/// When the table does not answer.
pub async fn customers_named<T: Table>(
    table: &T,
    words: &str,
    person: Option<&PersonKey>,
) -> Result<Vec<CustomerKey>, StoreError> {
    let mut found = Vec::new();
    for key in possible_keys(words) {
        if has_events(table, &key).await? {
            found.push(key);
        }
    }
    found.extend(customers_of(table, &references_named(words, person)).await?);
    found.sort();
    found.dedup();
    Ok(found)
}

/// The keys that these words may be, or be the end of: the id of a customer, or of a guest's
/// payment, in any account.
pub fn possible_keys(words: &str) -> Vec<CustomerKey> {
    let id = ObjectId::parse(words).ok();
    let ids = id
        .iter()
        .flat_map(|id| accounts().map(|account| account.customer(id)));
    ids.chain(CustomerKey::parse(words)).collect()
}

/// What these words may be the name of besides.
pub fn references_named(words: &str, person: Option<&PersonKey>) -> Vec<Reference> {
    let id = ObjectId::parse(words).ok();
    let ids = id
        .iter()
        .flat_map(|id| accounts().map(|account| account.reference(id)));
    let named = [
        Reference::parse(words),
        Reference::shop(words),
        Reference::code(words),
    ];
    let person = person.filter(|_| words.contains('@'));
    let person = person.map(|key| Reference::person(&key.hash(words)));
    ids.chain(named.into_iter().flatten())
        .chain(person)
        .collect()
}

/// The customers to whom these references lead.
///
/// # Errors
/// When the table does not answer.
pub async fn customers_of<T: Table>(
    table: &T,
    references: &[Reference],
) -> Result<Vec<CustomerKey>, StoreError> {
    let mut found = Vec::new();
    for reference in references {
        let items = query_all(table, &reference_partition(reference), ALIAS).await?;
        let aliases = items.into_iter().filter_map(Alias::from_item);
        found.extend(aliases.map(|alias| alias.customer));
    }
    Ok(found)
}

/// Every account there may be.
pub fn accounts() -> impl Iterator<Item = ProviderAccount> {
    let modes = [Mode::Test, Mode::Live];
    PROVIDERS
        .iter()
        .flat_map(move |known| modes.map(|mode| known.account(mode)))
}

async fn has_events<T: Table>(table: &T, customer: &CustomerKey) -> Result<bool, StoreError> {
    let first = query_at_least(table, &customer_partition(customer), JOURNAL, 1).await?;
    Ok(!first.is_empty())
}
