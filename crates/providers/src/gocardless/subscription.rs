//! `subscriptions.*`: what the action says of the status, and the object of everything else.

use super::event::{GocardlessEvent, money};
use crate::api_document::ReadError;
use crate::civil::{CalendarUnit, Day, Interval};
use crate::draft::{NormalizedEventDraft, terms};
use crate::wire::{Id, Metadata, Rfc3339Time, UnclearValue};
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
    with_status(event, |state| match state {
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
    with_status(event, |_| Active)
}

/// `subscriptions.amended`: another amount. That may be told of a paused one.
pub(super) fn amended<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_status(event, |state| match state {
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
    with_status(event, |_| Active)
}

/// `subscriptions.paused`.
pub(super) fn paused<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_status(event, |_| Paused)
}

/// `subscriptions.resumed`.
pub(super) fn resumed<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_status(event, |_| Active)
}

/// `subscriptions.customer_approval_denied`: it never began.
pub(super) fn denied<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (subscription, draft) = fetch_with_draft(event)?;
    let mut snapshot = subscription.ended(event, false)?;
    snapshot.terms.status = IncompleteExpired;
    Ok(with_subscription(draft, snapshot))
}

/// `subscriptions.finished`: all its payments are made, as agreed.
pub(super) fn finished<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (subscription, draft) = fetch_with_draft(event)?;
    let snapshot = subscription.ended(event, false)?;
    Ok(with_subscription(draft, snapshot))
}

/// `subscriptions.cancelled`.
pub(super) fn canceled<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (subscription, draft) = fetch_with_draft(event)?;
    let snapshot = subscription.ended(event, true)?;
    Ok(with_subscription(draft, snapshot))
}

/// A subscription as the API shows it.
#[derive(Deserialize)]
pub(super) struct Subscription<'a> {
    id: Id,
    status: Arc<str>,
    amount: i64,
    currency: Arc<str>,
    created_at: Rfc3339Time,
    interval: u32,
    interval_unit: Arc<str>,
    #[serde(default)]
    name: Option<Arc<str>>,
    #[serde(default)]
    start_date: Option<Day>,
    #[serde(default)]
    end_date: Option<Day>,
    #[serde(default)]
    upcoming_payments: Vec<UpcomingPayment>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
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
    /// Whether it came to its agreed end, or never began.
    pub(super) fn ended_as_agreed(&self) -> Result<bool, UnclearValue> {
        Ok(match self.state()? {
            SubscriptionState::Finished | SubscriptionState::Denied => true,
            SubscriptionState::Pending
            | SubscriptionState::Active
            | SubscriptionState::Paused
            | SubscriptionState::Canceled => false,
        })
    }

    /// It ended with this event; `asked` whether somebody asked for it.
    pub(super) fn ended(
        &self,
        event: &GocardlessEvent<'_, '_>,
        asked: bool,
    ) -> Result<SubscriptionSnapshot, UnclearValue> {
        self.state()?;
        let mut snapshot = self.snapshot(Canceled)?;
        snapshot.ended_at = Some(event.at);
        snapshot.canceled_at = asked.then_some(event.at);
        Ok(snapshot)
    }

    fn snapshot(&self, status: SubscriptionStatus) -> Result<SubscriptionSnapshot, UnclearValue> {
        let amount = money(self.amount, &self.currency, PLACE)?;
        let priced = self.metadata.as_ref().and_then(Metadata::price);
        let price = priced.or_else(|| self.name.clone());
        Ok(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: self.created_at.0,
            currency: Some(amount.currency),
            terms: SubscriptionTerms {
                cancel_at: self.end()?,
                ..terms(status, (&self.id.0, price, amount.minor), self.period()?)?
            },
            canceled_at: None,
            ended_at: None,
            end_requested: false,
            end_reason: None,
            previous_attributes: None,
        })
    }

    fn state(&self) -> Result<SubscriptionState, UnclearValue> {
        Ok(match &*self.status {
            "pending_customer_approval" => SubscriptionState::Pending,
            "customer_approval_denied" => SubscriptionState::Denied,
            "active" => SubscriptionState::Active,
            "paused" => SubscriptionState::Paused,
            "finished" => SubscriptionState::Finished,
            "cancelled" => SubscriptionState::Canceled,
            other => return Err(UnclearValue::unknown_word("subscriptions.status", other)),
        })
    }

    fn period(&self) -> Result<Option<Period>, UnclearValue> {
        let unit = match &*self.interval_unit {
            "weekly" => CalendarUnit::Week,
            "monthly" => CalendarUnit::Month,
            "yearly" => CalendarUnit::Year,
            other => {
                return Err(UnclearValue::unknown_word(
                    "subscriptions.interval_unit",
                    other,
                ));
            }
        };
        let count = self.interval;
        let next = self.upcoming_payments.first();
        let before = |next: &UpcomingPayment| {
            Interval { count, unit }.period_before(next.charge_date, self.start_date)
        };
        Ok(next.map(before).transpose()?.flatten())
    }

    fn end(&self) -> Result<Option<Timestamp>, UnclearValue> {
        self.end_date.map(Day::start).transpose()
    }
}

fn with_status<'a>(
    event: &GocardlessEvent<'a, '_>,
    status: fn(SubscriptionState) -> SubscriptionStatus,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (subscription, draft) = fetch_with_draft(event)?;
    let snapshot = subscription.snapshot(status(subscription.state()?))?;
    Ok(with_subscription(draft, snapshot))
}

fn fetch_with_draft<'a, 'f>(
    event: &GocardlessEvent<'a, 'f>,
) -> Result<(Subscription<'f>, NormalizedEventDraft<'a>), ReadError> {
    let subscription: Subscription<'f> = event.object(PLACE, &event.links.subscription)?;
    let mut draft = event.draft(Some(&subscription.links.mandate), None)?;
    draft.read_metadata(subscription.metadata.as_ref());
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
