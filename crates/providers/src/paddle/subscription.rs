//! `subscription.*`: the whole of a subscription as it is now.

use super::wire::{MinorUnits, metadata};
use crate::draft::{NormalizedEventDraft, currency, not_negative};
use crate::envelope::Event;
use crate::wire::{Id, Rfc3339Time, UnclearValue, id, period, to_timestamp};
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
    draft.add_fact(Fact::Subscription(Box::new(
        subscription.snapshot(event.at)?,
    )));
    draft.read_metadata(metadata(subscription.custom_data).as_ref());
    if let Some(discount) = &subscription.discount {
        draft.add_code(&discount.id);
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Subscription<'a> {
    id: Id,
    status: Arc<str>,
    customer_id: Id,
    currency_code: Arc<str>,
    items: Vec<PaddleSubscriptionItem>,
    #[serde(default)]
    started_at: Option<Rfc3339Time>,
    #[serde(default)]
    created_at: Option<Rfc3339Time>,
    #[serde(default)]
    canceled_at: Option<Rfc3339Time>,
    // None while nothing is billed: paused, or ended.
    #[serde(default)]
    current_billing_period: Option<BillingPeriod>,
    #[serde(default)]
    scheduled_change: Option<ScheduledChange>,
    // Only when it is created: what paid for it.
    #[serde(default)]
    transaction_id: Option<Id>,
    #[serde(default)]
    discount: Option<Discount>,
    #[serde(borrow, default)]
    custom_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PaddleSubscriptionItem {
    price: Price,
    quantity: u64,
    #[serde(default = "always")]
    recurring: bool,
    #[serde(default)]
    trial_dates: Option<BillingPeriod>,
}

#[derive(Deserialize)]
struct Price {
    id: Id,
    unit_price: UnitPrice,
    #[serde(default)]
    billing_cycle: Option<BillingCycle>,
    #[serde(default)]
    tax_mode: Option<Arc<str>>,
    #[serde(default)]
    trial_period: Option<TrialPeriod>,
}

#[derive(Deserialize)]
struct BillingCycle {
    interval: Arc<str>,
    frequency: u32,
}

#[derive(Deserialize)]
struct TrialPeriod {
    #[serde(default)]
    requires_payment_method: Option<bool>,
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
enum ScheduledEffect {
    Cancel(Timestamp),
    /// It is told again when it comes.
    Pause,
    Resume(Timestamp),
}

impl Subscription<'_> {
    fn snapshot(&self, told_at: Timestamp) -> Result<SubscriptionSnapshot, UnclearValue> {
        let status = status(&self.status)?;
        let billed_in = currency(&self.currency_code, "data.currency_code")?;
        // What was sold once beside it is told by its transaction, and never again.
        let lines = || self.items.iter().filter(|line| line.recurring);
        let items: Result<Vec<_>, _> = lines().map(|line| line.item(billed_in)).collect();
        let items = items?;
        if items.is_empty() && !status.is_final() {
            return Err(UnclearValue("`data.items` is empty".into()));
        }
        let current =
            BillingPeriod::period(self.current_billing_period, "data.current_billing_period")?;
        let trial = lines().find_map(|line| line.trial_dates);
        let trial = BillingPeriod::period(trial, "data.items.trial_dates")?;
        let in_trial = current.filter(|_| status == SubscriptionStatus::Trialing);
        let change = self
            .scheduled_change
            .as_ref()
            .map(ScheduledChange::read)
            .transpose()?;
        let cancel_at = match change {
            Some(ScheduledEffect::Cancel(at)) => Some(at),
            Some(ScheduledEffect::Pause | ScheduledEffect::Resume(_)) | None => None,
        };
        let pause = (status == SubscriptionStatus::Paused).then(|| Pause {
            behavior: Arc::clone(&self.status),
            resumes_at: match change {
                Some(ScheduledEffect::Resume(at)) => Some(at),
                Some(ScheduledEffect::Cancel(_) | ScheduledEffect::Pause) | None => None,
            },
        });
        Ok(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: to_timestamp(self.started_at.or(self.created_at)).unwrap_or(told_at),
            currency: Some(billed_in),
            canceled_at: None,
            end_reason: None,
            end_requested: cancel_at.is_some() || status.is_final(),
            ended_at: to_timestamp(self.canceled_at).filter(|_| status.is_final()),
            terms: SubscriptionTerms {
                status,
                items,
                period: current,
                trial: trial.or(in_trial),
                trial_fallback: lines()
                    .any(PaddleSubscriptionItem::is_cardless)
                    .then_some(TrialFallback::Ends),
                cancel_at,
                cancel_at_period_end: cancel_at.is_some()
                    && cancel_at == current.map(|period| period.end),
                items_partial: false,
                pause,
            },
            previous_attributes: None,
        })
    }
}

impl PaddleSubscriptionItem {
    /// An item goes by its price; a subscription has each once.
    fn item(&self, billed_in: Currency) -> Result<SubscriptionItem, UnclearValue> {
        let unit = &self.price.unit_price;
        let place = "data.items.price.unit_price";
        let listed_in = currency(&unit.currency_code, place)?;
        let minor = not_negative(unit.amount.0, place)?;
        Ok(SubscriptionItem {
            id: self.price.id.0.clone(),
            price: PriceId::from(&self.price.id.0),
            metered: false,
            quantity: Some(self.quantity),
            // Paddle may convert; a list price in another currency is not what is paid.
            unit_minor: (listed_in == billed_in).then_some(minor),
            pricing: self.price.pricing(),
            period: None,
        })
    }
}

impl PaddleSubscriptionItem {
    /// Its trial began without a way to pay, and ends with it if there is none by then.
    fn is_cardless(&self) -> bool {
        let trial = self.price.trial_period.as_ref();
        trial.is_some_and(|trial| trial.requires_payment_method == Some(false))
    }
}

impl Price {
    fn pricing(&self) -> Pricing {
        let cycle = self.billing_cycle.as_ref();
        Pricing {
            interval: cycle
                .and_then(|cycle| BillingInterval::parse(&cycle.interval, cycle.frequency)),
            package: None,
            tax: match self.tax_mode.as_deref() {
                Some("internal") => TaxBehavior::Inclusive,
                Some("external") => TaxBehavior::Exclusive,
                // By the account's setting, which no event shows.
                Some(_) | None => TaxBehavior::Unknown,
            },
        }
    }
}

impl BillingPeriod {
    fn period(span: Option<Self>, place: &str) -> Result<Option<Period>, UnclearValue> {
        let Some(Self { starts_at, ends_at }) = span else {
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

fn status(word: &str) -> Result<SubscriptionStatus, UnclearValue> {
    Ok(match word {
        "trialing" => SubscriptionStatus::Trialing,
        "active" => SubscriptionStatus::Active,
        "past_due" => SubscriptionStatus::PastDue,
        "paused" => SubscriptionStatus::Paused,
        "canceled" => SubscriptionStatus::Canceled,
        other => return Err(UnclearValue::unknown_word("data.status", other)),
    })
}

fn always() -> bool {
    true
}
