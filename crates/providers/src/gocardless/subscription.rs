//! `subscriptions.*`: what the action says of the status, and the object of everything else.

use super::event::{Event, money};
use crate::civil::{Day, Interval, Unit};
use crate::draft::{Draft, terms};
use crate::thin::Short;
use crate::wire::{Id, Metadata, Moment, Unclear};
use domain::reading::Fact;
use domain::terms::SubscriptionStatus::{Active, Canceled, Incomplete, IncompleteExpired, Paused};
use domain::terms::{Period, SubscriptionSeen, SubscriptionStatus, Terms};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// `subscriptions.created`: some have to be approved by the customer first.
pub(super) fn created<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    stated(event, |state| match state {
        State::Pending | State::Denied => Incomplete,
        State::Active | State::Paused | State::Finished | State::Canceled => Active,
    })
}

/// `subscriptions.customer_approval_granted`.
pub(super) fn granted<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    stated(event, |_| Active)
}

/// `subscriptions.amended`: another amount. That may be told of a paused one.
pub(super) fn amended<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    stated(event, |state| match state {
        State::Pending | State::Denied => Incomplete,
        State::Paused => Paused,
        State::Active | State::Finished | State::Canceled => Active,
    })
}

/// `subscriptions.payment_created`: a charge is on its way, the next one is known.
pub(super) fn charged<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    stated(event, |_| Active)
}

/// `subscriptions.paused`.
pub(super) fn paused<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    stated(event, |_| Paused)
}

/// `subscriptions.resumed`.
pub(super) fn resumed<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    stated(event, |_| Active)
}

/// `subscriptions.customer_approval_denied`: it never began.
pub(super) fn denied<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    let (subscription, draft) = named(event)?;
    let mut seen = subscription.ended(event, false)?;
    seen.terms.status = IncompleteExpired;
    Ok(telling(draft, seen))
}

/// `subscriptions.finished`: all its payments are made, as agreed.
pub(super) fn finished<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    let (subscription, draft) = named(event)?;
    let seen = subscription.ended(event, false)?;
    Ok(telling(draft, seen))
}

/// `subscriptions.cancelled`.
pub(super) fn canceled<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    let (subscription, draft) = named(event)?;
    let seen = subscription.ended(event, true)?;
    Ok(telling(draft, seen))
}

/// A subscription as the API shows it.
#[derive(Deserialize)]
pub(super) struct Subscription<'a> {
    id: Id,
    status: Arc<str>,
    amount: i64,
    currency: Arc<str>,
    created_at: Moment,
    interval: u32,
    interval_unit: Arc<str>,
    #[serde(default)]
    name: Option<Arc<str>>,
    #[serde(default)]
    start_date: Option<Day>,
    #[serde(default)]
    end_date: Option<Day>,
    #[serde(default)]
    upcoming_payments: Vec<Upcoming>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    links: MandateLink,
}

#[derive(Deserialize)]
struct Upcoming {
    charge_date: Day,
}

#[derive(Deserialize)]
struct MandateLink {
    mandate: Id,
}

/// How a subscription stood when it was asked for.
#[derive(Clone, Copy)]
enum State {
    Pending,
    Denied,
    Active,
    Paused,
    Finished,
    Canceled,
}

impl Subscription<'_> {
    /// Whether it came to its agreed end, or never began.
    pub(super) fn ended_by_itself(&self) -> Result<bool, Unclear> {
        Ok(match self.state()? {
            State::Finished | State::Denied => true,
            State::Pending | State::Active | State::Paused | State::Canceled => false,
        })
    }

    /// It ended with this event; `asked` whether somebody asked for it.
    pub(super) fn ended(
        &self,
        event: &Event<'_, '_>,
        asked: bool,
    ) -> Result<SubscriptionSeen, Unclear> {
        self.state()?;
        let mut seen = self.seen(Canceled)?;
        seen.ended_at = Some(event.at);
        seen.canceled_at = asked.then_some(event.at);
        Ok(seen)
    }

    fn seen(&self, status: SubscriptionStatus) -> Result<SubscriptionSeen, Unclear> {
        let amount = money(self.amount, &self.currency, PLACE)?;
        let priced = self.metadata.as_ref().and_then(Metadata::price);
        let price = priced.or_else(|| self.name.clone());
        Ok(SubscriptionSeen {
            id: self.id.0.clone(),
            started_at: self.created_at.0,
            currency: Some(amount.currency),
            terms: Terms {
                cancel_at: self.end()?,
                ..terms(status, (&self.id.0, price, amount.minor), self.period()?)
            },
            canceled_at: None,
            ended_at: None,
            end_asked: false,
            before: None,
        })
    }

    fn state(&self) -> Result<State, Unclear> {
        Ok(match &*self.status {
            "pending_customer_approval" => State::Pending,
            "customer_approval_denied" => State::Denied,
            "active" => State::Active,
            "paused" => State::Paused,
            "finished" => State::Finished,
            "cancelled" => State::Canceled,
            other => return Err(Unclear::word("subscriptions.status", other)),
        })
    }

    fn period(&self) -> Result<Option<Period>, Unclear> {
        let unit = match &*self.interval_unit {
            "weekly" => Unit::Week,
            "monthly" => Unit::Month,
            "yearly" => Unit::Year,
            other => return Err(Unclear::word("subscriptions.interval_unit", other)),
        };
        let count = self.interval;
        let next = self.upcoming_payments.first();
        let before =
            |next: &Upcoming| Interval { count, unit }.before(next.charge_date, self.start_date);
        Ok(next.map(before).transpose()?.flatten())
    }

    fn end(&self) -> Result<Option<Timestamp>, Unclear> {
        self.end_date.map(Day::begins).transpose()
    }
}

fn stated<'a>(
    event: &Event<'a, '_>,
    status: fn(State) -> SubscriptionStatus,
) -> Result<Draft<'a>, Short> {
    let (subscription, draft) = named(event)?;
    let seen = subscription.seen(status(subscription.state()?))?;
    Ok(telling(draft, seen))
}

fn named<'a, 'f>(event: &Event<'a, 'f>) -> Result<(Subscription<'f>, Draft<'a>), Short> {
    let subscription: Subscription<'f> = event.object(PLACE, &event.links.subscription)?;
    let mut draft = event.draft(Some(&subscription.links.mandate), None)?;
    draft.read_metadata(subscription.metadata.as_ref());
    draft.lead(&[Some(&subscription.id.0), event.links.payment()]);
    Ok((subscription, draft))
}

fn telling(mut draft: Draft<'_>, seen: SubscriptionSeen) -> Draft<'_> {
    draft.tell(Fact::Subscription(Box::new(seen)));
    draft
}

const PLACE: &str = "subscriptions";
