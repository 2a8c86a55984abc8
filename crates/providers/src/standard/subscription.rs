//! `subscription.*`: the whole of a subscription as it is now.

use crate::draft::{NormalizedEventDraft, currency, not_negative};
use crate::envelope::Event;
use crate::wire::{
    Id, Metadata, Part, Rfc3339Time, UnclearValue, WirePeriod, status, to_timestamp,
};
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
    draft.read_metadata(subscription.metadata.as_ref().readable());
    if let Some(snapshot) = subscription.snapshot(event, &mut draft) {
        draft.add_fact(Fact::Subscription(Box::new(snapshot)));
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Subscription<'a> {
    subscription: Id,
    customer: Id,
    #[serde(default)]
    status: Part<Arc<str>>,
    started_at: Rfc3339Time,
    #[serde(default)]
    items: Part<Vec<Part<Item>>>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    #[serde(default)]
    period: Part<WirePeriod>,
    #[serde(default)]
    trial: Part<WirePeriod>,
    #[serde(default)]
    cancel_at: Part<Rfc3339Time>,
    #[serde(default)]
    cancel_at_period_end: Part<bool>,
    #[serde(default)]
    canceled_at: Part<Rfc3339Time>,
    #[serde(default)]
    end_reason: Part<Arc<str>>,
    #[serde(default)]
    ended_at: Part<Rfc3339Time>,
    #[serde(default)]
    pause: Part<Paused>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Item {
    price: Id,
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    quantity: Part<u64>,
    #[serde(default)]
    unit_amount: Part<i64>,
    #[serde(default)]
    metered: Part<bool>,
    #[serde(default)]
    interval: Part<Arc<str>>,
    #[serde(default)]
    interval_count: Part<u32>,
    #[serde(default)]
    tax_behavior: Part<Arc<str>>,
    #[serde(default)]
    period: Part<WirePeriod>,
}

#[derive(Deserialize)]
struct Paused {
    behavior: Arc<str>,
    #[serde(default)]
    resumes_at: Part<Rfc3339Time>,
}

impl Subscription<'_> {
    /// None where its status is unclear. That it ended is the event's own word.
    fn snapshot(
        &self,
        event: &Event<'_>,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> Option<SubscriptionSnapshot> {
        let word = self.status.as_ref().require("data.status");
        let status = draft.readable(word.and_then(|word| status(word, "data.status")));
        let status = match (status, event.kind) {
            (Some(status), _) if status.is_final() => status,
            (_, "subscription.ended") => SubscriptionStatus::Canceled,
            (status, _) => status?,
        };
        let (items, items_partial) = self.items(draft);
        if items.is_empty() && !status.is_final() {
            draft.add_unclear(UnclearValue("`data.items` is empty".into()));
        }
        let code = self.currency.as_ref().read("data.currency");
        let code = draft.readable(code).flatten();
        let currency = code.map(|code| currency(code, "data.currency"));
        let currency = draft.readable(currency.transpose()).flatten();
        let period = draft.readable(WirePeriod::period(self.period, "data.period"));
        let trial = draft.readable(WirePeriod::period(self.trial, "data.trial"));
        let pause = draft
            .readable(self.pause.as_ref().read("data.pause"))
            .flatten();
        let at_period_end = self.cancel_at_period_end.read("data.cancel_at_period_end");
        let at_period_end = draft.readable(at_period_end).flatten();
        let end_reason = draft.readable(self.end_reason()).flatten();
        let mut time = |moment: Part<Rfc3339Time>, place| {
            to_timestamp(draft.readable(moment.read(place)).flatten())
        };
        let ended_at = time(self.ended_at, "data.ended_at");
        Some(SubscriptionSnapshot {
            id: self.subscription.0.clone(),
            started_at: self.started_at.0,
            currency,
            terms: SubscriptionTerms {
                status,
                items,
                period: period.flatten(),
                trial: trial.flatten(),
                trial_fallback: None,
                cancel_at: time(self.cancel_at, "data.cancel_at"),
                items_partial,
                cancel_at_period_end: at_period_end == Some(true),
                pause: pause.map(|pause| Pause {
                    behavior: Arc::clone(&pause.behavior),
                    resumes_at: time(pause.resumes_at, "data.pause.resumes_at"),
                }),
            },
            canceled_at: time(self.canceled_at, "data.canceled_at"),
            end_requested: false,
            end_reason,
            ended_at: ended_at.or(status.is_final().then_some(event.at)),
            previous_attributes: None,
        })
    }

    /// Its items, and whether some are missing or can't be read.
    fn items(&self, draft: &mut NormalizedEventDraft<'_>) -> (Vec<terms::SubscriptionItem>, bool) {
        let place = "data.items";
        let all = draft.readable(self.items.as_ref().read(place)).flatten();
        let Some(all) = all else {
            return (Vec::new(), true);
        };
        let mut items = Vec::new();
        for item in all {
            let item = draft.readable(item.as_ref().require(place));
            items.extend(item.map(|item| item.read(draft)));
        }
        let partial = items.len() < all.len() || items.is_empty();
        (items, partial)
    }
}

impl Subscription<'_> {
    fn end_reason(&self) -> Result<Option<EndReason>, UnclearValue> {
        let place = "data.end_reason";
        let word = self.end_reason.as_ref().read(place)?;
        Ok(Some(match word.map(|word| &**word) {
            Some("requested") => EndReason::Requested,
            Some("payment_failed") => EndReason::PaymentFailed,
            Some("disputed") => EndReason::Disputed,
            Some(other) => return Err(UnclearValue::unknown_word(place, other)),
            None => return Ok(None),
        }))
    }
}

impl Item {
    fn interval(&self) -> Result<Option<BillingInterval>, UnclearValue> {
        let place = "data.items.interval";
        let count = self.interval_count.read("data.items.interval_count")?;
        let Some(unit) = self.interval.as_ref().read(place)? else {
            return Ok(None);
        };
        let interval = BillingInterval::parse(unit, count.unwrap_or(1));
        let interval = interval.ok_or_else(|| UnclearValue::unknown_word(place, unit))?;
        Ok(Some(interval))
    }

    fn tax(&self) -> Result<TaxBehavior, UnclearValue> {
        let place = "data.items.tax_behavior";
        let word = self.tax_behavior.as_ref().read(place)?;
        Ok(match word.map(|word| &**word) {
            Some("inclusive") => TaxBehavior::Inclusive,
            Some("exclusive") => TaxBehavior::Exclusive,
            Some(other) => return Err(UnclearValue::unknown_word(place, other)),
            None => TaxBehavior::Unknown,
        })
    }

    fn read(&self, draft: &mut NormalizedEventDraft<'_>) -> terms::SubscriptionItem {
        let price = &self.price.0;
        let place = "data.items.unit_amount";
        let unit = self.unit_amount.read(place);
        let unit = unit.and_then(|unit| unit.map(|unit| not_negative(unit, place)).transpose());
        let quantity = draft.readable(self.quantity.read("data.items.quantity"));
        let metered = draft.readable(self.metered.read("data.items.metered"));
        let period = WirePeriod::period(self.period, "data.items.period");
        terms::SubscriptionItem {
            id: self.id.as_ref().map_or(price, |id| &id.0).clone(),
            price: PriceId::from(price),
            metered: metered.flatten() == Some(true),
            quantity: quantity.flatten(),
            unit_minor: draft.readable(unit).flatten(),
            pricing: Pricing {
                interval: draft.readable(self.interval()).flatten(),
                package: None,
                tax: draft.readable(self.tax()).unwrap_or_default(),
            },
            period: draft.readable(period).flatten(),
        }
    }
}
