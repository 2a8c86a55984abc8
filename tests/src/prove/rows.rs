//! The ledger's law: what rows come to is what is owed, each was decided once, by a record as it
//! was written, and stands as it was decided.

use super::laws::Broken;
use super::oracle;
use super::oracle::Known;
use super::owed::{self, Account, Sums};
use super::twin::Twin;
use super::world::World;
use domain::ids::CustomerKey;
use domain::ledger::Row;
use domain::record::{Effect, Record};
use jiff::Timestamp;
use std::collections::BTreeMap;
use store::{Item, Key};

/// Rows that records, as written, decided: by key, and which number was whose.
#[derive(Default)]
pub(super) struct Decided {
    rows: BTreeMap<Key, Row>,
    numbers: BTreeMap<(CustomerKey, u64), Key>,
}

impl Decided {
    /// A record was written: what it decides is new, or is what was decided before.
    pub(super) fn take_in(&mut self, record: &Record) -> Result<(), Broken> {
        for effect in &record.pending {
            let Effect::Commission(row) = effect else {
                continue;
            };
            let key = Key::commission(row);
            let there = self
                .rows
                .entry(key.clone())
                .or_insert_with(|| (**row).clone());
            if *there != **row {
                return Err(format!("two rows claim {key}: {there:?} and {row:?}"));
            }
            let number = (row.customer.clone(), row.n);
            let there = self.numbers.entry(number).or_insert_with(|| key.clone());
            if *there != key {
                return Err(format!("{there} and {key} have one number"));
            }
        }
        Ok(())
    }

    /// Whether a row that was just put is one of these.
    pub(super) fn has(&self, row: &Row) -> bool {
        self.rows.get(&Key::commission(row)) == Some(row)
    }

    /// How many.
    pub(super) fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    fn all_stand(&self, twin: &Twin) -> Result<(), Broken> {
        for (key, row) in &self.rows {
            match twin.look(key) {
                Some(Item::Commission(there)) if **there == *row => {}
                there => return Err(format!("{key} was decided {row:?} and is {there:?}")),
            }
        }
        Ok(())
    }
}

impl World<'_> {
    /// What the rows come to is what these customers' payments owe.
    pub(super) fn ledger_is(
        &self,
        journals: &BTreeMap<&CustomerKey, Vec<Known<'_>>>,
    ) -> Result<(), Broken> {
        self.decided.all_stand(&self.twin)?;
        let mut expected = Sums::new();
        for (customer, known) in journals {
            expected.extend(owed::owed(customer, &oracle::facts(known)));
        }
        come_to(&self.twin, &expected)?;
        let mut holds: BTreeMap<Account, Timestamp> = BTreeMap::new();
        for row in rows(&self.twin) {
            let account = owed::account(row);
            let ends = *holds.entry(account).or_insert(row.releases_at);
            if ends != row.releases_at {
                let key = Key::commission(row);
                return Err(format!("{key} is released apart from its account's others"));
            }
        }
        Ok(())
    }
}

/// Whether the rows of a table come to this.
pub(super) fn come_to(twin: &Twin, expected: &Sums) -> Result<(), Broken> {
    let sums = owed::sums(rows(twin));
    let differs = |account: &&Account| sums.get(*account) != expected.get(*account);
    match sums.keys().chain(expected.keys()).find(differs) {
        None => Ok(()),
        Some(account) => {
            let (is, due) = (sums.get(account), expected.get(account));
            Err(format!("{account:?} comes to {is:?} where {due:?} is owed"))
        }
    }
}

/// Every row of every partner.
pub(super) fn rows(twin: &Twin) -> impl Iterator<Item = &Row> {
    twin.items().filter_map(|item| match item {
        Item::Commission(row) => Some(&**row),
        _ => None,
    })
}
