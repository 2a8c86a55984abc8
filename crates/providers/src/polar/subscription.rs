//! `subscription.*`: the whole of a subscription as it is now.

use super::customer::{Customer, Discount, read_codes};
use crate::draft::{NormalizedEventDraft, currency, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Part, Rfc3339Time, UnclearValue, period, status, to_timestamp};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::subscription::pricing::{BillingInterval, Pricing, TaxBehavior};
use domain::subscription::terms::{
    Pause, Period, SubscriptionItem, SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms,
};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// A subscription. A cancellation leaves it `active` until it is revoked.
pub(super) fn snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let subscription: Subscription<'_> = event.data()?;
    let mut draft = event.draft(Some(&subscription.customer_id.0), &[])?;
    draft.add_references(&[Some(&subscription.id.0)]);
    draft.read_metadata(subscription.metadata.as_ref().readable());
    let fields = subscription.custom_field_data.as_ref().readable();
    read_codes(
        &mut draft,
        subscription.discount.as_ref().readable(),
        fields,
    );
    if let Some(snapshot) = subscription.snapshot(&mut draft) {
        draft.add_fact(Fact::Subscription(Box::new(snapshot)));
    }
    if let Some(customer) = subscription.customer.readable() {
        customer.describe(&mut draft, false);
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Subscription<'a> {
    id: Id,
    customer_id: Id,
    #[serde(default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    created_at: Rfc3339Time,
    #[serde(default)]
    started_at: Part<Rfc3339Time>,
    #[serde(default)]
    current_period_start: Part<Rfc3339Time>,
    #[serde(default)]
    current_period_end: Part<Rfc3339Time>,
    #[serde(default)]
    trial_start: Part<Rfc3339Time>,
    #[serde(default)]
    trial_end: Part<Rfc3339Time>,
    #[serde(default)]
    cancel_at_period_end: Part<bool>,
    #[serde(default)]
    canceled_at: Part<Rfc3339Time>,
    #[serde(default)]
    ends_at: Part<Rfc3339Time>,
    #[serde(default)]
    ended_at: Part<Rfc3339Time>,
    #[serde(default)]
    resumes_at: Part<Rfc3339Time>,
    #[serde(default)]
    recurring_interval: Part<Arc<str>>,
    #[serde(default)]
    recurring_interval_count: Part<u32>,
    #[serde(default)]
    seats: Part<u64>,
    #[serde(default)]
    units: Part<u64>,
    #[serde(default)]
    prices: Part<Vec<Part<Price>>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    #[serde(default)]
    discount: Part<Discount>,
    #[serde(borrow, default)]
    custom_field_data: Part<Metadata<'a>>,
    #[serde(borrow, default)]
    customer: Part<Customer<'a>>,
}

#[derive(Deserialize)]
struct Price {
    id: Id,
    #[serde(default)]
    amount_type: Part<Arc<str>>,
    #[serde(default)]
    price_amount: Part<i64>,
    #[serde(default)]
    price_currency: Part<Arc<str>>,
    // Since 2026.
    #[serde(default)]
    tax_behavior: Part<Arc<str>>,
}

impl Subscription<'_> {
    /// None where its status is unclear.
    fn snapshot(&self, draft: &mut NormalizedEventDraft<'_>) -> Option<SubscriptionSnapshot> {
        let word = self.status.as_ref().require("data.status");
        let status = draft.readable(word.and_then(|word| status(word, "data.status")))?;
        let (items, items_partial) = self.items(draft);
        if items.is_empty() && !status.is_final() {
            draft.add_unclear(UnclearValue("`data.prices` is empty".into()));
        }
        let code = self.currency.as_ref().require("data.currency");
        let currency = draft.readable(code.and_then(|code| currency(code, "data.currency")));
        let mut time = |moment: Part<Rfc3339Time>, place| {
            to_timestamp(draft.readable(moment.read(place)).flatten())
        };
        let started_at = time(self.started_at, "data.started_at");
        let current = (
            time(self.current_period_start, "data.current_period_start"),
            time(self.current_period_end, "data.current_period_end"),
        );
        let trial = (
            time(self.trial_start, "data.trial_start"),
            time(self.trial_end, "data.trial_end"),
        );
        let cancel_at = time(self.ends_at, "data.ends_at");
        let canceled_at = time(self.canceled_at, "data.canceled_at");
        let ended_at = time(self.ended_at, "data.ended_at");
        let resumes_at = time(self.resumes_at, "data.resumes_at");
        let at_period_end = self.cancel_at_period_end.read("data.cancel_at_period_end");
        Some(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: started_at.unwrap_or(self.created_at.0),
            currency,
            terms: SubscriptionTerms {
                status,
                items,
                period: draft
                    .readable(span(current, "data.current_period"))
                    .flatten(),
                trial: draft.readable(span(trial, "data.trial")).flatten(),
                trial_fallback: None,
                cancel_at,
                items_partial,
                cancel_at_period_end: draft.readable(at_period_end).flatten() == Some(true),
                pause: (status == SubscriptionStatus::Paused).then(|| Pause {
                    behavior: "paused".into(),
                    resumes_at,
                }),
            },
            canceled_at,
            end_requested: false,
            end_reason: None,
            ended_at,
            previous_attributes: None,
        })
    }

    /// Its items, and whether some can't be read.
    fn items(&self, draft: &mut NormalizedEventDraft<'_>) -> (Vec<SubscriptionItem>, bool) {
        let place = "data.prices";
        let prices = draft.readable(self.prices.as_ref().require(place));
        let Some(prices) = prices else {
            return (Vec::new(), true);
        };
        let mut items = Vec::new();
        for price in prices {
            let price = draft.readable(price.as_ref().require(place));
            items.extend(price.map(|price| self.item(price, draft)));
        }
        let partial = items.len() < prices.len() || items.is_empty();
        (items, partial)
    }

    fn interval(&self) -> Option<BillingInterval> {
        let count = self.recurring_interval_count.readable().unwrap_or(1);
        BillingInterval::parse(self.recurring_interval.as_ref().readable()?, count)
    }

    fn is_billed_in(&self, code: &str) -> bool {
        let billed_in = self.currency.as_ref().readable();
        billed_in.is_some_and(|billed_in| billed_in.eq_ignore_ascii_case(code))
    }

    /// Of a fixed price there is one; of seats and units as many as the subscription has.
    fn item(&self, price: &Price, draft: &mut NormalizedEventDraft<'_>) -> SubscriptionItem {
        let place = "data.prices.amount_type";
        let kind = draft.readable(price.amount_type.as_ref().require(place));
        let (metered, quantity) = match kind.map(|kind| &**kind) {
            Some("fixed" | "custom" | "free") => (false, Some(1)),
            Some("seat_based") => (
                false,
                draft.readable(self.seats.read("data.seats")).flatten(),
            ),
            Some("unit_based") => (
                false,
                draft.readable(self.units.read("data.units")).flatten(),
            ),
            Some("metered_unit" | "metered_tiers") => (true, None),
            Some(other) => {
                draft.add_unclear(UnclearValue::unknown_word(place, other));
                (false, None)
            }
            None => (false, None),
        };
        let place = "data.prices.price_amount";
        let own = price.price_currency.as_ref().readable();
        let is_other = own.is_some_and(|own| !self.is_billed_in(own));
        let unit = match kind.map(|kind| &**kind) {
            Some("free") => Ok(Some(0)),
            // An amount in another currency is not what is paid.
            Some(_) | None if is_other => Ok(None),
            Some(_) | None => price.price_amount.read(place),
        };
        let unit = unit.and_then(|unit| unit.map(|unit| not_negative(unit, place)).transpose());
        SubscriptionItem {
            id: price.id.0.clone(),
            price: PriceId::from(&price.id.0),
            metered,
            quantity,
            unit_minor: draft.readable(unit).flatten(),
            pricing: Pricing {
                interval: self.interval(),
                package: None,
                tax: price.tax(),
            },
            period: None,
        }
    }
}

impl Price {
    /// `location` leaves it to where the buyer is, which is not said here.
    fn tax(&self) -> TaxBehavior {
        match self.tax_behavior.as_ref().readable().map(|word| &**word) {
            Some("inclusive") => TaxBehavior::Inclusive,
            Some("exclusive") => TaxBehavior::Exclusive,
            Some(_) | None => TaxBehavior::Unknown,
        }
    }
}

/// A period of which both ends are known.
fn span(
    ends: (Option<Timestamp>, Option<Timestamp>),
    place: &str,
) -> Result<Option<Period>, UnclearValue> {
    match ends {
        (Some(start), Some(end)) => period(start, end, place).map(Some),
        (Some(_) | None, _) => Ok(None),
    }
}
