//! Whom a word leads to: a customer's key or id, an e-mail address, any id of the provider's,
//! the shop's own id, a referral code, an event; or a part of a name.

use crate::console::Console;
use domain::ids::{CustomerKey, ObjectId};
use local_shop::customer_search::{accounts, customers_of, possible_keys, references_named};
use providers::{PersonKey, Secret};

impl Console {
    /// The customers whom these words name exactly, each once.
    pub(crate) async fn customers_named(&self, words: &str) -> anyhow::Result<Vec<CustomerKey>> {
        let mut found: Vec<CustomerKey> = Vec::new();
        let id = ObjectId::parse(words).ok();
        {
            let index = self.index.current();
            for key in possible_keys(words) {
                if index.customers.contains_key(key.as_str()) {
                    found.push(key);
                }
            }
            let ids = id.iter();
            let events = ids.flat_map(|id| accounts().map(|account| account.event(id)));
            let events = events.map(|event| event.as_str().to_owned());
            for event in events.chain([words.to_owned()]) {
                let from = (event.as_str().into(), "".into());
                let places = index.events.range(from..);
                let of_it = places.take_while(|(id, _)| **id == *event);
                found.extend(of_it.filter_map(|(_, place)| store::items::customer_of(place)));
            }
        }
        let person = PersonKey::derive(&Secret::new(&self.shop.master)?)?;
        let references = references_named(words, Some(&person));
        found.extend(customers_of(&self.table, &references).await?);
        found.sort();
        found.dedup();
        Ok(found)
    }
}
