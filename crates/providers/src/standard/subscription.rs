//! `subscription.*`: the whole of a subscription as it is now.

use crate::draft::{NormalizedEventDraft, currency, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Rfc3339Time, UnclearValue, WirePeriod, status, to_timestamp};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::subscription::pricing::{BillingInterval, Pricing, TaxBehavior};
use domain::subscription::terms::{
    self, EndReason, Pause, SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms,
};
use serde::Deserialize;
use std::sync::Arc;

/// A subscription. One that ended is canceled, whatever else is said of it.
pub(super) fn snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let subscription: Subscription<'_> = event.data()?;
    let customer = subscription.customer.0.clone();
    let mut draft = event.draft(Some(&customer), &[])?;
    draft.add_references(&[Some(&subscription.subscription.0)]);
    draft.add_shop_reference(customer.as_str());
    draft.read_metadata(subscription.metadata.as_ref());
    let ended = event.kind == "subscription.ended";
    let mut status = status(&subscription.status, "data.status")?;
    if ended && !status.is_final() {
        status = SubscriptionStatus::Canceled;
    }
    let items: Result<Vec<_>, _> = subscription.items.iter().map(Item::read).collect();
    let items = items?;
    if items.is_empty() && !status.is_final() {
        return Err(UnclearValue("`data.items` is empty".into()));
    }
    let final_at = status.is_final().then_some(event.at);
    draft.add_fact(Fact::Subscription(Box::new(SubscriptionSnapshot {
        id: subscription.subscription.0,
        started_at: subscription.started_at.0,
        currency: match &subscription.currency {
            Some(code) => Some(currency(code, "data.currency")?),
            None => None,
        },
        terms: SubscriptionTerms {
            status,
            items,
            period: WirePeriod::period(subscription.period, "data.period")?,
            trial: WirePeriod::period(subscription.trial, "data.trial")?,
            trial_fallback: None,
            cancel_at: to_timestamp(subscription.cancel_at),
            cancel_at_period_end: subscription.cancel_at_period_end,
            items_partial: false,
            pause: subscription.pause.map(|pause| Pause {
                behavior: pause.behavior,
                resumes_at: to_timestamp(pause.resumes_at),
            }),
        },
        canceled_at: to_timestamp(subscription.canceled_at),
        end_requested: false,
        end_reason: end_reason(subscription.end_reason.as_deref())?,
        ended_at: to_timestamp(subscription.ended_at).or(final_at),
        previous_attributes: None,
    })));
    Ok(draft)
}

#[derive(Deserialize)]
struct Subscription<'a> {
    subscription: Id,
    customer: Id,
    status: Arc<str>,
    started_at: Rfc3339Time,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    currency: Option<Arc<str>>,
    #[serde(default)]
    period: Option<WirePeriod>,
    #[serde(default)]
    trial: Option<WirePeriod>,
    #[serde(default)]
    cancel_at: Option<Rfc3339Time>,
    #[serde(default)]
    cancel_at_period_end: bool,
    #[serde(default)]
    canceled_at: Option<Rfc3339Time>,
    #[serde(default)]
    end_reason: Option<Arc<str>>,
    #[serde(default)]
    ended_at: Option<Rfc3339Time>,
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
    interval: Option<Arc<str>>,
    #[serde(default)]
    interval_count: Option<u32>,
    #[serde(default)]
    tax_behavior: Option<Arc<str>>,
    #[serde(default)]
    period: Option<WirePeriod>,
}

#[derive(Deserialize)]
struct Paused {
    behavior: Arc<str>,
    #[serde(default)]
    resumes_at: Option<Rfc3339Time>,
}

fn end_reason(word: Option<&str>) -> Result<Option<EndReason>, UnclearValue> {
    Ok(Some(match word {
        Some("requested") => EndReason::Requested,
        Some("payment_failed") => EndReason::PaymentFailed,
        Some("disputed") => EndReason::Disputed,
        Some(other) => return Err(UnclearValue::unknown_word("data.end_reason", other)),
        None => return Ok(None),
    }))
}

impl Item {
    fn pricing(&self) -> Result<Pricing, UnclearValue> {
        let count = self.interval_count.unwrap_or(1);
        let interval = |unit: &Arc<str>| {
            let place = "data.items.interval";
            BillingInterval::parse(unit, count)
                .ok_or_else(|| UnclearValue::unknown_word(place, unit))
        };
        Ok(Pricing {
            interval: self.interval.as_ref().map(interval).transpose()?,
            package: None,
            tax: match self.tax_behavior.as_deref() {
                Some("inclusive") => TaxBehavior::Inclusive,
                Some("exclusive") => TaxBehavior::Exclusive,
                Some(other) => {
                    let place = "data.items.tax_behavior";
                    return Err(UnclearValue::unknown_word(place, other));
                }
                None => TaxBehavior::Unknown,
            },
        })
    }

    fn read(&self) -> Result<terms::SubscriptionItem, UnclearValue> {
        let price = &self.price.0;
        let unit = self.unit_amount;
        Ok(terms::SubscriptionItem {
            id: self.id.as_ref().map_or(price, |id| &id.0).clone(),
            price: PriceId::from(price),
            metered: self.metered,
            quantity: self.quantity,
            unit_minor: unit
                .map(|minor| not_negative(minor, "data.items.unit_amount"))
                .transpose()?,
            pricing: self.pricing()?,
            period: WirePeriod::period(self.period, "data.items.period")?,
        })
    }
}
