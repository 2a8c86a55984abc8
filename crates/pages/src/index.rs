//! What the overview and the lists say, kept in memory and fed by the table's stream: no page
//! costs a scan. Built anew from one scan when the process starts.

use crate::activity::{ActivityEntry, parked_verdict, state_changed_at};
use crate::changes::typed_items;
use crate::journals::EntryCache;
use crate::referrals::PartnerIndex;
use domain::event::Position;
use domain::ids::CustomerKey;
use domain::record::{Entry, Record};
use local_cloud::engine::Engine;
use local_cloud::error::StackError;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use store::Item;
use store::items::{LETTER, PARKED};
use store::letters::LetterRow;
use store::operator_decisions::OPERATOR;

/// The index of a stack; clones share it.
#[derive(Clone)]
pub(crate) struct Index {
    engine: Engine,
    state: Arc<Mutex<IndexState>>,
}

/// A partition and a sort key.
type IndexKey = (Arc<str>, Arc<str>);

/// What is known of everything.
#[derive(Default)]
pub(crate) struct IndexState {
    /// The place in the stream up to which everything is in here.
    read_up_to: Option<String>,
    /// Customers by key.
    pub(crate) customers: BTreeMap<Arc<str>, CustomerSummary>,
    /// Event ids and the partitions they are in.
    pub(crate) events: BTreeSet<IndexKey>,
    /// Letters by customer and sort key, with version and state.
    letters: BTreeMap<IndexKey, (u64, &'static str)>,
    /// Parked entries by reference and sort key, and whether each waits for its provider's API.
    parked: BTreeMap<IndexKey, bool>,
    /// The latest activity entries, the latest last.
    pub(crate) latest_activity: VecDeque<ActivityEntry>,
    /// How many activity entries there ever were.
    pub(crate) activity_count: u64,
    /// Sums.
    pub(crate) counts: IndexCounts,
    /// What the journals say.
    pub(crate) entry_cache: EntryCache,
    /// Partners, and whom they sent.
    pub(crate) partners: PartnerIndex,
}

/// Sums over everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct IndexCounts {
    /// Journal entries.
    pub(crate) events: u64,
    /// Of these, in order.
    pub(crate) applied: u64,
    /// Of these, older than what had come before.
    pub(crate) out_of_order: u64,
    /// Of these, not understood.
    pub(crate) quarantined: u64,
    /// Subscriptions whose statements contradict each other.
    pub(crate) ambiguous: u64,
    /// Effects decided and not yet known to be written.
    pub(crate) pending: u64,
    /// Customers.
    pub(crate) customers: u64,
    /// Letters by state.
    pub(crate) letters: BTreeMap<&'static str, u64>,
}

/// A customer in the list.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct CustomerSummary {
    /// Name, as given.
    pub(crate) name: String,
    /// E-mail address, as given.
    pub(crate) email: String,
    /// The latest subscription's status.
    pub(crate) status: &'static str,
    /// How many events.
    pub(crate) events: u64,
    /// How many were not understood.
    pub(crate) quarantined: u64,
    pending: u64,
    ambiguous: u64,
    version: u64,
    #[serde(skip)]
    latest: Option<Position>,
}

impl Index {
    /// An index that follows this table for as long as somebody holds it.
    pub(crate) fn new(engine: Engine) -> Self {
        let state = Arc::new(Mutex::new(IndexState::default()));
        let (follower, weak) = (engine.clone(), Arc::downgrade(&state));
        std::thread::spawn(move || follow(&follower, &weak));
        Self { engine, state }
    }

    /// What is known, with what was written in the last moment: at most a few pages of it.
    pub(crate) fn current(&self) -> MutexGuard<'_, IndexState> {
        let mut known = lock(&self.state);
        for _ in 0..4 {
            match known.catch_up(&self.engine) {
                Ok(PAGE_SIZE) => {}
                Ok(_) | Err(_) => break,
            }
        }
        known
    }
}

/// The scan first: a stack with a directory forgets its stream after a day.
fn follow(engine: &Engine, known: &Weak<Mutex<IndexState>>) {
    if let Some(known) = known.upgrade()
        && let Err(cause) = lock(&known).read_everything(engine)
    {
        tracing::error!(%cause, "the pages could not read the table");
    }
    while let Some(known) = known.upgrade() {
        let read = lock(&known).catch_up(engine);
        drop(known);
        // The engine answers an error while the stack ends.
        let pause = if matches!(read, Ok(PAGE_SIZE)) {
            YIELD_INTERVAL
        } else {
            POLL_INTERVAL
        };
        std::thread::sleep(pause);
    }
}

fn lock(known: &Mutex<IndexState>) -> MutexGuard<'_, IndexState> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl IndexState {
    fn read_everything(&mut self, engine: &Engine) -> Result<(), StackError> {
        let mut after = None;
        let mut entries = Vec::new();
        loop {
            let (records, next) = engine.scan_page(after)?;
            for (_, item) in typed_items(records) {
                match item {
                    Some(Item::Entry(customer, entry)) => entries.push((customer, entry)),
                    Some(item) => self.apply(item),
                    None => {}
                }
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        // In the order of arrival: what is late is so for having come after something younger.
        entries.sort_by(|(_, a), (_, b)| {
            (a.received_at, &a.event.id).cmp(&(b.received_at, &b.event.id))
        });
        for (customer, entry) in entries {
            self.entry(&customer, entry);
        }
        Ok(())
    }

    /// Takes in one page of changes. How many there were.
    fn catch_up(&mut self, engine: &Engine) -> Result<usize, StackError> {
        let changes = engine.changes(self.read_up_to.as_deref(), PAGE_SIZE)?;
        let (read, last) = (
            changes.len(),
            changes.last().map(|last| last.sequence.clone()),
        );
        for (keys, item) in typed_items(changes.into_iter().map(|change| change.record).collect()) {
            match item {
                Some(item) => self.apply(item),
                None => self.remove(keys),
            }
        }
        self.read_up_to = last.or(self.read_up_to.take());
        Ok(read)
    }

    fn apply(&mut self, item: Item) {
        match item {
            Item::Entry(customer, entry) => self.entry(&customer, entry),
            Item::Record(record) => self.record(&record),
            Item::Parked(reference, entry) => {
                let id: Arc<str> = entry.event.id.as_str().into();
                let key = (reference.as_str().into(), format!("{PARKED}{id}").into());
                let waits = entry.event.is_waiting();
                if self.parked.insert(key, waits).is_none() {
                    let partition = store::items::reference_partition(&reference);
                    self.events.insert((id, partition.into()));
                    let verdict = parked_verdict(&entry);
                    self.add_entry_activity("parked", &entry, verdict, reference.as_str());
                }
            }
            Item::Letter(row) => self.letter(&row),
            Item::Partner(row) => self.partners.add(row),
            Item::Alias(..)
            | Item::FirstPayment(_)
            | Item::Commission(_)
            | Item::Checkpoint(_)
            | Item::ClosedBucket(_)
            | Item::FanOut(_)
            | Item::UsagePage(_)
            | Item::ParkedUsage(_)
            | Item::ShopNotice(_)
            | Item::ShopKey(_)
            | Item::Root(_)
            | Item::Cursor(_) => {}
            Item::Payout(_) | Item::Bank(_) | Item::TransferBatch(_) => {}
            Item::ReferralStatus(_) | Item::Report(..) => {}
            Item::NoticeEndpoint(_) | Item::DeliveryState(_) | Item::Unreadable(_) => {}
        }
    }

    fn entry(&mut self, customer: &CustomerKey, entry: Arc<Entry>) {
        let id: Arc<str> = entry.event.id.as_str().into();
        let partition: Arc<str> = store::items::customer_partition(customer).into();
        if !self.events.insert((id, partition)) {
            return;
        }
        let key: Arc<str> = customer.as_str().into();
        let line = self.customers.entry(key.clone()).or_default();
        let before = line.events;
        let position = entry.event.position();
        let late = line
            .latest
            .as_ref()
            .is_some_and(|latest| position < *latest);
        let unclear = entry.event.is_unclear();
        if !late {
            line.latest = Some(position);
        }
        line.events = before.saturating_add(1);
        line.quarantined = line.quarantined.saturating_add(unclear.into());
        let counts = &mut self.counts;
        let (count, verdict) = match (unclear, late) {
            (true, _) => (&mut counts.quarantined, "quarantined"),
            (false, true) => (&mut counts.out_of_order, "out_of_order"),
            (false, false) => (&mut counts.applied, "applied"),
        };
        *count = count.saturating_add(1);
        counts.events = counts.events.saturating_add(1);
        self.counts.customers = u64::try_from(self.customers.len()).unwrap_or(u64::MAX);
        self.add_entry_activity("event", &entry, verdict, customer.as_str());
        self.entry_cache.add(&key, entry, before);
    }

    fn record(&mut self, record: &Record) {
        let line = self
            .customers
            .entry(record.customer.as_str().into())
            .or_default();
        if record.version < line.version {
            return;
        }
        let state = &record.folded.state;
        self.partners.record_referrals(&record.customer, state);
        let ambiguous = state
            .subscriptions
            .values()
            .filter(|known| known.ambiguous)
            .count();
        let (pending, ambiguous) = (record.pending.len(), ambiguous);
        let replaced = (line.pending, line.ambiguous);
        line.version = record.version;
        line.pending = u64::try_from(pending).unwrap_or(u64::MAX);
        line.ambiguous = u64::try_from(ambiguous).unwrap_or(u64::MAX);
        line.name = state.person.name().unwrap_or_default().to_owned();
        line.email = state.person.email().unwrap_or_default().to_owned();
        let latest = state
            .subscriptions
            .values()
            .max_by_key(|known| known.started_at);
        line.status = latest.map_or("", |known| known.terms.status.as_str());
        let counts = &mut self.counts;
        let moved = |sum: u64, from: u64, to: u64| sum.saturating_sub(from).saturating_add(to);
        counts.pending = moved(counts.pending, replaced.0, line.pending);
        counts.ambiguous = moved(counts.ambiguous, replaced.1, line.ambiguous);
    }

    fn letter(&mut self, row: &LetterRow) {
        let sort = format!("{LETTER}{}#{}", row.letter.as_str(), row.cause);
        let key = (row.customer.as_str().into(), sort.into());
        let state = row.state.name();
        let before = self.letters.get(&key).copied();
        if before.is_some_and(|(version, _)| version >= row.version) {
            return;
        }
        if let Some(count) = before.and_then(|(_, name)| self.counts.letters.get_mut(name)) {
            *count = count.saturating_sub(1);
        }
        let count = self.counts.letters.entry(state).or_default();
        *count = count.saturating_add(1);
        self.letters.insert(key, (row.version, state));
        self.add_activity(ActivityEntry {
            number: 0,
            at: state_changed_at(row),
            kind: "letter",
            name: row.letter.as_str().into(),
            verdict: state,
            subject: row.customer.as_str().into(),
            id: row.cause.clone(),
        });
    }

    /// Only what was parked is ever removed.
    fn remove(&mut self, (partition, sort): (String, String)) {
        let Some(reference) = partition.strip_prefix("reference#") else {
            return;
        };
        if let Some(id) = sort.strip_prefix(PARKED) {
            self.events.remove(&(id.into(), partition.as_str().into()));
        }
        self.parked.remove(&(reference.into(), sort.into()));
    }

    /// How many wait for somebody, and how many for their provider's API: what stands under a
    /// shared reference stays there for those who come later, and waits no more once it is in
    /// somebody's journal. A code that was given waits for nobody in particular.
    pub(crate) fn parked(&self) -> (u64, u64) {
        let handed = |id: &str| {
            let of_it = self.events.range((id.into(), "customer#".into())..);
            let mut of_it = of_it.take_while(|(known, _)| **known == *id);
            of_it.any(|(_, place)| place.starts_with("customer#"))
        };
        let (mut parked, mut waiting) = (0_u64, 0_u64);
        for ((_, sort), waits) in &self.parked {
            let Some(id) = sort.strip_prefix(PARKED) else {
                continue;
            };
            if *waits {
                waiting = waiting.saturating_add(1);
            } else if !id.starts_with(OPERATOR) && !handed(id) {
                parked = parked.saturating_add(1);
            }
        }
        (parked, waiting)
    }

    fn add_entry_activity(
        &mut self,
        what: &'static str,
        entry: &Entry,
        verdict: &'static str,
        subject: &str,
    ) {
        self.add_activity(ActivityEntry {
            number: 0,
            at: entry.received_at.to_string(),
            kind: what,
            name: entry.event.kind.clone(),
            verdict,
            subject: subject.into(),
            id: entry.event.id.as_str().into(),
        });
    }

    fn add_activity(&mut self, entry: ActivityEntry) {
        self.activity_count = self.activity_count.saturating_add(1);
        self.latest_activity.push_back(ActivityEntry {
            number: self.activity_count,
            ..entry
        });
        if self.latest_activity.len() > MAX_ACTIVITY {
            self.latest_activity.pop_front();
        }
    }
}

const PAGE_SIZE: usize = 500;
/// Happenings that are kept: what one action of a person can bring about, with room.
const MAX_ACTIVITY: usize = 500;
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Between two full pages others may have the lock.
const YIELD_INTERVAL: Duration = Duration::from_millis(5);
