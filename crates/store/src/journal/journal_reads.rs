//! What a fold reads: the record, the journal, and the rows that restore a record's ledger.

use crate::error::StoreError;
use crate::items::item::TableRow;
use crate::items::key::{
    JOURNAL, Key, customer_partition, customer_referral_statuses, ledger_partition,
};
use crate::journal::rows::JournalEntry;
use crate::partner::ledger::customer_ledger;
use crate::port::Table;
use domain::ids::CustomerKey;
use domain::partner::referral_status::ReferralStatusRow;
use domain::record::journal::{partners_of, referrals_of};
use domain::record::raw_item::RawItem;
use domain::record::{Entry, Record};
use std::sync::Arc;

/// A customer's record as it stands.
///
/// # Errors
/// When the table does not answer.
pub async fn read_record<T: Table>(
    table: &T,
    customer: &CustomerKey,
) -> Result<Option<Arc<Record>>, StoreError> {
    table.get_row(Key::record(customer)).await
}

/// A customer's whole journal, as the fold reads it: without wire items and receipts, where no one
/// else holds the entry. They are the most of it, and a long journal must fit into a function.
///
/// # Errors
/// When the table does not answer.
pub async fn read_journal<T: Table>(
    table: &T,
    customer: &CustomerKey,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let partition = customer_partition(customer);
    let (mut journal, mut after) = (Vec::new(), None);
    loop {
        let page = table.query(&partition, JOURNAL, after).await?;
        for item in page.items {
            let Some(JournalEntry { mut entry, .. }) =
                JournalEntry::from_item(item.into_readable()?)
            else {
                continue;
            };
            if let Some(entry) = Arc::get_mut(&mut entry) {
                entry.raw = RawItem::default();
                entry.receipt = Arc::default();
            }
            journal.push(entry);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if journal.len() > LARGE_JOURNAL {
        let (entries, metrics) = (journal.len(), "large_journal");
        tracing::warn!(%customer, entries, metrics, "a journal nears what a function can hold");
    }
    Ok(journal)
}

/// A record with its ledger as its rows in the table make it. For customers on whom no partner
/// earns there is nothing to read.
pub(crate) async fn restore_ledger<T: Table>(
    table: &T,
    record: &Arc<Record>,
    journal: &[Arc<Entry>],
) -> Result<Arc<Record>, StoreError> {
    let partners = partners_of(journal);
    if partners.is_empty() {
        return Ok(record.clone());
    }
    let mut rows = Vec::new();
    for partner in partners {
        rows.extend(customer_ledger(table, partner, &record.customer).await?);
    }
    let record = Arc::new(record.with_ledger_from_rows(&rows));
    if record.version > 0 {
        return Ok(record);
    }
    // It was lost, or never was: what partners were told stands in their rows alone.
    let mut told = Vec::new();
    for (partner, referral) in referrals_of(journal) {
        let rows = customer_referral_statuses(&referral, &record.customer);
        let rows: Vec<Arc<ReferralStatusRow>> =
            table.query_rows(&ledger_partition(partner), &rows).await?;
        told.extend(rows);
    }
    let told: Vec<ReferralStatusRow> = told.into_iter().map(Arc::unwrap_or_clone).collect();
    Ok(Arc::new(record.with_statuses_from_rows(&told)))
}

/// From here on a journal is told of.
const LARGE_JOURNAL: usize = 20_000;
