//! Adds events to the pages of a customer's meter.
//!
//! An event goes down from the page of its month until it meets itself or a page that is not full,
//! which is written under its version. Whoever loses a race reads again. A full page never changes,
//! so an event stands in one page of its way at most, and its repetition meets it there.

use crate::error::StoreError;
use crate::items::key::Key;
use crate::port::Table;
use crate::usage::page_row::UsagePageRow;
use domain::ids::{CustomerKey, MeterName};
use domain::usage::meter_event::EventHash;
use domain::usage::page::{EntryStanding, PageEntry, UsagePage};
use domain::usage::page_place::{FULL_PAGE_BYTES, PagePlace};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Adds events to a customer's meter. For each, in the order given, what it was to what is there
/// and to those before it.
///
/// # Errors
/// When the table does not answer, or others write the same page all the time: what is told again
/// is known then, so far as it was written.
pub async fn record_usage<T: Table>(
    table: &T,
    customer: &CustomerKey,
    meter: &MeterName,
    events: &[(EventHash, PageEntry)],
) -> Result<Vec<EntryStanding>, StoreError> {
    let mut recording = Recording {
        table,
        customer,
        meter,
        events,
        standings: vec![EntryStanding::New; events.len()],
    };
    let mut way = recording.by_place((0..events.len()).collect(), 0);
    let mut level = 0_usize;
    while !way.is_empty() {
        level = level.saturating_add(1);
        let mut further = Vec::new();
        for (place, indexes) in way {
            further.extend(recording.add_to_page(&place, indexes).await?);
        }
        way = recording.by_place(further, level);
    }
    Ok(recording.standings)
}

struct Recording<'a, T> {
    table: &'a T,
    customer: &'a CustomerKey,
    meter: &'a MeterName,
    events: &'a [(EventHash, PageEntry)],
    standings: Vec<EntryStanding>,
}

impl<T: Table> Recording<'_, T> {
    /// Events by their page of a level. Below the last level there is none: by then thousands of
    /// ids would have one hash.
    fn by_place(&self, indexes: Vec<usize>, level: usize) -> BTreeMap<PagePlace, Vec<usize>> {
        let mut places: BTreeMap<PagePlace, Vec<usize>> = BTreeMap::new();
        for index in indexes {
            let event = self.events.get(index);
            let place = event.and_then(|(hash, e)| PagePlace::of(e.millisecond, *hash, level));
            if let Some(place) = place {
                places.entry(place).or_default().push(index);
            }
        }
        places
    }

    /// Adds events to a page. Gives those that have to go further, because it is full.
    async fn add_to_page(
        &mut self,
        place: &PagePlace,
        indexes: Vec<usize>,
    ) -> Result<Vec<usize>, StoreError> {
        let key = Key::usage_page(self.customer, self.meter, place);
        for attempt in 0..ATTEMPTS {
            let known: Option<Arc<UsagePageRow>> = self.table.get_row(key.clone()).await?;
            let (mut page, version, sealed) = known.map_or_else(Default::default, |known| {
                (known.page.clone(), known.version, known.sealed)
            });
            if sealed {
                return Ok(self.pass_by(&page, indexes));
            }
            let standings = self.insert(&mut page, &indexes);
            let is_new = |(_, standing): &(usize, EntryStanding)| match standing {
                EntryStanding::New | EntryStanding::Conflicting => true,
                EntryStanding::Repeated => false,
            };
            if standings.iter().any(is_new) {
                let is_full = page.to_bytes().len() >= FULL_PAGE_BYTES;
                let next = UsagePageRow {
                    customer: self.customer.clone(),
                    meter: self.meter.clone(),
                    place: place.clone(),
                    page,
                    // Where many write at once, they go on to finer places sooner.
                    sealed: is_full || attempt >= CROWDED,
                    version: version.saturating_add(1),
                };
                if !self.table.replace(Arc::new(next), version).await? {
                    continue;
                }
            }
            for (index, standing) in standings {
                self.note(index, standing);
            }
            return Ok(Vec::new());
        }
        Err(StoreError::Contended)
    }

    /// Looks events up in a page that is full. What contradicts one of its events goes on too, to
    /// be kept in a page below.
    fn pass_by(&mut self, page: &UsagePage, indexes: Vec<usize>) -> Vec<usize> {
        let mut further = Vec::new();
        for index in indexes {
            let Some((hash, entry)) = self.events.get(index) else {
                continue;
            };
            let standing = page.standing(*hash, entry.content);
            self.note(index, standing);
            if standing != EntryStanding::Repeated {
                further.push(index);
            }
        }
        further
    }

    fn insert(&self, page: &mut UsagePage, indexes: &[usize]) -> Vec<(usize, EntryStanding)> {
        let events = indexes.iter();
        let events = events.filter_map(|index| Some((*index, self.events.get(*index)?)));
        let insert = |(index, (hash, entry)): (usize, &(EventHash, PageEntry))| {
            (index, page.insert(*hash, *entry))
        };
        events.map(insert).collect()
    }

    /// What it met last decides, but what contradicts an event of an earlier page is never new.
    fn note(&mut self, index: usize, standing: EntryStanding) {
        if let Some(known) = self.standings.get_mut(index) {
            *known = match (*known, standing) {
                (EntryStanding::Conflicting, EntryStanding::New) => EntryStanding::Conflicting,
                (_, met) => met,
            };
        }
    }
}

/// How often a write that others overtook begins again.
const ATTEMPTS: u32 = 24;

/// After so many lost races a page is called full.
const CROWDED: u32 = 2;
