//! A subscription as the API shows it with one of its payments.

use super::api::{MollieAmount, MollieContext, metadata, read_metadata};
use crate::api_document::{ReadError, find};
use crate::civil::{CalendarUnit, Day, Interval};
use crate::draft::{NormalizedEventDraft, terms};
use crate::fetch::ApiCall;
use crate::wire::{Id, Metadata, Rfc3339Time, UnclearValue, read_object, to_timestamp};
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
    let subscription: Subscription<'_> = read_object(document, PLACE)?;
    let snapshot = subscription.snapshot(moment)?;
    read_metadata(draft, subscription.metadata);
    if current || snapshot.terms.status.is_final() {
        draft.add_fact(Fact::Subscription(Box::new(snapshot)));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription<'a> {
    id: Id,
    status: Arc<str>,
    amount: MollieAmount,
    interval: Arc<str>,
    created_at: Rfc3339Time,
    #[serde(default)]
    start_date: Option<Day>,
    #[serde(default)]
    next_payment_date: Option<Day>,
    #[serde(default)]
    canceled_at: Option<Rfc3339Time>,
    #[serde(default)]
    description: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

impl Subscription<'_> {
    fn snapshot(&self, moment: Timestamp) -> Result<SubscriptionSnapshot, UnclearValue> {
        let status = match &*self.status {
            "pending" => SubscriptionStatus::Incomplete,
            "active" => SubscriptionStatus::Active,
            // Its mandate became invalid: nothing is collected until there is another.
            "suspended" => SubscriptionStatus::Unpaid,
            "canceled" | "completed" => SubscriptionStatus::Canceled,
            other => return Err(UnclearValue::unknown_word("subscription.status", other)),
        };
        let canceled_at = to_timestamp(self.canceled_at);
        let ended = status.is_final();
        let amount = self.amount.money("subscription.amount")?;
        let priced = metadata(self.metadata).as_ref().and_then(Metadata::price);
        let price = priced.or_else(|| self.description.clone());
        Ok(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: self.created_at.0,
            currency: Some(amount.currency),
            terms: terms(status, (&self.id.0, price, amount.minor), self.period()?)?,
            canceled_at,
            ended_at: ended.then(|| canceled_at.unwrap_or(moment)),
            end_requested: false,
            end_reason: None,
            previous_attributes: None,
        })
    }

    /// `1 month`, `14 days`.
    fn period(&self) -> Result<Option<Period>, UnclearValue> {
        let unclear = || UnclearValue("`subscription.interval` is none we know".to_owned());
        let (count, unit) = self.interval.split_once(' ').ok_or_else(unclear)?;
        let count = count.parse().map_err(|_| unclear())?;
        let unit = match unit {
            "day" | "days" => CalendarUnit::Day,
            "week" | "weeks" => CalendarUnit::Week,
            "month" | "months" => CalendarUnit::Month,
            other => return Err(UnclearValue::unknown_word("subscription.interval", other)),
        };
        let next = self.next_payment_date;
        let before = |next| Interval { count, unit }.period_before(next, self.start_date);
        Ok(next.map(before).transpose()?.flatten())
    }
}

const PLACE: &str = "subscription";
