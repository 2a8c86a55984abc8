//! `customer.subscription.*`: the whole of a subscription, in the old and in today's shape.

use super::facts::{Discount, Event, currency, discounts, read_discounts};
use super::wire::{Expandable, List, Ref, id};
use crate::draft::Draft;
use crate::wire::{Metadata, Unclear, Unix, at, present, status};
use domain::ids::PriceId;
use domain::reading::Fact;
use domain::terms::{Before, Item, Known, Pause, Period, SubscriptionSeen, Terms};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// A subscription as it is now, and what it was before where Stripe says.
pub(super) fn seen<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let mut subscription: Subscription<'_> = event.object()?;
    let before = event.previous::<Previous>()?;
    let mut draft = event.draft_of(id(&subscription.customer), &[])?;
    draft.lead(&[Some(&subscription.id.0), id(&subscription.latest_invoice)]);
    draft.read_metadata(subscription.metadata.as_ref());
    let discounts = discounts(subscription.discount.take(), subscription.discounts.take());
    read_discounts(&mut draft, &discounts);
    let mut seen = subscription.seen(event.created)?;
    let before = before
        .map(|before| before.read(&seen.terms))
        .transpose()?
        .filter(|before| *before != Before::default());
    seen.before = before.map(Box::new);
    draft.tell(Fact::Subscription(Box::new(seen)));
    Ok(draft)
}

#[derive(Deserialize)]
struct Subscription<'a> {
    id: Ref,
    #[serde(default)]
    customer: Option<Ref>,
    status: Arc<str>,
    items: List<Line>,
    #[serde(default)]
    currency: Option<Arc<str>>,
    #[serde(default)]
    start_date: Option<Unix>,
    // Until 2018.
    #[serde(default)]
    start: Option<Unix>,
    #[serde(default)]
    created: Option<Unix>,
    // Until 2025-03-31; since then on the items.
    #[serde(default)]
    current_period_start: Option<Unix>,
    #[serde(default)]
    current_period_end: Option<Unix>,
    #[serde(default)]
    trial_start: Option<Unix>,
    #[serde(default)]
    trial_end: Option<Unix>,
    #[serde(default)]
    cancel_at: Option<Unix>,
    #[serde(default)]
    cancel_at_period_end: bool,
    #[serde(default)]
    canceled_at: Option<Unix>,
    #[serde(default)]
    ended_at: Option<Unix>,
    #[serde(default)]
    pause_collection: Option<Paused>,
    #[serde(default)]
    latest_invoice: Option<Ref>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(default)]
    discount: Option<Discount>,
    #[serde(default)]
    discounts: Option<Vec<Expandable<Discount>>>,
}

#[derive(Deserialize)]
struct Line {
    id: Ref,
    #[serde(default)]
    price: Option<Price>,
    // What a price was called until 2020; still sent beside it.
    #[serde(default)]
    plan: Option<Plan>,
    #[serde(default)]
    quantity: Option<u64>,
    #[serde(default)]
    current_period_start: Option<Unix>,
    #[serde(default)]
    current_period_end: Option<Unix>,
}

#[derive(Deserialize)]
struct Price {
    id: Arc<str>,
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
    id: Arc<str>,
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
    resumes_at: Option<Unix>,
}

impl Subscription<'_> {
    fn seen(&self, created: Timestamp) -> Result<SubscriptionSeen, Unclear> {
        if self.items.has_more {
            // A page of the items is not the subscription; the rest would seem removed.
            return Err(Unclear("`data.object.items` is only a part of them".into()));
        }
        let lines = &self.items.data;
        let items: Result<Vec<_>, _> = lines.iter().map(Line::item).collect();
        let items = items?;
        let own_period = period(self.current_period_start, self.current_period_end);
        let base_period = own_period.or_else(|| base(&items).and_then(|item| item.period));
        let told_currency = self
            .currency
            .as_ref()
            .or_else(|| lines.first().and_then(Line::currency));
        Ok(SubscriptionSeen {
            id: self.id.0.clone(),
            started_at: at(self.start_date.or(self.start).or(self.created)).unwrap_or(created),
            currency: told_currency.map(|code| currency(code)).transpose()?,
            terms: Terms {
                status: status(&self.status, "data.object.status")?,
                items: differing(items, base_period),
                period: base_period,
                trial: period(self.trial_start, self.trial_end),
                cancel_at: at(self.cancel_at),
                cancel_at_period_end: self.cancel_at_period_end,
                pause: self.pause_collection.as_ref().map(|paused| Pause {
                    behavior: Arc::clone(&paused.behavior),
                    resumes_at: at(paused.resumes_at),
                }),
            },
            canceled_at: at(self.canceled_at),
            end_asked: false,
            ended_at: at(self.ended_at),
            before: None,
        })
    }
}

impl Line {
    fn item(&self) -> Result<Item, Unclear> {
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
            Some(other) => return Err(Unclear::word("data.object.items.usage_type", other)),
        };
        let unit_minor = match price {
            Some(price) => price.unit_amount,
            None => plan.and_then(|plan| plan.amount),
        };
        Ok(Item {
            id: self.id.0.clone(),
            price: PriceId::new(Arc::clone(
                id.ok_or_else(|| Unclear::absent("data.object.items.price"))?,
            )),
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
struct Previous {
    #[serde(default)]
    status: Option<Arc<str>>,
    #[serde(default)]
    items: Option<PreviousItems>,
    #[serde(default)]
    plan: Option<PreviousName>,
    #[serde(default)]
    quantity: Option<u64>,
    #[serde(default)]
    current_period_end: Option<Unix>,
    #[serde(default, deserialize_with = "present")]
    cancel_at: Option<Option<Unix>>,
    #[serde(default)]
    cancel_at_period_end: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    trial_end: Option<Option<Unix>>,
    #[serde(default, deserialize_with = "present")]
    pause_collection: Option<Option<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct PreviousItems {
    #[serde(default)]
    data: Option<Vec<Line>>,
}

#[derive(Deserialize)]
struct PreviousName {
    #[serde(default)]
    id: Option<Arc<str>>,
}

impl Previous {
    fn read(&self, now: &Terms) -> Result<Before, Unclear> {
        let status = self
            .status
            .as_ref()
            .map(|word| status(word, "data.previous_attributes.status"))
            .transpose()?;
        let lines = self.items.as_ref().and_then(|items| items.data.as_ref());
        let items = lines
            .map(|lines| lines.iter().map(Line::item).collect::<Result<Vec<_>, _>>())
            .transpose()?;
        let period_end = at(self.current_period_end).or_else(|| {
            let period = base(items.as_ref()?)?.period?;
            // Items are repeated whole: their period is news only where it changed.
            (now.period != Some(period)).then_some(period.end)
        });
        // Nor is the rest of them news where only their period or metadata changed.
        let items = items
            .map(|items| items.iter().map(sold).collect())
            .or_else(|| self.single_item(&now.items))
            .filter(|items| *items != now.items.iter().map(sold).collect::<Vec<_>>());
        Ok(Before {
            status,
            items,
            period_end,
            cancel_at: self.cancel_at.map(known),
            cancel_at_period_end: self.cancel_at_period_end,
            trial_end: self.trial_end.map(known),
            paused: self.pause_collection.as_ref().map(Option::is_some),
        })
    }

    /// Where a subscription has one item, `plan` and `quantity` beside the list speak of it.
    fn single_item(&self, now: &[Item]) -> Option<Vec<(PriceId, Option<u64>)>> {
        let plan = self.plan.as_ref().and_then(|plan| plan.id.as_ref());
        if plan.is_none() && self.quantity.is_none() {
            return None;
        }
        let [item] = now else { return None };
        let price = plan.map_or_else(|| item.price.clone(), |plan| PriceId::new(Arc::clone(plan)));
        Some(vec![(price, self.quantity.or(item.quantity))])
    }
}

/// The item whose period is the subscription's: the first that is not metered, else the first.
fn base(items: &[Item]) -> Option<&Item> {
    items
        .iter()
        .find(|item| !item.metered)
        .or_else(|| items.first())
}

/// Both shapes of one subscription give the same terms: an item has a period of its own only
/// where it differs from the subscription's.
fn differing(items: Vec<Item>, base: Option<Period>) -> Vec<Item> {
    items
        .into_iter()
        .map(|item| Item {
            period: item.period.filter(|period| Some(*period) != base),
            ..item
        })
        .collect()
}

fn period(start: Option<Unix>, end: Option<Unix>) -> Option<Period> {
    Some(Period {
        start: start?.0,
        end: end?.0,
    })
}

fn sold(item: &Item) -> (PriceId, Option<u64>) {
    (item.price.clone(), item.quantity)
}

fn known(moment: Option<Unix>) -> Known<Timestamp> {
    moment.map_or(Known::Absent, |moment| Known::Is(moment.0))
}
