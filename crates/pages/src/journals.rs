//! Journals as people read them: folded, explained, and kept while they are looked at.

use crate::snapshots::{StateSnapshot, snapshots};
use crate::timeline::{EventEffect, effects, in_fold_order};
use domain::catalog::Catalog;
use domain::ids::CustomerKey;
use domain::record::Entry;
use domain::record::explain::{ExplainedEvent, explain};
use domain::record::raw_item::RawItem;
use domain::view::CustomerView;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A customer's journal, folded for people.
pub(crate) struct FoldedJournal {
    customer: CustomerKey,
    /// In the order of the fold, without the wire items.
    pub(crate) sorted: Vec<Arc<Entry>>,
    /// Their verdicts.
    pub(crate) explained: Vec<ExplainedEvent>,
    snapshots: Vec<StateSnapshot>,
    /// Those payments and subscriptions that a page has room for, the latest first.
    pub(crate) view: CustomerView,
    /// How many payments there are.
    pub(crate) payments: usize,
    /// How many subscriptions there are.
    pub(crate) subscriptions: usize,
}

impl FoldedJournal {
    pub(crate) fn new(customer: &CustomerKey, entries: &[Arc<Entry>], catalog: &Catalog) -> Self {
        let sorted = in_fold_order(entries);
        let (snapshots, mut state) = snapshots(&sorted);
        let explained = explain(&sorted, &state);
        let open = &mut state.payments.open;
        open.retain(|payment| payment.paid().is_some());
        let payments = open.len();
        open.drain(..payments.saturating_sub(MAX_SHOWN));
        let subscriptions = state.subscriptions.len();
        let mut view = CustomerView::new(customer, &state, catalog, vec![], &[]);
        view.payments.reverse();
        // What runs comes before what has ended.
        view.subscriptions.reverse();
        view.subscriptions
            .sort_by_key(|known| known.ended_at.is_some());
        view.subscriptions.truncate(MAX_SHOWN);
        Self {
            customer: customer.clone(),
            sorted,
            explained,
            snapshots,
            view,
            payments,
            subscriptions,
        }
    }

    /// What each of these events did.
    pub(crate) fn effects(&self, range: Range<usize>, catalog: &Catalog) -> Vec<EventEffect> {
        effects(
            &self.customer,
            &self.sorted,
            &self.snapshots,
            range,
            catalog,
        )
    }
}

/// Readings as they arrive, by customer: a long journal need not be read to be shown.
#[derive(Default)]
pub(crate) struct EntryCache {
    by_customer: BTreeMap<Arc<str>, Vec<Arc<Entry>>>,
    count: usize,
}

impl EntryCache {
    /// Keeps an entry of a customer of whom so many were known before.
    pub(crate) fn add(&mut self, customer: &Arc<str>, entry: Arc<Entry>, before: u64) {
        let entries = self.by_customer.entry(customer.clone()).or_default();
        if u64::try_from(entries.len()) != Ok(before) {
            // Not all of them are here, so none is of use.
            self.count = self.count.saturating_sub(entries.len());
            self.by_customer.remove(customer);
            return;
        }
        entries.push(without_raw(entry));
        self.count = self.count.saturating_add(1);
        if self.count > MAX_ENTRIES {
            self.by_customer
                .retain(|_, entries| entries.len() > SHORT_JOURNAL);
            self.count = self.by_customer.values().map(Vec::len).sum();
        }
        if self.count > MAX_ENTRIES {
            *self = Self::default();
        }
    }

    /// All of a customer's entries, if they are here.
    pub(crate) fn all(&self, customer: &CustomerKey, events: u64) -> Option<Vec<Arc<Entry>>> {
        let entries = self.by_customer.get(customer.as_str())?;
        (u64::try_from(entries.len()) == Ok(events)).then(|| entries.clone())
    }

    /// Keeps what had to be read, so that what is added to it need not be.
    pub(crate) fn keep(&mut self, customer: &CustomerKey, entries: Vec<Arc<Entry>>) {
        self.count = self.count.saturating_add(entries.len());
        let former = self.by_customer.insert(customer.as_str().into(), entries);
        let former = former.map_or(0, |entries| entries.len());
        self.count = self.count.saturating_sub(former);
    }
}

/// Without the wire item: it is the most of an entry, and one event's page reads it.
pub(crate) fn without_raw(entry: Arc<Entry>) -> Arc<Entry> {
    Arc::new(Entry {
        raw: RawItem::default(),
        ..Arc::unwrap_or_clone(entry)
    })
}

/// The journals looked at last.
#[derive(Default)]
pub(crate) struct JournalCache(Mutex<Vec<Arc<FoldedJournal>>>);

impl JournalCache {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<FoldedJournal>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, customer: &CustomerKey, events: u64) -> Option<Arc<FoldedJournal>> {
        let same = |known: &&Arc<FoldedJournal>| {
            known.customer == *customer && u64::try_from(known.sorted.len()) == Ok(events)
        };
        self.lock().iter().find(same).cloned()
    }

    pub(crate) fn keep(&self, journal: &Arc<FoldedJournal>) {
        let mut kept = self.lock();
        kept.retain(|known| known.customer != journal.customer);
        kept.push(Arc::clone(journal));
        let excess = kept.len().saturating_sub(MAX_JOURNALS);
        kept.drain(..excess);
    }
}

/// How many payments and subscriptions a page shows.
const MAX_SHOWN: usize = 50;
/// Journals in memory as they are shown.
const MAX_JOURNALS: usize = 4;
/// Readings in memory, two kilobytes or so each.
const MAX_ENTRIES: usize = 30_000;
/// A journal that is read in a moment.
const SHORT_JOURNAL: usize = 64;
