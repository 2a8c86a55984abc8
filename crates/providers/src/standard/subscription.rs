//! `subscription.*`: the whole of a subscription as it is now.

use crate::draft::{Draft, currency, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Moment, Span, Unclear, at, status};
use domain::ids::{ObjectId, PriceId};
use domain::reading::Fact;
use domain::terms::{self, Pause, SubscriptionSeen, SubscriptionStatus, Terms};
use serde::Deserialize;
use std::sync::Arc;

/// A subscription. One that ended is canceled, whatever else is said of it.
pub(super) fn seen<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let told: Subscription<'_> = event.data()?;
    let customer = told.customer.0.clone();
    let mut draft = event.draft(Some(&customer), &[])?;
    draft.lead(&[Some(&told.subscription.0)]);
    draft.lead_shop(customer.as_str());
    draft.read_metadata(told.metadata.as_ref());
    let ended = event.kind == "subscription.ended";
    let mut status = status(&told.status, "data.status")?;
    if ended && !status.is_final() {
        status = SubscriptionStatus::Canceled;
    }
    let items: Result<Vec<_>, _> = told.items.iter().map(Item::read).collect();
    let items = items?;
    if items.is_empty() && !status.is_final() {
        return Err(Unclear("`data.items` is empty".into()));
    }
    let final_at = status.is_final().then_some(event.at);
    draft.tell(Fact::Subscription(Box::new(SubscriptionSeen {
        id: told.subscription.0,
        started_at: told.started_at.0,
        currency: match &told.currency {
            Some(code) => Some(currency(code, "data.currency")?),
            None => None,
        },
        terms: Terms {
            status,
            items,
            period: Span::period(told.period, "data.period")?,
            trial: Span::period(told.trial, "data.trial")?,
            cancel_at: at(told.cancel_at),
            cancel_at_period_end: told.cancel_at_period_end,
            pause: told.pause.map(|pause| Pause {
                behavior: pause.behavior,
                resumes_at: at(pause.resumes_at),
            }),
        },
        canceled_at: at(told.canceled_at),
        end_asked: false,
        ended_at: at(told.ended_at).or(final_at),
        before: None,
    })));
    Ok(draft)
}

#[derive(Deserialize)]
struct Subscription<'a> {
    subscription: Id,
    customer: Id,
    status: Arc<str>,
    started_at: Moment,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    currency: Option<Arc<str>>,
    #[serde(default)]
    period: Option<Span>,
    #[serde(default)]
    trial: Option<Span>,
    #[serde(default)]
    cancel_at: Option<Moment>,
    #[serde(default)]
    cancel_at_period_end: bool,
    #[serde(default)]
    canceled_at: Option<Moment>,
    #[serde(default)]
    ended_at: Option<Moment>,
    #[serde(default)]
    pause: Option<Paused>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Item {
    price: Id,
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    quantity: Option<u64>,
    #[serde(default)]
    unit_amount: Option<i64>,
    #[serde(default)]
    metered: bool,
    #[serde(default)]
    period: Option<Span>,
}

#[derive(Deserialize)]
struct Paused {
    behavior: Arc<str>,
    #[serde(default)]
    resumes_at: Option<Moment>,
}

impl Item {
    fn read(&self) -> Result<terms::Item, Unclear> {
        let price = self.price.0.as_str();
        let unit = self.unit_amount;
        Ok(terms::Item {
            id: self
                .id
                .as_ref()
                .map_or_else(|| ObjectId::new(price), |id| id.0.clone()),
            price: PriceId::new(price),
            metered: self.metered,
            quantity: self.quantity,
            unit_minor: unit
                .map(|minor| not_negative(minor, "data.items.unit_amount"))
                .transpose()?,
            period: Span::period(self.period, "data.items.period")?,
        })
    }
}
