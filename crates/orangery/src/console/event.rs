//! One event: what was sent, how we read it, and what became of it.

use super::customers::unclear;
use super::happening::parked_verdict;
use super::look::Look;
use super::render::values;
use super::replay::Replayed;
use super::timeline::Step;
use super::{Console, Fault, Page};
use crate::stack::seen::Seen;
use axum::extract::{Form, Query, State};
use domain::ids::CustomerKey;
use domain::reading::Fact;
use domain::record::Entry;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::decided::OPERATOR;
use store::folding::read_record;
use store::items::{JOURNAL, Key, PARKED, customer_of};
use store::{Item, Table};

#[derive(Deserialize)]
pub(crate) struct Which {
    id: String,
}

/// Where an event is, and what it did there.
#[derive(Serialize)]
struct Place {
    customer: String,
    verdict: &'static str,
    step: Option<Step>,
}

pub(crate) async fn page(
    State(console): State<Console>,
    look: Look,
    Query(which): Query<Which>,
) -> Page {
    console.event(&look, &which.id, None).await
}

/// What a replay came to, and whether the records are as they were.
#[derive(Serialize)]
struct Outcome {
    #[serde(flatten)]
    said: Replayed,
    unchanged: bool,
}

pub(crate) async fn replay(
    State(console): State<Console>,
    mut look: Look,
    Form(which): Form<Which>,
) -> Page {
    let (entry, customers) = console.find(&which.id).await?;
    let before = console.digests(&customers).await?;
    let said = console.replay(&entry).await?;
    let unchanged = before == console.digests(&customers).await?;
    look.here = format!("/event?id={}", super::render::encoded(&which.id));
    console
        .event(&look, &which.id, Some(Outcome { said, unchanged }))
        .await
}

impl Console {
    async fn event(&self, look: &Look, id: &str, replayed: Option<Outcome>) -> Page {
        let (entry, customers) = self.find(id).await?;
        let mut places = Vec::new();
        for customer in &customers {
            places.push(self.place(customer, &entry).await?);
        }
        let seen = self
            .endpoints
            .state
            .seen_with(&Seen::digest_of(&entry.raw))?;
        let raw = String::from_utf8_lossy(&entry.raw);
        let pretty = serde_json::from_str::<Box<serde_json::value::RawValue>>(&raw).is_ok();
        let reading = serde_json::to_string_pretty(&entry.reading)?;
        let values = values! {
            id, places, seen, raw, reading, replayed,
            json => pretty,
            kind => entry.reading.kind,
            occurred_at => entry.reading.occurred_at.to_string(),
            received_at => entry.received_at.to_string(),
            normalizer => entry.normalizer,
            bytes => entry.raw.len(),
            unclear => unclear(&entry),
            waits_for => waits_for(&entry),
            // A person's word has no door that it could be delivered to again.
            decided => id.starts_with(&format!("{OPERATOR}/")),
            parked => parked_verdict(&entry),
            references => references(&entry),
        };
        self.page(look, "event.html", values)
    }

    async fn place(&self, customer: &CustomerKey, entry: &Entry) -> anyhow::Result<Place> {
        let journal = self.journal(customer).await?;
        let at = journal
            .sorted
            .iter()
            .position(|known| known.reading.id == entry.reading.id);
        let explained = at.and_then(|at| journal.explained.get(at));
        let range = at.map(|at| at..at.saturating_add(1));
        let step = range.and_then(|range| journal.steps(range, &self.shop.catalog).pop());
        Ok(Place {
            customer: customer.to_string(),
            verdict: explained.map_or("pending", |explained| explained.verdict.as_str()),
            step,
        })
    }

    /// The entry, and the customers in whose journals it is; none while it is parked.
    async fn find(&self, id: &str) -> Result<(Arc<Entry>, Vec<CustomerKey>), Fault> {
        let places: Vec<Arc<str>> = {
            let known = self.index.now();
            let from = (id.into(), "".into());
            let of_it = known
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
        let entry = found.ok_or_else(|| Fault::NotThere(format!("no event {id} is journaled")))?;
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
fn waits_for(entry: &Entry) -> Option<Arc<str>> {
    let mut facts = entry.reading.facts.iter();
    facts.find_map(|fact| {
        if let Fact::Waiting { what } = fact {
            Some(what.clone())
        } else {
            None
        }
    })
}

fn references(entry: &Entry) -> Vec<String> {
    let named = match &entry.reading.about {
        domain::reading::About::Customer(customer) => vec![customer.to_string()],
        domain::reading::About::Behind(references) => {
            references.iter().map(ToString::to_string).collect()
        }
    };
    let others = entry.reading.references.iter().map(ToString::to_string);
    named.into_iter().chain(others).collect()
}
