//! Whom a word leads to: a customer's key or id, an e-mail address, any id of the provider's,
//! the shop's own id, a referral code, an event; or a part of a name.

use crate::console::Console;
use domain::ids::{CustomerKey, Mode, Reference};
use providers::{PROVIDERS, Secret};
use store::items::{ALIAS, reference_partition};
use store::{Item, Table};

impl Console {
    /// The customers whom these words name exactly, each once.
    pub(crate) async fn customers_named(&self, words: &str) -> anyhow::Result<Vec<CustomerKey>> {
        let mut found: Vec<CustomerKey> = Vec::new();
        let accounts = || {
            let modes = [Mode::Test, Mode::Live];
            PROVIDERS
                .iter()
                .flat_map(move |known| modes.map(|mode| known.account(mode)))
        };
        {
            let index = self.index.current();
            let keys = accounts().map(|account| account.customer(words));
            for key in keys.chain([CustomerKey::new(words)]) {
                if index.customers.contains_key(key.as_str()) {
                    found.push(key);
                }
            }
            let events = accounts().map(|account| account.event(words).as_str().to_owned());
            for event in events.chain([words.to_owned()]) {
                let from = (event.as_str().into(), "".into());
                let places = index.events.range(from..);
                let of_it = places.take_while(|(id, _)| **id == *event);
                found.extend(of_it.filter_map(|(_, place)| store::items::customer_of(place)));
            }
        }
        let mut references: Vec<Reference> =
            accounts().map(|account| account.reference(words)).collect();
        references.push(Reference::new(words));
        references.push(Reference::shop(words));
        references.push(Reference::code(words));
        if words.contains('@') {
            let key = providers::PersonKey::derive(&Secret::new(&self.shop.master)?)?;
            references.push(Reference::person(&key.hash(words)));
        }
        for reference in references {
            let partition = reference_partition(&reference);
            let page = self.table.query(&partition, ALIAS, None).await?;
            found.extend(page.items.into_iter().filter_map(|item| match item {
                Item::Alias(_, customer) => Some(customer),
                Item::Entry(..)
                | Item::Record(_)
                | Item::Parked(..)
                | Item::Letter(_)
                | Item::Partner(_)
                | Item::Commission(_)
                | Item::Payout(_)
                | Item::Bank(_)
                | Item::TransferBatch(_)
                | Item::ReferralStatus(_)
                | Item::Report(..)
                | Item::NoticeEndpoint(_)
                | Item::DeliveryState(_)
                | Item::Cursor(_) => None,
            }));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}
