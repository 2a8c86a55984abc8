//! A subscription as the API shows it with one of its payments.

use super::api::{Amount, Mollie, metadata, read_metadata};
use crate::civil::{Day, Interval, Unit};
use crate::draft::{Draft, terms};
use crate::fetch::Call;
use crate::thin::{Short, find};
use crate::wire::{Id, Metadata, Moment, Unclear, at, read_object};
use domain::reading::Fact;
use domain::terms::{Period, SubscriptionSeen, SubscriptionStatus};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Tells of it as of that moment. `current` whether the event is news of the subscription
/// itself; else only its end is told, for the rest may be further on than the event.
pub(super) fn tell(
    mollie: &Mollie<'_, '_>,
    draft: &mut Draft<'_>,
    (customer, subscription): (&Id, &Id),
    moment: Timestamp,
    current: bool,
) -> Result<(), Short> {
    let (customer, subscription) = (customer.0.as_str(), subscription.0.as_str());
    let call = Call::get(&["customers", customer, "subscriptions", subscription]);
    let Some(document) = find(mollie.asking, call, PLACE)? else {
        return Ok(());
    };
    let subscription: Subscription<'_> = read_object(document, PLACE)?;
    let seen = subscription.seen(moment)?;
    read_metadata(draft, subscription.metadata);
    if current || seen.terms.status.is_final() {
        draft.tell(Fact::Subscription(Box::new(seen)));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription<'a> {
    id: Id,
    status: Arc<str>,
    amount: Amount,
    interval: Arc<str>,
    created_at: Moment,
    #[serde(default)]
    start_date: Option<Day>,
    #[serde(default)]
    next_payment_date: Option<Day>,
    #[serde(default)]
    canceled_at: Option<Moment>,
    #[serde(default)]
    description: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

impl Subscription<'_> {
    fn seen(&self, moment: Timestamp) -> Result<SubscriptionSeen, Unclear> {
        let status = match &*self.status {
            "pending" => SubscriptionStatus::Incomplete,
            "active" => SubscriptionStatus::Active,
            // Its mandate became invalid: nothing is collected until there is another.
            "suspended" => SubscriptionStatus::Unpaid,
            "canceled" | "completed" => SubscriptionStatus::Canceled,
            other => return Err(Unclear::word("subscription.status", other)),
        };
        let canceled_at = at(self.canceled_at);
        let ended = status.is_final();
        let amount = self.amount.money("subscription.amount")?;
        let priced = metadata(self.metadata).as_ref().and_then(Metadata::price);
        let price = priced.or_else(|| self.description.clone());
        Ok(SubscriptionSeen {
            id: self.id.0.clone(),
            started_at: self.created_at.0,
            currency: Some(amount.currency),
            terms: terms(status, (&self.id.0, price, amount.minor), self.period()?),
            canceled_at,
            ended_at: ended.then(|| canceled_at.unwrap_or(moment)),
            end_asked: false,
            before: None,
        })
    }

    /// `1 month`, `14 days`.
    fn period(&self) -> Result<Option<Period>, Unclear> {
        let unclear = || Unclear("`subscription.interval` is none we know".to_owned());
        let (count, unit) = self.interval.split_once(' ').ok_or_else(unclear)?;
        let count = count.parse().map_err(|_| unclear())?;
        let unit = match unit {
            "day" | "days" => Unit::Day,
            "week" | "weeks" => Unit::Week,
            "month" | "months" => Unit::Month,
            other => return Err(Unclear::word("subscription.interval", other)),
        };
        let next = self.next_payment_date;
        let before = |next| Interval { count, unit }.before(next, self.start_date);
        Ok(next.map(before).transpose()?.flatten())
    }
}

const PLACE: &str = "subscription";
