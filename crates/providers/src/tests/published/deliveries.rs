//! A delivery as one JSON value, `{"body":…, "answers":{path:document}}`, so that any part of it
//! can be changed, and what is read of it.

use super::super::step;
use crate::{ApiResponse, ApiResponses, CallTarget, FetchStep, ItemOutcome, Provider};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{Mode, ObjectId};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// One sample, with what the provider's API answers to it.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) provider: &'static Provider,
    pub(super) name: String,
    pub(super) parts: Value,
}

/// Every sample of a provider.
pub(super) fn samples(provider: &'static Provider) -> Vec<Delivery> {
    let all = provider.samples().iter();
    all.map(|(name, body)| Delivery::new(provider, (*name).to_owned(), body))
        .collect()
}

/// One customer's history.
pub(super) fn scenario(provider: &'static Provider) -> Vec<Delivery> {
    let all = provider.scenario().iter();
    all.map(|(name, body)| Delivery::new(provider, format!("scenario/{name}"), body))
        .collect()
}

impl Delivery {
    /// With no more answers than it asks for.
    fn new(provider: &'static Provider, name: String, body: &str) -> Self {
        let mut recorded = Map::new();
        for text in provider.recorded_responses(&name) {
            let documents: Map<String, Value> = serde_json::from_str(text).expect("are documents");
            recorded.extend(documents);
        }
        let mut fetched = ApiResponses::default();
        let mut asked = Map::new();
        while let Ok(FetchStep::Fetch(pending)) = step(provider, body.as_bytes(), &fetched) {
            for call in pending.calls() {
                let CallTarget::Api(path) = &call.target else {
                    panic!("asks for a certificate");
                };
                let document = recorded.get(&**path).unwrap_or(&Value::Null).clone();
                fetched.insert(call.clone(), Some(response(&document)));
                asked.insert(path.to_string(), document);
            }
        }
        // A form is no JSON: it is kept as text.
        let body: Value = serde_json::from_str(body).unwrap_or_else(|_| body.into());
        Self {
            provider,
            name,
            parts: json!({ "body": body, "answers": asked }),
        }
    }

    /// The type of its event, by its name: `invoice.paid` of `scenario/03-invoice.paid-late`.
    pub(super) fn kind(&self) -> String {
        let handled = self.provider.handled_types().into_iter();
        let mut named = handled.filter(|kind| self.name.contains(kind));
        named.next().unwrap_or_default().to_owned()
    }

    /// The same with other parts.
    pub(super) fn with(&self, parts: Value) -> Self {
        Self {
            parts,
            ..self.clone()
        }
    }

    /// What is read of it; nothing where it is refused.
    pub(super) fn outcomes(&self) -> Vec<ItemOutcome> {
        let body = &self.parts["body"];
        let body = body
            .as_str()
            .map_or_else(|| body.to_string(), str::to_owned);
        let answers = self.parts["answers"].to_string();
        let fetched = ApiResponses::recorded([answers.as_str()]).expect("are documents");
        match step(self.provider, body.as_bytes(), &fetched) {
            Ok(FetchStep::Done(received)) => received.into_iter().map(|one| one.outcome).collect(),
            Ok(FetchStep::Fetch(asked)) => panic!("asks though all is closed: {asked:?}"),
            Err(_) => Vec::new(),
        }
    }

    /// The events that are read of it.
    pub(super) fn events(&self) -> Vec<NormalizedEvent> {
        let outcomes = self.outcomes().into_iter();
        let events = outcomes.filter_map(|outcome| match outcome {
            ItemOutcome::Event(event) => Some(event),
            ItemOutcome::Ignored { .. }
            | ItemOutcome::WrongMode { .. }
            | ItemOutcome::OtherAccount { .. } => None,
        });
        events.collect()
    }

    /// What it says, to be compared: without ids and types of events, which may name a state.
    pub(super) fn said(&self) -> Vec<Said> {
        let outcomes = self.outcomes();
        let said = outcomes.iter().map(|one| Said::of(self.provider, one));
        said.collect()
    }
}

fn response(document: &Value) -> ApiResponse {
    ApiResponse {
        status: if document.is_null() { 404 } else { 200 },
        body: document.to_string().into_bytes().into(),
    }
}

/// What is said of one item.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// It is an event: whom it is about, its facts and references.
    Event(Box<NormalizedEvent>),
    /// It is counted and not read.
    Counted(&'static str),
}

impl Said {
    fn of(provider: &Provider, outcome: &ItemOutcome) -> Self {
        let unnamed = ObjectId::parse("event").expect("is an id");
        match outcome {
            ItemOutcome::Event(event) => Self::Event(Box::new(NormalizedEvent {
                id: provider.account(Mode::Test).event(&unnamed),
                kind: "".into(),
                occurred_at: Timestamp::UNIX_EPOCH,
                rank: 0,
                ..event.clone()
            })),
            ItemOutcome::Ignored { .. } => Self::Counted("ignored"),
            ItemOutcome::WrongMode { .. } => Self::Counted("wrong mode"),
            ItemOutcome::OtherAccount { .. } => Self::Counted("other account"),
        }
    }

    /// Whether part of it could not be read.
    pub(super) fn is_unclear(&self) -> bool {
        match self {
            Self::Event(event) => event.is_unclear(),
            Self::Counted(_) => false,
        }
    }

    /// Its facts of money and subscriptions, by their names and how each stands.
    pub(super) fn summary(&self) -> String {
        match self {
            Self::Event(event) => {
                let facts: Vec<_> = event.facts.iter().filter_map(summary).collect();
                facts.join(", ")
            }
            Self::Counted(how) => (*how).to_owned(),
        }
    }
}

fn summary(fact: &Fact) -> Option<String> {
    let value = serde_json::to_value(fact).expect("is JSON");
    let (name, value) = value.as_object()?.iter().next()?;
    let of_interest = [
        "subscription",
        "payment",
        "invoice",
        "refund",
        "dispute",
        "cumulative_refund",
        "unclear",
    ];
    if !of_interest.contains(&name.as_str()) {
        return None;
    }
    let states = [&value["state"], &value["status"], &value["terms"]["status"]];
    let state = states.into_iter().find_map(Value::as_str);
    Some(match state {
        Some(state) => format!("{name} {state}"),
        None => name.clone(),
    })
}
