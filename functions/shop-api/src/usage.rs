//! Usage that the shop's code tells: each event is taken by itself, so one that can't be taken
//! holds no other up.

use crate::ShopApi;
use crate::body::read_body_up_to;
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::usage_event::{BadEvent, UsageEvent, read_event};
use domain::ids::MeterName;
use domain::record::Record;
use domain::usage::meter::Meter;
use domain::usage::meter_event::EventHash;
use domain::usage::page::{EntryStanding, PageEntry};
use domain::usage::periods::{PeriodRule, calendar_period};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use runtime::http::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use store::Table;
use store::lookup::{find_customers, parking_reference};
use store::parking::park_usage;
use store::recording::record_usage;

/// What is told: 1 to 1,000 events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageRequest<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

/// The same with its events typed, for the document.
#[cfg(feature = "openapi")]
#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Usage")]
#[expect(dead_code, reason = "events are read one by one")]
pub(crate) struct UsageBatch {
    /// 1 to 1,000. One that can't be taken holds no other up.
    #[schemars(length(min = 1, max = 1000))]
    events: Vec<crate::usage_event::UsageEventInput>,
}

/// What became of each event, in the order in which they were told.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "UsageAnswer"))]
pub(crate) struct UsageResponse {
    items: Vec<UsageItem>,
}

/// What became of one event.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct UsageItem {
    /// Its id; `null` where none could be read.
    id: Option<String>,
    /// `accepted`; `duplicate`: known already; `conflict`: another content is known under its id,
    /// and both are kept; `refused`: not kept.
    status: UsageStatus,
    /// Why it is refused, for programs.
    code: Option<&'static str>,
    /// Why it is refused, for people.
    error: Option<String>,
    /// What may be a mistake, although it is kept.
    warnings: Vec<UsageWarning>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
enum UsageStatus {
    Accepted,
    Duplicate,
    Conflict,
    Refused,
}

/// What may be a mistake.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
enum UsageWarning {
    /// The meter's filters leave it out: nothing of it counts.
    NoMatchingMeter,
    /// It happened before the meter began: it does not count.
    MeterNotStarted,
    /// Its period is over, and so is the time for what comes late.
    OutsideLateWindow,
    /// Its customer is not known yet: it waits.
    UnknownCustomer,
}

/// An event that can be kept, by its place among those that were told.
struct Accepted {
    place: usize,
    meter: MeterName,
    told: (EventHash, PageEntry),
}

impl<T: Table> ShopApi<T> {
    /// Takes usage.
    pub(crate) async fn tell_usage(
        &self,
        caller: &Caller,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Refusal> {
        caller.writer_only()?;
        let told: UsageRequest<'_> = read_body_up_to(&request.body, MAX_BYTES)?;
        if !(1..=MAX_EVENTS).contains(&told.events.len()) {
            let (name, what) = ("events", "has to have 1 to 1000 events");
            return Err(Refusal::Field { name, what });
        }
        let now = self.clock.now();
        let mut items = Vec::new();
        let mut customers: BTreeMap<String, Vec<Accepted>> = BTreeMap::new();
        for (place, raw) in told.events.iter().enumerate() {
            let read = read_event(raw.get(), now);
            let id = read.as_ref().ok().map(|event| event.told.id.to_string());
            let taken =
                read.and_then(|event| self.entry(&event, place).map(|taken| (event, taken)));
            let mut item = UsageItem::accepted(id);
            match taken {
                Err(bad) => item.refuse(bad.code(), bad.to_string()),
                Ok((event, (accepted, meter))) => {
                    item.warnings = warnings(meter, &accepted.told.1);
                    customers.entry(event.customer).or_default().push(accepted);
                }
            }
            items.push(item);
        }
        let takings = customers
            .into_iter()
            .map(|(text, events)| self.take(text, events, now));
        let takings: Vec<_> = stream::iter(takings)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        for (place, outcome) in takings.into_iter().flatten() {
            if let Some(item) = items.get_mut(place) {
                item.note(outcome);
            }
        }
        Ok(HttpResponse::json(200, &UsageResponse { items }))
    }

    fn entry(&self, event: &UsageEvent, place: usize) -> Result<(Accepted, &Meter), BadEvent> {
        let meter = self.catalog.counted.get(&event.told.meter);
        let meter = meter.ok_or(BadEvent::NoMatchingMeter)?;
        let accepted = Accepted {
            place,
            meter: event.told.meter.clone(),
            told: (event.told.hash(), meter.entry(&event.told)?),
        };
        Ok((accepted, meter))
    }

    /// Takes the events of one customer. What became of each, by its place.
    async fn take(
        &self,
        text: String,
        events: Vec<Accepted>,
        now: Timestamp,
    ) -> Result<Vec<(usize, Outcome)>, Refusal> {
        let found = find_customers(&self.table, &text, &self.accounts).await?;
        let mut meters: BTreeMap<MeterName, Vec<Accepted>> = BTreeMap::new();
        for event in events {
            meters.entry(event.meter.clone()).or_default().push(event);
        }
        let mut outcomes = Vec::new();
        for (meter, events) in meters {
            let told: Vec<_> = events.iter().map(|event| event.told).collect();
            let each = |outcome: Outcome| events.iter().map(move |event| (event.place, outcome));
            match (&found.records[..], parking_reference(&text)) {
                ([record], _) => {
                    let customer = &record.customer;
                    let standings = record_usage(&self.table, customer, &meter, &told).await?;
                    for (event, standing) in events.iter().zip(standings) {
                        let is_late = self.is_outside_window(record, event, now);
                        outcomes.push((event.place, Outcome::Kept(standing, is_late)));
                    }
                }
                ([], Some(reference)) => {
                    park_usage(&self.table, &reference, &meter, &told).await?;
                    outcomes.extend(each(Outcome::Parked));
                }
                ([], None) => outcomes.extend(each(Outcome::NotACustomer)),
                ([..], _) => outcomes.extend(each(Outcome::Several)),
            }
        }
        Ok(outcomes)
    }

    /// Whether an event's period is over, and the time for what comes late too.
    fn is_outside_window(&self, record: &Record, event: &Accepted, now: Timestamp) -> bool {
        let Some(meter) = self.catalog.counted.get(&event.meter) else {
            return false;
        };
        let (_, entry) = event.told;
        let at = Timestamp::from_millisecond(entry.millisecond).unwrap_or_default();
        let end = match &meter.period {
            PeriodRule::Calendar(unit, zone) => {
                calendar_period(*unit, zone, at).map(|period| period.end)
            }
            // Of those that are over, only that they end where the running one begins is known.
            PeriodRule::Subscription => running_since(record, now).filter(|start| at < *start),
        };
        end.is_some_and(|end| now.duration_since(end) > meter.late)
    }
}

/// What became of an event that could be read.
#[derive(Clone, Copy)]
enum Outcome {
    Kept(EntryStanding, bool),
    Parked,
    Several,
    NotACustomer,
}

impl UsageItem {
    fn accepted(id: Option<String>) -> Self {
        Self {
            id,
            status: UsageStatus::Accepted,
            code: None,
            error: None,
            warnings: Vec::new(),
        }
    }

    fn refuse(&mut self, code: &'static str, error: String) {
        self.status = UsageStatus::Refused;
        (self.code, self.error) = (Some(code), Some(error));
    }

    fn note(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Kept(standing, is_late) => {
                self.status = match standing {
                    EntryStanding::New => UsageStatus::Accepted,
                    EntryStanding::Repeated => UsageStatus::Duplicate,
                    EntryStanding::Conflicting => UsageStatus::Conflict,
                };
                self.warnings
                    .extend(is_late.then_some(UsageWarning::OutsideLateWindow));
            }
            Outcome::Parked => self.warnings.push(UsageWarning::UnknownCustomer),
            Outcome::Several => self.refuse(
                "several_customers",
                "several customers share that reference: name the one by its key".to_owned(),
            ),
            Outcome::NotACustomer => self.refuse(
                "invalid_customer",
                "nobody is known by that reference, and it is none that one customer has alone"
                    .to_owned(),
            ),
        }
    }
}

/// What may be a mistake in an event that its meter takes.
fn warnings(meter: &Meter, entry: &PageEntry) -> Vec<UsageWarning> {
    let begins = meter.starts_at.map(Timestamp::as_millisecond);
    let early = begins.is_some_and(|begins| entry.millisecond < begins);
    let left_out = entry
        .value
        .is_none()
        .then_some(UsageWarning::NoMatchingMeter);
    let early = early.then_some(UsageWarning::MeterNotStarted);
    left_out.into_iter().chain(early).collect()
}

/// Since when the running period of a customer's subscriptions goes on.
fn running_since(record: &Record, now: Timestamp) -> Option<Timestamp> {
    let subscriptions = record.folded.state.subscriptions.values();
    let periods = subscriptions.filter_map(|subscription| subscription.terms.period);
    let running = periods.filter(|period| period.start <= now && now < period.end);
    running.map(|period| period.start).min()
}

/// As many events as a request may tell.
pub(crate) const MAX_EVENTS: usize = 1000;

/// As many bytes as a request that tells usage may have.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// The usage of so many customers is taken at once.
const AT_ONCE: usize = 16;
