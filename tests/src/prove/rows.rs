//! The ledger's law: what rows come to is what is owed, and the last that was told of a report is
//! how it stands; each row was decided once, by a record as written, and stands as it was decided.

use super::laws::Broken;
use super::oracle;
use super::oracle::Known;
use super::owed::{self, Account, Sums};
use super::twin::Twin;
use super::world::World;
use domain::ids::CustomerKey;
use domain::ledger::Row;
use domain::record::{Effect, Record};
use domain::standing::{Standing, StandingRow};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Item, Key};

/// Rows that records, as written, decided: by key, and which number of a kind was whose.
#[derive(Default)]
pub(super) struct Decided {
    rows: BTreeMap<Key, Item>,
    numbers: BTreeMap<(bool, CustomerKey, u64), Key>,
}

impl Decided {
    /// A record was written: what it decides is new, or is what was decided before.
    pub(super) fn take_in(&mut self, record: &Record) -> Result<(), Broken> {
        for effect in &record.pending {
            let (row, number) = match effect {
                Effect::Commission(row) => (Item::Commission(Arc::new((**row).clone())), row.n),
                Effect::Standing(row) => (Item::Standing(Arc::new((**row).clone())), row.n),
                Effect::Alias(_) | Effect::Letter(_) => continue,
            };
            let (key, earns) = (row.key(), matches!(row, Item::Commission(_)));
            let there = self.rows.entry(key.clone()).or_insert_with(|| row.clone());
            if *there != row {
                return Err(format!("two rows claim {key}: {there:?} and {row:?}"));
            }
            let number = (earns, record.customer.clone(), number);
            let there = self.numbers.entry(number).or_insert_with(|| key.clone());
            if *there != key {
                return Err(format!("{there} and {key} have one number"));
            }
        }
        Ok(())
    }

    /// Whether a row that was just put is one of these.
    pub(super) fn has(&self, row: &Item) -> bool {
        self.rows.get(&row.key()) == Some(row)
    }

    /// How many are of ledgers.
    pub(super) fn count(&self) -> u64 {
        let rows = self.rows.values();
        rows.filter(|row| matches!(row, Item::Commission(_)))
            .count() as u64
    }

    fn all_stand(&self, twin: &Twin) -> Result<(), Broken> {
        for (key, row) in &self.rows {
            let there = twin.look(key);
            if there != Some(row) {
                return Err(format!("{key} was decided {row:?} and is {there:?}"));
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
        let mut expected = Expected::default();
        for (customer, known) in journals {
            expected.of(customer, known);
        }
        expected.holds(&self.twin)?;
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

/// What the rows of a table must come to, and the last that was told of each report.
#[derive(Default)]
pub(super) struct Expected {
    sums: Sums,
    standings: BTreeMap<(CustomerKey, String), Standing>,
}

impl Expected {
    /// By what is known of one more customer.
    pub(super) fn of(&mut self, customer: &CustomerKey, known: &[Known<'_>]) {
        let facts = oracle::facts(known);
        self.sums.extend(owed::owed(customer, &facts));
        self.standings.extend(owed::standings(customer, &facts));
    }

    /// Whether a partner earns.
    pub(super) fn earns(&self) -> bool {
        !self.sums.is_empty()
    }

    /// Whether a table's rows say so.
    pub(super) fn holds(&self, twin: &Twin) -> Result<(), Broken> {
        let sums = owed::sums(rows(twin));
        if let Some((account, is, due)) = differing(&sums, &self.sums) {
            return Err(format!("{account:?} comes to {is:?} where {due:?} is owed"));
        }
        if let Some((report, is, due)) = differing(&told(twin), &self.standings) {
            return Err(format!("{report:?} was told {is:?} and stands as {due:?}"));
        }
        Ok(())
    }
}

/// The first key under which two maps differ.
fn differing<'a, K: Ord, V: PartialEq>(
    one: &'a BTreeMap<K, V>,
    other: &'a BTreeMap<K, V>,
) -> Option<(&'a K, Option<&'a V>, Option<&'a V>)> {
    let keys = one.keys().chain(other.keys());
    let mut pairs = keys.map(|key| (key, one.get(key), other.get(key)));
    pairs.find(|(_, one, other)| one != other)
}

/// What was told of each report last, where it is not that it waits.
fn told(twin: &Twin) -> BTreeMap<(CustomerKey, String), Standing> {
    let mut rows: Vec<&StandingRow> = twin
        .items()
        .filter_map(|item| match item {
            Item::Standing(row) => Some(&**row),
            _ => None,
        })
        .collect();
    rows.sort_by_key(|row| row.n);
    let key = |row: &StandingRow| format!("{}/{}", row.partner, row.referral);
    let mut told: BTreeMap<(CustomerKey, String), Standing> = BTreeMap::new();
    for row in rows {
        told.insert((row.customer.clone(), key(row)), row.standing);
    }
    told.retain(|_, standing| *standing != Standing::Waiting);
    told
}

/// Every row of every partner.
pub(super) fn rows(twin: &Twin) -> impl Iterator<Item = &Row> {
    twin.items().filter_map(|item| match item {
        Item::Commission(row) => Some(&**row),
        _ => None,
    })
}
