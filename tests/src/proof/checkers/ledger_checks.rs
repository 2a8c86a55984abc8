//! The ledger's law: what rows come to is what is owed, and the last that was told of a report is
//! how it stands; each row was decided once, by a record as written, and stands as it was decided.

use crate::proof::reference_model::expected_commissions::{
    self, CommissionAccount, CommissionSums, PersonFirst,
};
use crate::proof::reference_model::facts::JournaledEvent;
use crate::proof::simulation::records::DecidedRows;
use crate::proof::simulation::records::Violation;
use crate::proof::simulation::state::Simulation;
use domain::ids::{CustomerKey, ObjectId};
use domain::partner::ledger::CommissionRow;
use domain::partner::referral_status::{ReferralStatus, ReferralStatusRow};
use domain::record::{Effect, Record};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::memory::TableState;
use store::{Item, Key};

impl DecidedRows {
    /// A record was written: what it decides is new, or is what was decided before.
    pub(crate) fn record_decisions(&mut self, record: &Record) -> Result<(), Violation> {
        for effect in &record.pending {
            let (row, number) = match effect {
                Effect::Commission(row) => (Item::Commission(Arc::new((**row).clone())), row.n),
                Effect::ReferralStatus(row) => {
                    (Item::ReferralStatus(Arc::new((**row).clone())), row.n)
                }
                Effect::Alias(_)
                | Effect::HandOver(_)
                | Effect::Letter(_)
                | Effect::FirstPayment(_) => continue,
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
    pub(crate) fn contains(&self, row: &Item) -> bool {
        self.rows.get(&row.key()) == Some(row)
    }

    /// How many are of ledgers.
    pub(crate) fn count(&self) -> u64 {
        let rows = self.rows.values();
        rows.filter(|row| matches!(row, Item::Commission(_)))
            .count() as u64
    }

    fn check_all_present(&self, table: &TableState) -> Result<(), Violation> {
        for (key, row) in &self.rows {
            let stored = table.peek(key);
            if stored != Some(row) {
                return Err(format!("{key} was decided {row:?} and is {stored:?}"));
            }
        }
        Ok(())
    }
}

impl Simulation<'_> {
    /// What the rows come to is what these customers' payments owe.
    pub(crate) fn check_ledger(
        &self,
        journals: &BTreeMap<&CustomerKey, Vec<JournaledEvent<'_>>>,
    ) -> Result<(), Violation> {
        self.decided_rows.check_all_present(&self.table)?;
        let mut expected = ExpectedRows::default();
        let firsts = first_payments(journals);
        for (customer, known) in journals {
            expected.add_customer(customer, known, &firsts);
        }
        expected.check(&self.table)?;
        let mut holds: BTreeMap<CommissionAccount, Timestamp> = BTreeMap::new();
        for row in commission_rows(&self.table) {
            let account = expected_commissions::account(row);
            let ends = *holds.entry(account).or_insert(row.releases_at);
            if ends != row.releases_at {
                let key = Key::commission(row);
                return Err(format!("{key} is released apart from its account's others"));
            }
        }
        Ok(())
    }
}

/// When the customers first paid whose partners earn by a person's first payment.
pub(crate) fn first_payments(
    journals: &BTreeMap<&CustomerKey, Vec<JournaledEvent<'_>>>,
) -> Vec<PersonFirst> {
    let journals = journals.iter();
    journals
        .filter_map(|(customer, known)| expected_commissions::person_first(customer, known))
        .collect()
}

/// What the rows of a table must come to, and the last that was told of each report.
#[derive(Default)]
pub(crate) struct ExpectedRows {
    sums: CommissionSums,
    statuses: BTreeMap<(CustomerKey, String), ReferralStatus>,
    /// By each id of a payment the one under which it is expected: rows stay under the id that
    /// they were first decided under.
    payments: BTreeMap<(CustomerKey, ObjectId), ObjectId>,
}

impl ExpectedRows {
    /// By what is known of one more customer.
    pub(crate) fn add_customer(
        &mut self,
        customer: &CustomerKey,
        known: &[JournaledEvent<'_>],
        firsts: &[PersonFirst],
    ) {
        for ids in expected_commissions::payment_ids(known) {
            let Some(last) = ids.last() else { continue };
            let named = ids
                .iter()
                .map(|id| ((customer.clone(), id.clone()), last.clone()));
            self.payments.extend(named);
        }
        self.sums
            .extend(expected_commissions::accrued(customer, known, firsts));
        self.statuses
            .extend(expected_commissions::referral_statuses(customer, known));
    }

    /// Whether a partner earns.
    pub(crate) fn has_commissions(&self) -> bool {
        !self.sums.is_empty()
    }

    /// Whether a table's rows say so.
    pub(crate) fn check(&self, table: &TableState) -> Result<(), Violation> {
        let mut sums = CommissionSums::new();
        for (mut account, sum) in expected_commissions::sums(commission_rows(table)) {
            let id = (account.3.clone(), account.4.clone());
            if let Some(expected) = self.payments.get(&id) {
                account.4 = expected.clone();
            }
            *sums.entry(account).or_default() += sum;
        }
        sums.retain(|_, sum| *sum != 0);
        if let Some((account, is, due)) = first_difference(&sums, &self.sums) {
            return Err(format!("{account:?} comes to {is:?} where {due:?} is owed"));
        }
        if let Some((report, is, due)) = first_difference(&last_statuses(table), &self.statuses) {
            return Err(format!("{report:?} was told {is:?} and stands as {due:?}"));
        }
        Ok(())
    }
}

/// The first key under which two maps differ.
fn first_difference<'a, K: Ord, V: PartialEq>(
    one: &'a BTreeMap<K, V>,
    other: &'a BTreeMap<K, V>,
) -> Option<(&'a K, Option<&'a V>, Option<&'a V>)> {
    let keys = one.keys().chain(other.keys());
    let mut pairs = keys.map(|key| (key, one.get(key), other.get(key)));
    pairs.find(|(_, one, other)| one != other)
}

/// What was told of each report last, where it is not that it waits.
fn last_statuses(table: &TableState) -> BTreeMap<(CustomerKey, String), ReferralStatus> {
    let mut rows: Vec<&ReferralStatusRow> = table
        .items()
        .filter_map(|item| match item {
            Item::ReferralStatus(row) => Some(&**row),
            _ => None,
        })
        .collect();
    rows.sort_by_key(|row| row.n);
    let key = |row: &ReferralStatusRow| format!("{}/{}", row.partner, row.referral);
    let mut by_referral: BTreeMap<(CustomerKey, String), ReferralStatus> = BTreeMap::new();
    for row in rows {
        by_referral.insert((row.customer.clone(), key(row)), row.status);
    }
    by_referral.retain(|_, standing| *standing != ReferralStatus::Waiting);
    by_referral
}

/// Every row of every partner.
pub(crate) fn commission_rows(table: &TableState) -> impl Iterator<Item = &CommissionRow> {
    table.items().filter_map(|item| match item {
        Item::Commission(row) => Some(&**row),
        _ => None,
    })
}
