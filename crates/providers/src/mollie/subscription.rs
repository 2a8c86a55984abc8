//! A subscription as the API shows it with one of its payments.

use super::api::{MollieAmount, MollieContext, metadata, read_metadata};
use crate::api_document::{ReadError, find};
use crate::civil::{CalendarUnit, Day, Interval};
use crate::draft::{NormalizedEventDraft, terms};
use crate::fetch::ApiCall;
use crate::wire::{Id, Metadata, Part, Rfc3339Time, UnclearValue, read_object, to_timestamp};
use domain::event::Fact;
use domain::subscription::terms::{Period, SubscriptionSnapshot, SubscriptionStatus};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Tells of it as of that moment. `current` whether the event is news of the subscription
/// itself; else only its end is told, for the rest may be further on than the event.
pub(super) fn add_subscription(
    mollie: &MollieContext<'_, '_>,
    draft: &mut NormalizedEventDraft<'_>,
    (customer, subscription): (&Id, &Id),
    moment: Timestamp,
    current: bool,
) -> Result<(), ReadError> {
    let (customer, subscription) = (customer.0.as_str(), subscription.0.as_str());
    let call = ApiCall::get(&["customers", customer, "subscriptions", subscription]);
    let Some(document) = find(mollie.responses, call, PLACE)? else {
        return Ok(());
    };
    let subscription = draft.readable(read_object::<Subscription<'_>>(document, PLACE));
    let Some(subscription) = subscription else {
        return Ok(());
    };
    read_metadata(draft, subscription.metadata);
    let snapshot = subscription.snapshot(moment, draft);
    if let Some(snapshot) = snapshot.filter(|one| current || one.terms.status.is_final()) {
        draft.add_fact(Fact::Subscription(Box::new(snapshot)));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription<'a> {
    id: Id,
    #[serde(default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    amount: Part<MollieAmount>,
    #[serde(default)]
    interval: Part<Arc<str>>,
    created_at: Rfc3339Time,
    #[serde(default)]
    start_date: Part<Day>,
    #[serde(default)]
    next_payment_date: Part<Day>,
    #[serde(default)]
    canceled_at: Part<Rfc3339Time>,
    #[serde(default)]
    description: Part<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

impl Subscription<'_> {
    /// None where its status is unclear.
    fn snapshot(
        &self,
        moment: Timestamp,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> Option<SubscriptionSnapshot> {
        let status = draft.readable(self.status())?;
        let canceled_at = draft.readable(self.canceled_at.read("subscription.canceledAt"));
        let canceled_at = to_timestamp(canceled_at.flatten());
        let place = "subscription.amount";
        let amount = self.amount.as_ref().require(place);
        let amount = draft.readable(amount.and_then(|amount| amount.money(place)));
        let priced = metadata(self.metadata).as_ref().and_then(Metadata::price);
        let price = priced.or_else(|| self.description.as_ref().readable().cloned());
        let interval = draft.readable(self.interval());
        let period = interval.map(|interval| self.period(interval));
        let period = draft.readable(period.transpose()).flatten().flatten();
        let schedule = (interval.and_then(Interval::billing), period);
        let terms = terms(status, (&self.id.0, price, amount), schedule, draft);
        Some(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: self.created_at.0,
            currency: amount.map(|amount| amount.currency),
            terms,
            canceled_at,
            ended_at: status.is_final().then(|| canceled_at.unwrap_or(moment)),
            end_requested: false,
            end_reason: None,
            previous_attributes: None,
        })
    }

    fn status(&self) -> Result<SubscriptionStatus, UnclearValue> {
        let place = "subscription.status";
        Ok(match &**self.status.as_ref().require(place)? {
            "pending" => SubscriptionStatus::Incomplete,
            "active" => SubscriptionStatus::Active,
            // Its mandate became invalid: nothing is collected until there is another.
            "suspended" => SubscriptionStatus::Unpaid,
            "canceled" | "completed" => SubscriptionStatus::Canceled,
            other => return Err(UnclearValue::unknown_word(place, other)),
        })
    }

    /// `1 month`, `14 days`.
    fn interval(&self) -> Result<Interval, UnclearValue> {
        let place = "subscription.interval";
        let unclear = || UnclearValue(format!("`{place}` is none we know"));
        let interval = self.interval.as_ref().require(place)?;
        let (count, unit) = interval.split_once(' ').ok_or_else(unclear)?;
        let count = count.parse().map_err(|_| unclear())?;
        let unit = match unit {
            "day" | "days" => CalendarUnit::Day,
            "week" | "weeks" => CalendarUnit::Week,
            "month" | "months" => CalendarUnit::Month,
            other => return Err(UnclearValue::unknown_word(place, other)),
        };
        Ok(Interval { count, unit })
    }

    fn period(&self, interval: Interval) -> Result<Option<Period>, UnclearValue> {
        let next = self
            .next_payment_date
            .read("subscription.nextPaymentDate")?;
        let first = self.start_date.read("subscription.startDate")?;
        let due = first.map(Day::of_month);
        let before = |next| interval.period_before(next, first, due);
        Ok(next.map(before).transpose()?.flatten())
    }
}

const PLACE: &str = "subscription";
