//! The journal entries of deliveries, made by the webhook endpoints' own verification.

use super::start_time;
use crate::endpoints;
use domain::record::Entry;
use local_shop::delivery::{Delivery, Signer};
use providers::{ApiResponses, ItemOutcome, Provider, ReceivedItem};
use std::sync::Arc;

/// The journal entry of a provider's delivery of one event.
pub fn entry(delivery: &Delivery) -> Arc<Entry> {
    let mut entries = entries(delivery);
    assert_eq!(entries.len(), 1, "{} holds several events", delivery.name);
    entries.remove(0)
}

/// The journal entries of a provider's delivery, made by the endpoint's own verification
/// and normalization.
pub fn entries(delivery: &Delivery) -> Vec<Arc<Entry>> {
    let provider = provider_of(delivery);
    let fetched = ApiResponses::recorded(provider.recorded_responses(&delivery.name)).unwrap();
    let entry = |received| {
        let entry = journal_entry(provider, received, &delivery.name);
        entry.unwrap_or_else(|| panic!("{} holds no event", delivery.name))
    };
    receive_recorded(delivery, &fetched)
        .into_iter()
        .map(entry)
        .collect()
}

/// As the endpoint journals it under this receipt; none where it does not.
pub fn journal_entry(
    provider: &Provider,
    received: ReceivedItem,
    receipt: &str,
) -> Option<Arc<Entry>> {
    let ItemOutcome::Event(reading) = received.outcome else {
        return None;
    };
    let version = provider.normalizer();
    let entry = Entry::new(reading, received.raw, version, start_time(), receipt.into());
    Some(Arc::new(entry))
}

/// What a delivery says while its provider's API says this and no more. Of a provider that
/// alone can sign it is read as if it were proven.
pub fn receive_recorded(delivery: &Delivery, fetched: &ApiResponses) -> Vec<ReceivedItem> {
    let Signer::Provider(provider, secret) = &delivery.signer else {
        panic!("{} is a partner's", delivery.name)
    };
    endpoints::receive_signed(provider, secret, &delivery.body, fetched, start_time()).unwrap()
}

/// An entry of which nothing is known but its bytes.
pub fn unnormalized_entry(provider: &Provider, raw: &[u8]) -> Entry {
    endpoints::unnormalized_entry(provider, raw, start_time())
}

fn provider_of(delivery: &Delivery) -> &'static Provider {
    match &delivery.signer {
        Signer::Provider(provider, _) => provider,
        Signer::Partner(_) => panic!("{} is a partner's", delivery.name),
    }
}
