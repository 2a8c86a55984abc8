//! One event: what was sent, how we read it, and what became of it.

use crate::activity::parked_verdict;
use crate::console::Console;
use crate::customers::unclear_reason;
use crate::display_prefs::DisplayPrefs;
use crate::page_result::{PageError, PageResult};
use crate::render::values;
use crate::replay::ReplayResponse;
use crate::timeline::EventEffect;
use axum::extract::{Form, Query, State};
use domain::event::Fact;
use domain::ids::CustomerKey;
use domain::record::Entry;
use local_cloud::recorded_requests::RecordedRequest;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::folding::read_record;
use store::items::{JOURNAL, Key, PARKED, customer_of};
use store::operator_decisions::OPERATOR;
use store::{Item, Table};

#[derive(Deserialize)]
pub(crate) struct EventQuery {
    id: String,
}

/// Where an event is, and what it did there.
#[derive(Serialize)]
struct EventPlace {
    customer: String,
    verdict: &'static str,
    effect: Option<EventEffect>,
}

pub(crate) async fn page(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(which): Query<EventQuery>,
) -> PageResult {
    console.event(&display, &which.id, None).await
}

/// What a replay came to, and whether the records are as they were.
#[derive(Serialize)]
struct ReplayOutcome {
    #[serde(flatten)]
    response: ReplayResponse,
    unchanged: bool,
}

pub(crate) async fn replay(
    State(console): State<Console>,
    mut display: DisplayPrefs,
    Form(which): Form<EventQuery>,
) -> PageResult {
    let (entry, customers) = console.find_entry(&which.id).await?;
    let before = console.digests(&customers).await?;
    let response = console.replay(&entry).await?;
    let unchanged = before == console.digests(&customers).await?;
    display.current_path = format!("/event?id={}", crate::render::encoded(&which.id));
    console
        .event(
            &display,
            &which.id,
            Some(ReplayOutcome {
                response,
                unchanged,
            }),
        )
        .await
}

impl Console {
    async fn event(
        &self,
        display: &DisplayPrefs,
        id: &str,
        replayed: Option<ReplayOutcome>,
    ) -> PageResult {
        let (entry, customers) = self.find_entry(id).await?;
        let bytes = entry.raw.bytes();
        let mut places = Vec::new();
        for customer in &customers {
            places.push(self.event_place(customer, &entry).await?);
        }
        let seen = self
            .endpoints
            .state
            .recorded_with_digest(&RecordedRequest::digest_of(&bytes))?;
        let raw = String::from_utf8_lossy(&bytes);
        let pretty = serde_json::from_str::<Box<serde_json::value::RawValue>>(&raw).is_ok();
        let normalized = serde_json::to_string_pretty(&entry.event)?;
        let values = values! {
            id, places, seen, raw, normalized, replayed,
            json => pretty,
            kind => entry.event.kind,
            occurred_at => entry.event.occurred_at.to_string(),
            received_at => entry.received_at.to_string(),
            normalizer => entry.normalizer,
            bytes => bytes.len(),
            unclear => unclear_reason(&entry),
            waits_for => missing_from_api(&entry),
            // An operator's decision came by no endpoint, so it cannot be delivered again.
            decided => id.starts_with(&format!("{OPERATOR}/")),
            parked => parked_verdict(&entry),
            references => references(&entry),
        };
        self.page(display, "event.html", values)
    }

    async fn event_place(
        &self,
        customer: &CustomerKey,
        entry: &Entry,
    ) -> anyhow::Result<EventPlace> {
        let journal = self.journal(customer).await?;
        let at = journal
            .sorted
            .iter()
            .position(|known| known.event.id == entry.event.id);
        let explained = at.and_then(|at| journal.explained.get(at));
        let range = at.map(|at| at..at.saturating_add(1));
        let step = range.and_then(|range| journal.effects(range, &self.shop.catalog).pop());
        Ok(EventPlace {
            customer: customer.to_string(),
            verdict: explained.map_or("pending", |explained| explained.verdict.as_str()),
            effect: step,
        })
    }

    /// The entry, and the customers in whose journals it is; none while it is parked.
    async fn find_entry(&self, id: &str) -> Result<(Arc<Entry>, Vec<CustomerKey>), PageError> {
        let places: Vec<Arc<str>> = {
            let index = self.index.current();
            let from = (id.into(), "".into());
            let of_it = index
                .events
                .range(from..)
                .take_while(|(known, _)| **known == *id);
            of_it.map(|(_, place)| place.clone()).collect()
        };
        let mut found = None;
        for place in &places {
            let prefix = if customer_of(place).is_some() {
                JOURNAL
            } else {
                PARKED
            };
            let key = Key::new(place.clone(), format!("{prefix}{id}"));
            if let Some(Item::Entry(_, entry) | Item::Parked(_, entry)) =
                self.table.get(key).await?
            {
                found = Some(entry);
                break;
            }
        }
        let entry =
            found.ok_or_else(|| PageError::NotFound(format!("no event {id} is journaled")))?;
        Ok((
            entry,
            places
                .iter()
                .filter_map(|place| customer_of(place))
                .collect(),
        ))
    }

    /// What each record says it was folded from.
    async fn digests(&self, customers: &[CustomerKey]) -> anyhow::Result<Vec<String>> {
        let mut digests = Vec::new();
        for customer in customers {
            let record = read_record(&self.table, customer).await?;
            digests.extend(record.map(|r| format!("{} {}", r.version, r.folded.digest)));
        }
        Ok(digests)
    }
}

/// What its provider's API has not told yet.
fn missing_from_api(entry: &Entry) -> Option<Arc<str>> {
    let mut facts = entry.event.facts.iter();
    facts.find_map(|fact| {
        if let Fact::Waiting { what } = fact {
            Some(what.clone())
        } else {
            None
        }
    })
}

fn references(entry: &Entry) -> Vec<String> {
    let named = match &entry.event.about {
        domain::event::About::Customer(customer) => vec![customer.to_string()],
        domain::event::About::ByReference(references) => {
            references.iter().map(ToString::to_string).collect()
        }
    };
    let others = entry.event.references.iter().map(ToString::to_string);
    named.into_iter().chain(others).collect()
}
