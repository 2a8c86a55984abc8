//! `subscription.*`: the whole of a subscription as it is now.

use super::normalize::{Customer, Discount, read_codes};
use crate::draft::{Draft, currency, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Moment, Unclear, at, period, status};
use domain::ids::PriceId;
use domain::reading::Fact;
use domain::terms::{Item, SubscriptionSeen, Terms};
use serde::Deserialize;
use std::sync::Arc;

/// A subscription. A cancellation leaves it `active` until it is revoked.
pub(super) fn seen<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let told: Subscription<'_> = event.data()?;
    let mut draft = event.draft(Some(&told.customer_id.0), &[])?;
    draft.lead(&[Some(&told.id.0)]);
    draft.read_metadata(told.metadata.as_ref());
    let fields = told.custom_field_data.as_ref();
    read_codes(&mut draft, told.discount.as_ref(), fields);
    draft.tell(Fact::Subscription(Box::new(told.seen()?)));
    if let Some(customer) = told.customer {
        customer.describe(&mut draft, false);
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Subscription<'a> {
    id: Id,
    customer_id: Id,
    status: Arc<str>,
    currency: Arc<str>,
    created_at: Moment,
    #[serde(default)]
    started_at: Option<Moment>,
    #[serde(default)]
    current_period_start: Option<Moment>,
    #[serde(default)]
    current_period_end: Option<Moment>,
    #[serde(default)]
    trial_start: Option<Moment>,
    #[serde(default)]
    trial_end: Option<Moment>,
    #[serde(default)]
    cancel_at_period_end: bool,
    #[serde(default)]
    canceled_at: Option<Moment>,
    #[serde(default)]
    ends_at: Option<Moment>,
    #[serde(default)]
    ended_at: Option<Moment>,
    #[serde(default)]
    seats: Option<u64>,
    #[serde(default)]
    units: Option<u64>,
    prices: Vec<Price>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(default)]
    discount: Option<Discount>,
    #[serde(borrow, default)]
    custom_field_data: Option<Metadata<'a>>,
    #[serde(borrow, default)]
    customer: Option<Customer<'a>>,
}

#[derive(Deserialize)]
struct Price {
    id: Id,
    amount_type: Arc<str>,
    #[serde(default)]
    price_amount: Option<i64>,
}

impl Subscription<'_> {
    fn seen(&self) -> Result<SubscriptionSeen, Unclear> {
        let status = status(&self.status, "data.status")?;
        let items: Result<Vec<_>, _> = self.prices.iter().map(|price| self.item(price)).collect();
        let items = items?;
        if items.is_empty() && !status.is_final() {
            return Err(Unclear("`data.prices` is empty".into()));
        }
        let stretch = |start: Option<Moment>, end: Option<Moment>, place| match (start, end) {
            (Some(start), Some(end)) => period(start.0, end.0, place).map(Some),
            (Some(_) | None, _) => Ok(None),
        };
        let ended_at = at(self.ended_at);
        Ok(SubscriptionSeen {
            id: self.id.0.clone(),
            started_at: self.started_at.unwrap_or(self.created_at).0,
            currency: Some(currency(&self.currency, "data.currency")?),
            terms: Terms {
                status,
                items,
                period: stretch(
                    self.current_period_start,
                    self.current_period_end,
                    "data.current_period",
                )?,
                trial: stretch(self.trial_start, self.trial_end, "data.trial")?,
                cancel_at: at(self.ends_at),
                cancel_at_period_end: self.cancel_at_period_end,
                pause: None,
            },
            canceled_at: at(self.canceled_at),
            end_asked: false,
            ended_at,
            before: None,
        })
    }

    fn item(&self, price: &Price) -> Result<Item, Unclear> {
        // Of a fixed price there is one; of seats and units as many as the subscription has.
        let (metered, quantity) = match &*price.amount_type {
            "fixed" | "custom" | "free" => (false, Some(1)),
            "seat_based" => (false, self.seats),
            "unit_based" => (false, self.units),
            "metered_unit" | "metered_tiers" => (true, None),
            other => return Err(Unclear::word("data.prices.amount_type", other)),
        };
        let unit = price.price_amount;
        Ok(Item {
            id: price.id.0.clone(),
            price: PriceId::new(price.id.0.as_str()),
            metered,
            quantity,
            unit_minor: unit
                .map(|minor| not_negative(minor, "data.prices.price_amount"))
                .transpose()?,
            period: None,
        })
    }
}
