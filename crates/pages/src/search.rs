//! Whom a word leads to: a customer's key or id, an e-mail address, any id of the provider's,
//! the shop's own id, a referral code, an event; or a part of a name.

use crate::console::Console;
use domain::ids::{CustomerKey, Mode, ObjectId, Reference};
use providers::{PROVIDERS, Secret};
use store::items::{ALIAS, Alias, reference_partition};
use store::{Table, TableRow};

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
        let id = ObjectId::parse(words).ok();
        // In every account, what these words are the id of there; in none if they can't be one.
        let ids = || {
            id.iter()
                .flat_map(|id| accounts().map(move |account| (account, id)))
        };
        {
            let index = self.index.current();
            let keys = ids().map(|(account, id)| account.customer(id));
            for key in keys.chain(CustomerKey::parse(words)) {
                if index.customers.contains_key(key.as_str()) {
                    found.push(key);
                }
            }
            let events = ids().map(|(account, id)| account.event(id).as_str().to_owned());
            for event in events.chain([words.to_owned()]) {
                let from = (event.as_str().into(), "".into());
                let places = index.events.range(from..);
                let of_it = places.take_while(|(id, _)| **id == *event);
                found.extend(of_it.filter_map(|(_, place)| store::items::customer_of(place)));
            }
        }
        let mut references: Vec<Reference> =
            ids().map(|(account, id)| account.reference(id)).collect();
        let named = [
            Reference::parse(words),
            Reference::shop(words),
            Reference::code(words),
        ];
        references.extend(named.into_iter().flatten());
        if words.contains('@') {
            let key = providers::PersonKey::derive(&Secret::new(&self.shop.master)?)?;
            references.push(Reference::person(&key.hash(words)));
        }
        for reference in references {
            let partition = reference_partition(&reference);
            let page = self.table.query(&partition, ALIAS, None).await?;
            let aliases = page.items.into_iter().filter_map(Alias::from_item);
            found.extend(aliases.map(|alias| alias.customer));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}
