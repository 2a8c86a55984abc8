//! An item of a subscription, and what its price means.

use super::wire::ObjectRef;
use crate::wire::{UnclearValue, UnixSeconds};
use domain::ids::PriceId;
use domain::subscription::pricing::{BillingInterval, Package, Pricing, TaxBehavior};
use domain::subscription::terms::{Period, SubscriptionItem};
use serde::Deserialize;
use std::sync::Arc;

/// An item, and its price in today's shape or in that until 2020.
#[derive(Deserialize)]
pub(super) struct StripeSubscriptionItem {
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
    tax_behavior: Option<Arc<str>>,
    #[serde(default)]
    transform_quantity: Option<TransformQuantity>,
    #[serde(default)]
    recurring: Option<Recurring>,
}

#[derive(Deserialize)]
struct Recurring {
    #[serde(default)]
    usage_type: Option<Arc<str>>,
    #[serde(default)]
    interval: Option<Arc<str>>,
    #[serde(default)]
    interval_count: Option<u32>,
}

#[derive(Deserialize)]
struct TransformQuantity {
    divide_by: u64,
    round: Arc<str>,
}

#[derive(Deserialize)]
struct Plan {
    id: PriceId,
    #[serde(default)]
    currency: Option<Arc<str>>,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    transform_usage: Option<TransformQuantity>,
    #[serde(default)]
    usage_type: Option<Arc<str>>,
    #[serde(default)]
    interval: Option<Arc<str>>,
    #[serde(default)]
    interval_count: Option<u32>,
}

impl StripeSubscriptionItem {
    /// As the record has it, in a subscription that is billed in this currency. A price may name an
    /// amount in its own currency, and have others that are not shown.
    pub(super) fn item_billed_in(
        &self,
        currency: Option<&Arc<str>>,
    ) -> Result<SubscriptionItem, UnclearValue> {
        let item = self.item()?;
        let own = self.currency();
        let is_other = own.is_some_and(|own| currency.is_some_and(|billed| own != billed));
        Ok(SubscriptionItem {
            unit_minor: item.unit_minor.filter(|_| !is_other),
            ..item
        })
    }

    /// As the record has it.
    pub(super) fn item(&self) -> Result<SubscriptionItem, UnclearValue> {
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
        let (pricing, unit_minor) = self.pricing();
        Ok(SubscriptionItem {
            id: self.id.0.clone(),
            price: id
                .ok_or_else(|| UnclearValue::missing("data.object.items.price"))?
                .clone(),
            metered,
            quantity: self.quantity.filter(|_| !metered),
            unit_minor: unit_minor.filter(|_| !metered),
            pricing,
            period: period(self.current_period_start, self.current_period_end),
        })
    }

    /// How its price is to be read, and the price of one, or of one package. None where it is not
    /// known how packages are counted.
    fn pricing(&self) -> (Pricing, Option<i64>) {
        let interval = |unit: &Option<Arc<str>>, count: Option<u32>| {
            BillingInterval::parse(unit.as_deref()?, count.unwrap_or(1))
        };
        let price = self.price.as_ref();
        let recurring = price.and_then(|price| price.recurring.as_ref());
        let own = recurring.and_then(|own| interval(&own.interval, own.interval_count));
        let plan = self.plan.as_ref();
        let of_plan = || plan.and_then(|plan| interval(&plan.interval, plan.interval_count));
        let (unit, packages) = match price {
            Some(price) => (price.unit_amount, price.transform_quantity.as_ref()),
            None => (
                plan.and_then(|plan| plan.amount),
                plan.and_then(|plan| plan.transform_usage.as_ref()),
            ),
        };
        let package = packages.and_then(TransformQuantity::package);
        let is_clear = packages.is_none() == package.is_none();
        let pricing = Pricing {
            interval: own.or_else(of_plan),
            package,
            tax: match price.and_then(|price| price.tax_behavior.as_deref()) {
                Some("inclusive") => TaxBehavior::Inclusive,
                Some("exclusive") => TaxBehavior::Exclusive,
                Some(_) | None => TaxBehavior::Unknown,
            },
        };
        (pricing, unit.filter(|_| is_clear))
    }

    /// The currency of its price.
    pub(super) fn currency(&self) -> Option<&Arc<str>> {
        let price = self
            .price
            .as_ref()
            .and_then(|price| price.currency.as_ref());
        price.or_else(|| self.plan.as_ref().and_then(|plan| plan.currency.as_ref()))
    }
}

impl TransformQuantity {
    fn package(&self) -> Option<Package> {
        let round_up = match &*self.round {
            "up" => true,
            "down" => false,
            _ => return None,
        };
        (self.divide_by > 0).then_some(Package {
            size: self.divide_by,
            round_up,
        })
    }
}

/// The item whose period is the subscription's, as far as Stripe tells plan from add-on, which the
/// shop's catalog does better: the first of those that are charged least often, metered ones last.
pub(super) fn base_item(items: &[SubscriptionItem]) -> Option<&SubscriptionItem> {
    let days = |item: &SubscriptionItem| {
        let interval = item.pricing.interval;
        interval.map_or(0, BillingInterval::approximate_days)
    };
    items
        .iter()
        .rev()
        .max_by_key(|item| (item.period.is_some(), !item.metered, days(item)))
}

/// A period, where both of its ends are told.
pub(super) fn period(start: Option<UnixSeconds>, end: Option<UnixSeconds>) -> Option<Period> {
    Some(Period {
        start: start?.0,
        end: end?.0,
    })
}
