//! `customer.subscription.*`: the whole of a subscription, in the old and in today's shape.

use super::facts::{Discount, StripeEvent, currency, discounts, read_discounts};
use super::wire::{Expandable, List, ObjectRef, id};
use crate::draft::NormalizedEventDraft;
use crate::wire::{Metadata, UnclearValue, UnixSeconds, present, status, to_timestamp};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::subscription::terms::{
    Pause, Period, PreviousAttributes, PreviousValue, SubscriptionItem, SubscriptionSnapshot,
    SubscriptionTerms,
};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// A subscription as it is now, and what it was before where Stripe says.
pub(super) fn snapshot<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let mut subscription: Subscription<'_> = event.object()?;
    let before = event.previous::<StripePreviousAttributes>()?;
    let mut draft = event.draft_for(id(&subscription.customer), &[])?;
    draft.add_references(&[Some(&subscription.id.0), id(&subscription.latest_invoice)]);
    draft.read_metadata(subscription.metadata.as_ref());
    let discounts = discounts(subscription.discount.take(), subscription.discounts.take());
    read_discounts(&mut draft, &discounts);
    let mut snapshot = subscription.snapshot(event.created)?;
    let before = before
        .map(|before| before.read(&snapshot.terms))
        .transpose()?
        .filter(|before| *before != PreviousAttributes::default());
    snapshot.previous_attributes = before.map(Box::new);
    draft.add_fact(Fact::Subscription(Box::new(snapshot)));
    Ok(draft)
}

#[derive(Deserialize)]
struct Subscription<'a> {
    id: ObjectRef,
    #[serde(default)]
    customer: Option<ObjectRef>,
    status: Arc<str>,
    items: List<StripeSubscriptionItem>,
    #[serde(default)]
    currency: Option<Arc<str>>,
    #[serde(default)]
    start_date: Option<UnixSeconds>,
    // Until 2018.
    #[serde(default)]
    start: Option<UnixSeconds>,
    #[serde(default)]
    created: Option<UnixSeconds>,
    // Until 2025-03-31; since then on the items.
    #[serde(default)]
    current_period_start: Option<UnixSeconds>,
    #[serde(default)]
    current_period_end: Option<UnixSeconds>,
    #[serde(default)]
    trial_start: Option<UnixSeconds>,
    #[serde(default)]
    trial_end: Option<UnixSeconds>,
    #[serde(default)]
    cancel_at: Option<UnixSeconds>,
    #[serde(default)]
    cancel_at_period_end: bool,
    #[serde(default)]
    canceled_at: Option<UnixSeconds>,
    #[serde(default)]
    ended_at: Option<UnixSeconds>,
    #[serde(default)]
    pause_collection: Option<Paused>,
    #[serde(default)]
    latest_invoice: Option<ObjectRef>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(default)]
    discount: Option<Discount>,
    #[serde(default)]
    discounts: Option<Vec<Expandable<Discount>>>,
}

#[derive(Deserialize)]
struct StripeSubscriptionItem {
    id: ObjectRef,
    #[serde(default)]
    price: Option<Price>,
    // What a price was called until 2020; still sent beside it.
    #[serde(default)]
    plan: Option<Plan>,
    #[serde(default)]
    quantity: Option<u64>,
    #[serde(default)]
    current_period_start: Option<UnixSeconds>,
    #[serde(default)]
    current_period_end: Option<UnixSeconds>,
}

#[derive(Deserialize)]
struct Price {
    id: PriceId,
    #[serde(default)]
    currency: Option<Arc<str>>,
    #[serde(default)]
    unit_amount: Option<i64>,
    #[serde(default)]
    recurring: Option<Recurring>,
}

#[derive(Deserialize)]
struct Recurring {
    #[serde(default)]
    usage_type: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct Plan {
    id: PriceId,
    #[serde(default)]
    currency: Option<Arc<str>>,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    usage_type: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct Paused {
    behavior: Arc<str>,
    #[serde(default)]
    resumes_at: Option<UnixSeconds>,
}

impl Subscription<'_> {
    fn snapshot(&self, created: Timestamp) -> Result<SubscriptionSnapshot, UnclearValue> {
        if self.items.has_more {
            // A page of the items is not the subscription; the rest would seem removed.
            return Err(UnclearValue(
                "`data.object.items` is only a part of them".into(),
            ));
        }
        let lines = &self.items.data;
        let items: Result<Vec<_>, _> = lines.iter().map(StripeSubscriptionItem::item).collect();
        let items = items?;
        let own_period = period(self.current_period_start, self.current_period_end);
        let base_period = own_period.or_else(|| base_item(&items).and_then(|item| item.period));
        let told_currency = self
            .currency
            .as_ref()
            .or_else(|| lines.first().and_then(StripeSubscriptionItem::currency));
        Ok(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: to_timestamp(self.start_date.or(self.start).or(self.created))
                .unwrap_or(created),
            currency: told_currency.map(|code| currency(code)).transpose()?,
            terms: SubscriptionTerms {
                status: status(&self.status, "data.object.status")?,
                items: with_differing_periods(items, base_period),
                period: base_period,
                trial: period(self.trial_start, self.trial_end),
                cancel_at: to_timestamp(self.cancel_at),
                cancel_at_period_end: self.cancel_at_period_end,
                pause: self.pause_collection.as_ref().map(|paused| Pause {
                    behavior: Arc::clone(&paused.behavior),
                    resumes_at: to_timestamp(paused.resumes_at),
                }),
            },
            canceled_at: to_timestamp(self.canceled_at),
            end_requested: false,
            ended_at: to_timestamp(self.ended_at),
            previous_attributes: None,
        })
    }
}

impl StripeSubscriptionItem {
    fn item(&self) -> Result<SubscriptionItem, UnclearValue> {
        let price = self.price.as_ref();
        let plan = self.plan.as_ref();
        let id = price.map(|price| &price.id).or(plan.map(|plan| &plan.id));
        let usage_type = price
            .and_then(|price| price.recurring.as_ref())
            .and_then(|recurring| recurring.usage_type.as_deref())
            .or(plan.and_then(|plan| plan.usage_type.as_deref()));
        let metered = match usage_type {
            Some("metered") => true,
            Some("licensed") | None => false,
            Some(other) => {
                return Err(UnclearValue::unknown_word(
                    "data.object.items.usage_type",
                    other,
                ));
            }
        };
        let unit_minor = match price {
            Some(price) => price.unit_amount,
            None => plan.and_then(|plan| plan.amount),
        };
        Ok(SubscriptionItem {
            id: self.id.0.clone(),
            price: id
                .ok_or_else(|| UnclearValue::missing("data.object.items.price"))?
                .clone(),
            metered,
            quantity: self.quantity.filter(|_| !metered),
            unit_minor: unit_minor.filter(|_| !metered),
            period: period(self.current_period_start, self.current_period_end),
        })
    }

    fn currency(&self) -> Option<&Arc<str>> {
        let price = self
            .price
            .as_ref()
            .and_then(|price| price.currency.as_ref());
        price.or_else(|| self.plan.as_ref().and_then(|plan| plan.currency.as_ref()))
    }
}

/// `previous_attributes`: only what changed, nested objects again only what changed in them,
/// lists whole.
#[derive(Deserialize)]
struct StripePreviousAttributes {
    #[serde(default)]
    status: Option<Arc<str>>,
    #[serde(default)]
    items: Option<PreviousItems>,
    #[serde(default)]
    plan: Option<PreviousPlan>,
    #[serde(default)]
    quantity: Option<u64>,
    #[serde(default)]
    current_period_end: Option<UnixSeconds>,
    #[serde(default, deserialize_with = "present")]
    cancel_at: Option<Option<UnixSeconds>>,
    #[serde(default)]
    cancel_at_period_end: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    trial_end: Option<Option<UnixSeconds>>,
    #[serde(default, deserialize_with = "present")]
    pause_collection: Option<Option<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct PreviousItems {
    #[serde(default)]
    data: Option<Vec<StripeSubscriptionItem>>,
}

#[derive(Deserialize)]
struct PreviousPlan {
    #[serde(default)]
    id: Option<PriceId>,
}

impl StripePreviousAttributes {
    fn read(&self, now: &SubscriptionTerms) -> Result<PreviousAttributes, UnclearValue> {
        let status = self
            .status
            .as_ref()
            .map(|word| status(word, "data.previous_attributes.status"))
            .transpose()?;
        let lines = self.items.as_ref().and_then(|items| items.data.as_ref());
        let items = lines
            .map(|lines| {
                lines
                    .iter()
                    .map(StripeSubscriptionItem::item)
                    .collect::<Result<Vec<_>, _>>()
            })
            .transpose()?;
        let period_end = to_timestamp(self.current_period_end).or_else(|| {
            let period = base_item(items.as_ref()?)?.period?;
            // Items are repeated whole: their period is news only where it changed.
            (now.period != Some(period)).then_some(period.end)
        });
        // Nor is the rest of them news where only their period or metadata changed.
        let items = items
            .map(|items| items.iter().map(price_and_quantity).collect())
            .or_else(|| self.single_item(&now.items))
            .filter(|items| *items != now.items.iter().map(price_and_quantity).collect::<Vec<_>>());
        Ok(PreviousAttributes {
            status,
            items,
            period_end,
            cancel_at: self.cancel_at.map(previous_time),
            cancel_at_period_end: self.cancel_at_period_end,
            trial_end: self.trial_end.map(previous_time),
            paused: self.pause_collection.as_ref().map(Option::is_some),
        })
    }

    /// Where a subscription has one item, `plan` and `quantity` beside the list speak of it.
    fn single_item(&self, now: &[SubscriptionItem]) -> Option<Vec<(PriceId, Option<u64>)>> {
        let plan = self.plan.as_ref().and_then(|plan| plan.id.as_ref());
        if plan.is_none() && self.quantity.is_none() {
            return None;
        }
        let [item] = now else { return None };
        let price = plan.unwrap_or(&item.price).clone();
        Some(vec![(price, self.quantity.or(item.quantity))])
    }
}

/// The item whose period is the subscription's: the first that is not metered, else the first.
fn base_item(items: &[SubscriptionItem]) -> Option<&SubscriptionItem> {
    items
        .iter()
        .find(|item| !item.metered)
        .or_else(|| items.first())
}

/// Both shapes of one subscription give the same terms: an item has a period of its own only
/// where it differs from the subscription's.
fn with_differing_periods(
    items: Vec<SubscriptionItem>,
    base: Option<Period>,
) -> Vec<SubscriptionItem> {
    items
        .into_iter()
        .map(|item| SubscriptionItem {
            period: item.period.filter(|period| Some(*period) != base),
            ..item
        })
        .collect()
}

fn period(start: Option<UnixSeconds>, end: Option<UnixSeconds>) -> Option<Period> {
    Some(Period {
        start: start?.0,
        end: end?.0,
    })
}

fn price_and_quantity(item: &SubscriptionItem) -> (PriceId, Option<u64>) {
    (item.price.clone(), item.quantity)
}

fn previous_time(moment: Option<UnixSeconds>) -> PreviousValue<Timestamp> {
    moment.map_or(PreviousValue::Absent, |moment| {
        PreviousValue::Present(moment.0)
    })
}
