//! `subscription.*`: the whole of a subscription as it is now.

use super::wire::{MinorUnits, metadata};
use crate::draft::{NormalizedEventDraft, currency, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Part, Rfc3339Time, UnclearValue, id, period, to_timestamp};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::money::Currency;
use domain::subscription::pricing::{BillingInterval, Pricing, TaxBehavior};
use domain::subscription::terms::{
    Pause, Period, SubscriptionItem, SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms,
    TrialFallback,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// A subscription. Base and add-ons are items alike; the catalog tells them apart.
pub(super) fn snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let subscription: Subscription<'_> = event.data()?;
    let mut draft = event.draft(Some(&subscription.customer_id.0), &[])?;
    draft.add_references(&[Some(&subscription.id.0), id(&subscription.transaction_id)]);
    draft.read_metadata(metadata(subscription.custom_data).as_ref());
    if let Some(discount) = subscription.discount.as_ref().readable() {
        draft.add_code(&discount.id);
    }
    if let Some(snapshot) = subscription.snapshot(event.at, &mut draft) {
        draft.add_fact(Fact::Subscription(Box::new(snapshot)));
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Subscription<'a> {
    id: Id,
    #[serde(default)]
    status: Part<Arc<str>>,
    customer_id: Id,
    #[serde(default)]
    currency_code: Part<Arc<str>>,
    #[serde(default)]
    items: Part<Vec<Part<PaddleSubscriptionItem>>>,
    #[serde(default)]
    started_at: Part<Rfc3339Time>,
    #[serde(default)]
    created_at: Part<Rfc3339Time>,
    #[serde(default)]
    canceled_at: Part<Rfc3339Time>,
    // None while nothing will be billed: paused, ended, or a trial without a way to pay.
    #[serde(default)]
    next_billed_at: Part<Rfc3339Time>,
    // None while nothing is billed: paused, or ended.
    #[serde(default)]
    current_billing_period: Part<BillingPeriod>,
    #[serde(default)]
    scheduled_change: Part<ScheduledChange>,
    // Only when it is created: what paid for it.
    #[serde(default)]
    transaction_id: Option<Id>,
    #[serde(default)]
    discount: Part<Discount>,
    #[serde(borrow, default)]
    custom_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PaddleSubscriptionItem {
    price: Price,
    #[serde(default)]
    quantity: Part<u64>,
    #[serde(default = "always")]
    recurring: bool,
    #[serde(default)]
    trial_dates: Part<BillingPeriod>,
}

#[derive(Deserialize)]
struct Price {
    id: Id,
    #[serde(default)]
    unit_price: Part<UnitPrice>,
    #[serde(default)]
    billing_cycle: Part<BillingCycle>,
    #[serde(default)]
    tax_mode: Part<Arc<str>>,
    #[serde(default)]
    trial_period: Part<TrialPeriod>,
}

#[derive(Deserialize)]
struct BillingCycle {
    interval: Arc<str>,
    frequency: u32,
}

#[derive(Deserialize)]
struct TrialPeriod {
    #[serde(default)]
    requires_payment_method: Part<bool>,
}

#[derive(Deserialize)]
struct UnitPrice {
    amount: MinorUnits,
    currency_code: Arc<str>,
}

#[derive(Clone, Copy, Deserialize)]
struct BillingPeriod {
    starts_at: Rfc3339Time,
    ends_at: Rfc3339Time,
}

#[derive(Deserialize)]
struct ScheduledChange {
    action: Arc<str>,
    effective_at: Rfc3339Time,
}

#[derive(Deserialize)]
struct Discount {
    id: Arc<str>,
}

/// What a scheduled change does.
#[derive(Clone, Copy)]
enum ScheduledEffect {
    Cancel(Timestamp),
    /// It is told again when it comes.
    Pause,
    Resume(Timestamp),
}

impl Subscription<'_> {
    /// None where its status is unclear.
    fn snapshot(
        &self,
        told_at: Timestamp,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> Option<SubscriptionSnapshot> {
        let status = draft.readable(self.status())?;
        let billed_in = self.currency_code.as_ref().require("data.currency_code");
        let billed_in = billed_in.and_then(|code| currency(code, "data.currency_code"));
        let billed_in = draft.readable(billed_in);
        let (lines, items_partial) = self.lines(draft);
        let items = lines.iter().map(|line| line.item(billed_in, draft));
        let items: Vec<_> = items.collect();
        if items.is_empty() && !status.is_final() {
            draft.add_unclear(UnclearValue("`data.items` is empty".into()));
        }
        let place = "data.current_billing_period";
        let current = draft.readable(BillingPeriod::period(self.current_billing_period, place));
        let current = current.flatten();
        let place = "data.items.trial_dates";
        let trial = lines
            .iter()
            .map(|line| BillingPeriod::period(line.trial_dates, place));
        let mut trial = trial.filter_map(|trial| draft.readable(trial).flatten());
        let trial = trial.next();
        // What becomes of one without a way to pay by then, Paddle does not say.
        let is_cardless =
            lines.iter().any(|line| line.is_cardless()) && self.next_billed_at.readable().is_none();
        let in_trial = current.filter(|_| status == SubscriptionStatus::Trialing);
        let change = self.scheduled_change.as_ref().read("data.scheduled_change");
        let change = change.and_then(|change| change.map(ScheduledChange::read).transpose());
        let change = draft.readable(change).flatten();
        let mut time = |moment: Part<Rfc3339Time>, place| {
            to_timestamp(draft.readable(moment.read(place)).flatten())
        };
        let started_at = time(self.started_at, "data.started_at");
        let created_at = time(self.created_at, "data.created_at");
        let canceled_at = time(self.canceled_at, "data.canceled_at");
        let cancel_at = match change {
            Some(ScheduledEffect::Cancel(at)) => Some(at),
            Some(ScheduledEffect::Pause | ScheduledEffect::Resume(_)) | None => None,
        };
        Some(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: started_at.or(created_at).unwrap_or(told_at),
            currency: billed_in,
            canceled_at: None,
            end_reason: None,
            end_requested: cancel_at.is_some() || status.is_final(),
            ended_at: canceled_at.filter(|_| status.is_final()),
            terms: SubscriptionTerms {
                status,
                items,
                period: current,
                trial: trial.or(in_trial),
                trial_fallback: is_cardless.then_some(TrialFallback::Other),
                cancel_at,
                cancel_at_period_end: cancel_at.is_some()
                    && cancel_at == current.map(|period| period.end),
                items_partial,
                pause: pause(status, change),
            },
            previous_attributes: None,
        })
    }

    fn status(&self) -> Result<SubscriptionStatus, UnclearValue> {
        let place = "data.status";
        Ok(match &**self.status.as_ref().require(place)? {
            "trialing" => SubscriptionStatus::Trialing,
            "active" => SubscriptionStatus::Active,
            "past_due" => SubscriptionStatus::PastDue,
            "paused" => SubscriptionStatus::Paused,
            "canceled" => SubscriptionStatus::Canceled,
            other => return Err(UnclearValue::unknown_word(place, other)),
        })
    }

    /// Its items, and whether some can't be read. What was sold once beside it is told by its
    /// transaction, and never again.
    fn lines(&self, draft: &mut NormalizedEventDraft<'_>) -> (Vec<&PaddleSubscriptionItem>, bool) {
        let place = "data.items";
        let Some(all) = draft.readable(self.items.as_ref().require(place)) else {
            return (Vec::new(), true);
        };
        let read = all.iter().map(|item| item.as_ref().require(place));
        let readable: Vec<_> = read.filter_map(|item| draft.readable(item)).collect();
        let partial = readable.len() < all.len();
        let lines: Vec<_> = readable.into_iter().filter(|line| line.recurring).collect();
        let partial = partial || lines.is_empty();
        (lines, partial)
    }
}

/// A subscription that is paused, and when that ends.
fn pause(status: SubscriptionStatus, change: Option<ScheduledEffect>) -> Option<Pause> {
    (status == SubscriptionStatus::Paused).then(|| Pause {
        behavior: "paused".into(),
        resumes_at: match change {
            Some(ScheduledEffect::Resume(at)) => Some(at),
            Some(ScheduledEffect::Cancel(_) | ScheduledEffect::Pause) | None => None,
        },
    })
}

impl PaddleSubscriptionItem {
    /// An item goes by its price; a subscription has each once.
    fn item(
        &self,
        billed_in: Option<Currency>,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> SubscriptionItem {
        SubscriptionItem {
            id: self.price.id.0.clone(),
            price: PriceId::from(&self.price.id.0),
            metered: false,
            quantity: draft.readable(self.quantity.require("data.items.quantity")),
            unit_minor: draft.readable(self.unit_minor(billed_in)).flatten(),
            pricing: self.price.pricing(),
            period: None,
        }
    }

    /// Paddle may convert; a list price in another currency is not what is paid.
    fn unit_minor(&self, billed_in: Option<Currency>) -> Result<Option<i64>, UnclearValue> {
        let place = "data.items.price.unit_price";
        let unit = self.price.unit_price.as_ref().require(place)?;
        let listed_in = currency(&unit.currency_code, place)?;
        let minor = not_negative(unit.amount.0, place)?;
        Ok((Some(listed_in) == billed_in).then_some(minor))
    }
}

impl PaddleSubscriptionItem {
    /// Whether its trial began without a way to pay.
    fn is_cardless(&self) -> bool {
        let trial = self.price.trial_period.as_ref().readable();
        trial.is_some_and(|trial| trial.requires_payment_method.readable() == Some(false))
    }
}

impl Price {
    fn pricing(&self) -> Pricing {
        let cycle = self.billing_cycle.as_ref().readable();
        Pricing {
            interval: cycle
                .and_then(|cycle| BillingInterval::parse(&cycle.interval, cycle.frequency)),
            package: None,
            tax: match self.tax_mode.as_ref().readable().map(|mode| &**mode) {
                Some("internal") => TaxBehavior::Inclusive,
                Some("external") => TaxBehavior::Exclusive,
                // By the account's setting, which no event shows.
                Some(_) | None => TaxBehavior::Unknown,
            },
        }
    }
}

impl BillingPeriod {
    fn period(span: Part<Self>, place: &str) -> Result<Option<Period>, UnclearValue> {
        let Some(Self { starts_at, ends_at }) = span.read(place)? else {
            return Ok(None);
        };
        period(starts_at.0, ends_at.0, place).map(Some)
    }
}

impl ScheduledChange {
    fn read(&self) -> Result<ScheduledEffect, UnclearValue> {
        Ok(match &*self.action {
            "cancel" => ScheduledEffect::Cancel(self.effective_at.0),
            "pause" => ScheduledEffect::Pause,
            "resume" => ScheduledEffect::Resume(self.effective_at.0),
            other => {
                return Err(UnclearValue::unknown_word(
                    "data.scheduled_change.action",
                    other,
                ));
            }
        })
    }
}

fn always() -> bool {
    true
}
