//! `subscription.*`: the whole of a subscription as it is now.

use super::customer::{Customer, Discount, read_codes};
use crate::draft::{NormalizedEventDraft, currency, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Rfc3339Time, UnclearValue, period, status, to_timestamp};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::subscription::pricing::{BillingInterval, Pricing};
use domain::subscription::terms::{SubscriptionItem, SubscriptionSnapshot, SubscriptionTerms};
use serde::Deserialize;
use std::sync::Arc;

/// A subscription. A cancellation leaves it `active` until it is revoked.
pub(super) fn snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let subscription: Subscription<'_> = event.data()?;
    let mut draft = event.draft(Some(&subscription.customer_id.0), &[])?;
    draft.add_references(&[Some(&subscription.id.0)]);
    draft.read_metadata(subscription.metadata.as_ref());
    let fields = subscription.custom_field_data.as_ref();
    read_codes(&mut draft, subscription.discount.as_ref(), fields);
    draft.add_fact(Fact::Subscription(Box::new(subscription.snapshot()?)));
    if let Some(customer) = subscription.customer {
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
    created_at: Rfc3339Time,
    #[serde(default)]
    started_at: Option<Rfc3339Time>,
    #[serde(default)]
    current_period_start: Option<Rfc3339Time>,
    #[serde(default)]
    current_period_end: Option<Rfc3339Time>,
    #[serde(default)]
    trial_start: Option<Rfc3339Time>,
    #[serde(default)]
    trial_end: Option<Rfc3339Time>,
    #[serde(default)]
    cancel_at_period_end: bool,
    #[serde(default)]
    canceled_at: Option<Rfc3339Time>,
    #[serde(default)]
    ends_at: Option<Rfc3339Time>,
    #[serde(default)]
    ended_at: Option<Rfc3339Time>,
    #[serde(default)]
    recurring_interval: Option<Arc<str>>,
    #[serde(default)]
    recurring_interval_count: Option<u32>,
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
    #[serde(default)]
    price_currency: Option<Arc<str>>,
}

impl Subscription<'_> {
    fn snapshot(&self) -> Result<SubscriptionSnapshot, UnclearValue> {
        let status = status(&self.status, "data.status")?;
        let items: Result<Vec<_>, _> = self.prices.iter().map(|price| self.item(price)).collect();
        let items = items?;
        if items.is_empty() && !status.is_final() {
            return Err(UnclearValue("`data.prices` is empty".into()));
        }
        let optional_period =
            |start: Option<Rfc3339Time>, end: Option<Rfc3339Time>, place| match (start, end) {
                (Some(start), Some(end)) => period(start.0, end.0, place).map(Some),
                (Some(_) | None, _) => Ok(None),
            };
        let ended_at = to_timestamp(self.ended_at);
        Ok(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: self.started_at.unwrap_or(self.created_at).0,
            currency: Some(currency(&self.currency, "data.currency")?),
            terms: SubscriptionTerms {
                status,
                items,
                period: optional_period(
                    self.current_period_start,
                    self.current_period_end,
                    "data.current_period",
                )?,
                trial: optional_period(self.trial_start, self.trial_end, "data.trial")?,
                trial_fallback: None,
                cancel_at: to_timestamp(self.ends_at),
                cancel_at_period_end: self.cancel_at_period_end,
                items_partial: false,
                pause: None,
            },
            canceled_at: to_timestamp(self.canceled_at),
            end_requested: false,
            end_reason: None,
            ended_at,
            previous_attributes: None,
        })
    }

    fn interval(&self) -> Option<BillingInterval> {
        let count = self.recurring_interval_count.unwrap_or(1);
        BillingInterval::parse(self.recurring_interval.as_deref()?, count)
    }

    fn item(&self, price: &Price) -> Result<SubscriptionItem, UnclearValue> {
        // Of a fixed price there is one; of seats and units as many as the subscription has.
        let (metered, quantity) = match &*price.amount_type {
            "fixed" | "custom" | "free" => (false, Some(1)),
            "seat_based" => (false, self.seats),
            "unit_based" => (false, self.units),
            "metered_unit" | "metered_tiers" => (true, None),
            other => return Err(UnclearValue::unknown_word("data.prices.amount_type", other)),
        };
        let is_other = |own: &Arc<str>| !own.eq_ignore_ascii_case(&self.currency);
        let unit = match &*price.amount_type {
            "free" => Some(0),
            // An amount in another currency is not what is paid.
            _ if price.price_currency.as_ref().is_some_and(is_other) => None,
            _ => price.price_amount,
        };
        Ok(SubscriptionItem {
            id: price.id.0.clone(),
            price: PriceId::from(&price.id.0),
            metered,
            quantity,
            unit_minor: unit
                .map(|minor| not_negative(minor, "data.prices.price_amount"))
                .transpose()?,
            pricing: Pricing {
                interval: self.interval(),
                ..Pricing::default()
            },
            period: None,
        })
    }
}
