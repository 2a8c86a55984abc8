//! `subscriptions.*`: what the action says of the status, and the object of everything else.

use super::event::{GocardlessEvent, money};
use crate::api_document::ReadError;
use crate::civil::{CalendarUnit, Day, DayOfMonth, Interval};
use crate::draft::{NormalizedEventDraft, terms};
use crate::wire::{Id, Metadata, Part, Rfc3339Time, UnclearValue};
use domain::event::Fact;
use domain::subscription::terms::SubscriptionStatus::{
    Active, Canceled, Incomplete, IncompleteExpired, Paused,
};
use domain::subscription::terms::{
    Period, SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms,
};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// `subscriptions.created`: some have to be approved by the customer first.
pub(super) fn created<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_state(event, |state| match state {
        SubscriptionState::Pending | SubscriptionState::Denied => Incomplete,
        SubscriptionState::Active
        | SubscriptionState::Paused
        | SubscriptionState::Finished
        | SubscriptionState::Canceled => Active,
    })
}

/// `subscriptions.customer_approval_granted`.
pub(super) fn granted<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_status(event, Active)
}

/// `subscriptions.amended`: another amount. That may be told of a paused one.
pub(super) fn amended<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_state(event, |state| match state {
        SubscriptionState::Pending | SubscriptionState::Denied => Incomplete,
        SubscriptionState::Paused => Paused,
        SubscriptionState::Active | SubscriptionState::Finished | SubscriptionState::Canceled => {
            Active
        }
    })
}

/// `subscriptions.payment_created`: a charge is on its way, the next one is known.
pub(super) fn charged<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_status(event, Active)
}

/// `subscriptions.paused`.
pub(super) fn paused<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_status(event, Paused)
}

/// `subscriptions.resumed`.
pub(super) fn resumed<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_status(event, Active)
}

/// `subscriptions.customer_approval_denied`: it never began.
pub(super) fn denied<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (subscription, mut draft) = fetch_with_draft(event)?;
    let mut snapshot = subscription.ended(event, false, &mut draft);
    snapshot.terms.status = IncompleteExpired;
    Ok(with_subscription(draft, snapshot))
}

/// `subscriptions.finished`: all its payments are made, as agreed.
pub(super) fn finished<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (subscription, mut draft) = fetch_with_draft(event)?;
    let snapshot = subscription.ended(event, false, &mut draft);
    Ok(with_subscription(draft, snapshot))
}

/// `subscriptions.cancelled`.
pub(super) fn canceled<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (subscription, mut draft) = fetch_with_draft(event)?;
    let snapshot = subscription.ended(event, true, &mut draft);
    Ok(with_subscription(draft, snapshot))
}

/// A subscription as the API shows it.
#[derive(Deserialize)]
pub(super) struct Subscription<'a> {
    id: Id,
    #[serde(default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    amount: Part<i64>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    created_at: Rfc3339Time,
    #[serde(default)]
    interval: Part<u32>,
    #[serde(default)]
    interval_unit: Part<Arc<str>>,
    // From 1 to 28, or -1 for the last day of the month.
    #[serde(default)]
    day_of_month: Part<i8>,
    #[serde(default)]
    name: Part<Arc<str>>,
    #[serde(default)]
    start_date: Part<Day>,
    #[serde(default)]
    end_date: Part<Day>,
    #[serde(default)]
    upcoming_payments: Part<Vec<UpcomingPayment>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    links: MandateLink,
}

#[derive(Deserialize)]
struct UpcomingPayment {
    charge_date: Day,
}

#[derive(Deserialize)]
struct MandateLink {
    mandate: Id,
}

/// How a subscription stood when it was asked for.
#[derive(Clone, Copy)]
enum SubscriptionState {
    Pending,
    Denied,
    Active,
    Paused,
    Finished,
    Canceled,
}

impl Subscription<'_> {
    /// Whether it came to its agreed end, or never began. What can't be told is taken not to have:
    /// an end that is told twice is one.
    pub(super) fn ended_as_agreed(&self) -> bool {
        match self.state() {
            Ok(SubscriptionState::Finished | SubscriptionState::Denied) => true,
            Ok(
                SubscriptionState::Pending
                | SubscriptionState::Active
                | SubscriptionState::Paused
                | SubscriptionState::Canceled,
            )
            | Err(_) => false,
        }
    }

    /// It ended with this event; `asked` whether somebody asked for it.
    pub(super) fn ended(
        &self,
        event: &GocardlessEvent<'_, '_>,
        asked: bool,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> SubscriptionSnapshot {
        SubscriptionSnapshot {
            ended_at: Some(event.at),
            canceled_at: asked.then_some(event.at),
            ..self.snapshot(Canceled, draft)
        }
    }

    fn snapshot(
        &self,
        status: SubscriptionStatus,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> SubscriptionSnapshot {
        let amount = draft.readable(money(self.amount, &self.currency, PLACE));
        let metadata = self.metadata.as_ref().readable();
        let priced = metadata.and_then(Metadata::price);
        let price = priced.or_else(|| self.name.as_ref().readable().cloned());
        let interval = draft.readable(self.interval());
        let period = interval.map(|interval| self.period(interval));
        let period = draft.readable(period.transpose()).flatten().flatten();
        let schedule = (interval.and_then(Interval::billing), period);
        let cancel_at = draft.readable(self.end()).flatten();
        SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: self.created_at.0,
            currency: amount.map(|amount| amount.currency),
            terms: SubscriptionTerms {
                cancel_at,
                ..terms(status, (&self.id.0, price, amount), schedule, draft)
            },
            canceled_at: None,
            ended_at: None,
            end_requested: false,
            end_reason: None,
            previous_attributes: None,
        }
    }

    fn state(&self) -> Result<SubscriptionState, UnclearValue> {
        let place = "subscriptions.status";
        Ok(match &**self.status.as_ref().require(place)? {
            "pending_customer_approval" => SubscriptionState::Pending,
            "customer_approval_denied" => SubscriptionState::Denied,
            "active" => SubscriptionState::Active,
            "paused" => SubscriptionState::Paused,
            "finished" => SubscriptionState::Finished,
            "cancelled" => SubscriptionState::Canceled,
            other => return Err(UnclearValue::unknown_word(place, other)),
        })
    }

    fn interval(&self) -> Result<Interval, UnclearValue> {
        let place = "subscriptions.interval_unit";
        let unit = match &**self.interval_unit.as_ref().require(place)? {
            "weekly" => CalendarUnit::Week,
            "monthly" => CalendarUnit::Month,
            "yearly" => CalendarUnit::Year,
            other => return Err(UnclearValue::unknown_word(place, other)),
        };
        let count = self.interval.require("subscriptions.interval")?;
        Ok(Interval { count, unit })
    }

    fn period(&self, interval: Interval) -> Result<Option<Period>, UnclearValue> {
        let first = self.start_date.read("subscriptions.start_date")?;
        let due = match self.day_of_month.read("subscriptions.day_of_month")? {
            Some(-1) => Some(DayOfMonth::Last),
            Some(day) => Some(DayOfMonth::Day(day)),
            None => first.map(Day::of_month),
        };
        let upcoming = self.upcoming_payments.as_ref();
        let upcoming = upcoming.read("subscriptions.upcoming_payments")?;
        let next = upcoming.and_then(|payments| payments.first());
        let before = |next: &UpcomingPayment| interval.period_before(next.charge_date, first, due);
        Ok(next.map(before).transpose()?.flatten())
    }

    fn end(&self) -> Result<Option<Timestamp>, UnclearValue> {
        let date = self.end_date.read("subscriptions.end_date")?;
        date.map(Day::start).transpose()
    }
}

/// What the action alone says of the status.
fn with_status<'a>(
    event: &GocardlessEvent<'a, '_>,
    status: SubscriptionStatus,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (subscription, mut draft) = fetch_with_draft(event)?;
    let snapshot = subscription.snapshot(status, &mut draft);
    Ok(with_subscription(draft, snapshot))
}

/// Where the action leaves the status open, and the object says it.
fn with_state<'a>(
    event: &GocardlessEvent<'a, '_>,
    status: fn(SubscriptionState) -> SubscriptionStatus,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (subscription, mut draft) = fetch_with_draft(event)?;
    if let Some(state) = draft.readable(subscription.state()) {
        let snapshot = subscription.snapshot(status(state), &mut draft);
        draft.add_fact(Fact::Subscription(Box::new(snapshot)));
    }
    Ok(draft)
}

fn fetch_with_draft<'a, 'f>(
    event: &GocardlessEvent<'a, 'f>,
) -> Result<(Subscription<'f>, NormalizedEventDraft<'a>), ReadError> {
    let subscription: Subscription<'f> = event.object(PLACE, &event.links.subscription)?;
    let mut draft = event.draft(Some(&subscription.links.mandate), None)?;
    draft.read_metadata(subscription.metadata.as_ref().readable());
    draft.add_references(&[Some(&subscription.id.0), event.links.payment()]);
    Ok((subscription, draft))
}

fn with_subscription(
    mut draft: NormalizedEventDraft<'_>,
    snapshot: SubscriptionSnapshot,
) -> NormalizedEventDraft<'_> {
    draft.add_fact(Fact::Subscription(Box::new(snapshot)));
    draft
}

const PLACE: &str = "subscriptions";
