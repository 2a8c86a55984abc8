//! `customer.subscription.*`: the whole of a subscription, in the old and in today's shape.

use super::facts::{Discount, StripeEvent, currency, discounts, read_discounts};
use super::item::{StripeSubscriptionItem, base_item, period};
use super::wire::{Expandable, List, ObjectRef, id};
use crate::draft::NormalizedEventDraft;
use crate::wire::{
    Metadata, Part, UnclearValue, UnixSeconds, present, read_object, status, to_timestamp,
};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::subscription::terms::{
    EndReason, Pause, Period, PreviousAttributes, PreviousValue, SubscriptionItem,
    SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms, TrialFallback,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::mem::take;
use std::sync::Arc;

/// A subscription as it is now, and what it was before where Stripe says.
pub(super) fn snapshot<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let mut subscription: Subscription<'_> = event.object()?;
    let mut draft = event.draft_for(id(&subscription.customer), &[])?;
    let before = draft.readable(event.previous::<StripePreviousAttributes>());
    let before = before.flatten();
    draft.add_references(&[Some(&subscription.id.0), id(&subscription.latest_invoice)]);
    let metadata = draft.readable(take(&mut subscription.metadata).read("data.object.metadata"));
    draft.read_metadata(metadata.flatten().as_ref());
    let discount = draft.readable(take(&mut subscription.discount).read("data.object.discount"));
    let listed = draft.readable(take(&mut subscription.discounts).read("data.object.discounts"));
    read_discounts(&mut draft, &discounts(discount.flatten(), listed.flatten()));
    let Some(mut snapshot) = subscription.snapshot(event.created, &mut draft) else {
        return Ok(draft);
    };
    snapshot.canceled_at = before.as_ref().map_or(snapshot.canceled_at, |before| {
        before.end_requested_at(snapshot.canceled_at)
    });
    let before = before.map(|before| before.read(&snapshot.terms));
    let before = before.and_then(|before| draft.readable(before));
    let before = before.filter(|before| *before != PreviousAttributes::default());
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
    #[serde(borrow, default)]
    items: Part<List<&'a RawValue>>,
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
    // Since 2023.
    #[serde(default)]
    cancellation_details: Part<CancellationDetails>,
    // Since 2022; a way to pay of its own beside it, where it has one.
    #[serde(default)]
    trial_settings: Part<TrialSettings>,
    #[serde(default)]
    default_payment_method: Option<ObjectRef>,
    #[serde(default)]
    default_source: Option<ObjectRef>,
    #[serde(default)]
    pause_collection: Part<Paused>,
    #[serde(default)]
    latest_invoice: Option<ObjectRef>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    #[serde(default)]
    discount: Part<Discount>,
    #[serde(default)]
    discounts: Part<Vec<Expandable<Discount>>>,
}

#[derive(Deserialize)]
struct CancellationDetails {
    #[serde(default)]
    reason: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct TrialSettings {
    #[serde(default)]
    end_behavior: Option<TrialEndBehavior>,
}

#[derive(Deserialize)]
struct TrialEndBehavior {
    #[serde(default)]
    missing_payment_method: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct Paused {
    behavior: Arc<str>,
    #[serde(default)]
    resumes_at: Option<UnixSeconds>,
}

impl Subscription<'_> {
    /// The subscription, as far as it can be read. `None` where nobody knows how it stands: an
    /// unknown status says only that it has ended, where the time of its end is beside it.
    fn snapshot(
        &self,
        created: Timestamp,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> Option<SubscriptionSnapshot> {
        let ended_at = to_timestamp(self.ended_at);
        let status = draft
            .readable(status(&self.status, "data.object.status"))
            .or(ended_at.map(|_| SubscriptionStatus::Canceled))?;
        let pause = self.pause_collection.as_ref();
        let pause = draft.readable(pause.read("data.object.pause_collection"));
        let (lines, mut items_partial) = self.lines(draft);
        let told_currency = self
            .currency
            .as_ref()
            .or_else(|| lines.first().and_then(StripeSubscriptionItem::currency));
        let items = lines.iter().map(|line| line.item_billed_in(told_currency));
        let items: Vec<_> = items.filter_map(|item| draft.readable(item)).collect();
        items_partial |= items.len() != lines.len();
        let own_period = period(self.current_period_start, self.current_period_end);
        let base_period = own_period.or_else(|| base_item(&items).and_then(|item| item.period));
        let told_currency = told_currency.map(|code| currency(code));
        Some(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at: to_timestamp(self.start_date.or(self.start).or(self.created))
                .unwrap_or(created),
            currency: told_currency.and_then(|read| draft.readable(read)),
            terms: SubscriptionTerms {
                status,
                items: with_differing_periods(items, base_period),
                period: base_period,
                trial: period(self.trial_start, self.trial_end),
                trial_fallback: self.trial_fallback(),
                cancel_at: to_timestamp(self.cancel_at),
                cancel_at_period_end: self.cancel_at_period_end,
                items_partial,
                pause: pause.flatten().map(|paused| Pause {
                    behavior: Arc::clone(&paused.behavior),
                    resumes_at: to_timestamp(paused.resumes_at),
                }),
            },
            canceled_at: to_timestamp(self.canceled_at),
            end_requested: false,
            end_reason: self.end_reason(),
            ended_at,
            previous_attributes: None,
        })
    }
}

impl Subscription<'_> {
    /// Its items, and whether there are more: those of the next page, or that can't be read.
    fn lines(&self, draft: &mut NormalizedEventDraft<'_>) -> (Vec<StripeSubscriptionItem>, bool) {
        let place = "data.object.items";
        let Some(list) = draft.readable(self.items.as_ref().require(place)) else {
            return (Vec::new(), true);
        };
        let lines = list.data.iter().map(|raw| read_object(raw, place));
        let lines: Vec<_> = lines.filter_map(|line| draft.readable(line)).collect();
        let is_partial = list.has_more || lines.len() != list.data.len();
        (lines, is_partial)
    }

    /// With a way to pay of its own it makes no difference; the customer's own is not told here.
    fn trial_fallback(&self) -> Option<TrialFallback> {
        if self.default_payment_method.is_some() || self.default_source.is_some() {
            return None;
        }
        let behavior = self
            .trial_settings
            .as_ref()
            .readable()?
            .end_behavior
            .as_ref()?;
        match behavior.missing_payment_method.as_deref()? {
            "cancel" => Some(TrialFallback::Ends),
            "pause" => Some(TrialFallback::Pauses),
            // It goes on, and owes.
            "create_invoice" => None,
            _ => Some(TrialFallback::Other),
        }
    }

    fn end_reason(&self) -> Option<EndReason> {
        match self
            .cancellation_details
            .as_ref()
            .readable()?
            .reason
            .as_deref()?
        {
            "cancellation_requested" => Some(EndReason::Requested),
            "payment_failed" => Some(EndReason::PaymentFailed),
            "payment_disputed" => Some(EndReason::Disputed),
            _ => None,
        }
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
    canceled_at: Option<Option<UnixSeconds>>,
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
    /// When the end was asked for. Any update of a subscription that is set to end moves
    /// `canceled_at`: unless the end itself changed, it was asked for when it says it was before.
    fn end_requested_at(&self, told: Option<Timestamp>) -> Option<Timestamp> {
        let end_changed = self.cancel_at.is_some()
            || self.cancel_at_period_end.is_some()
            || self.status.is_some();
        match self.canceled_at {
            Some(Some(before)) if !end_changed && told.is_some() => Some(before.0),
            Some(_) | None => told,
        }
    }

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
        // Nor is the rest of them news where only their period or metadata changed. Of a part of
        // them nothing can be told.
        let items = items
            .filter(|_| !now.items_partial)
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

fn price_and_quantity(item: &SubscriptionItem) -> (PriceId, Option<u64>) {
    (item.price.clone(), item.quantity)
}

fn previous_time(moment: Option<UnixSeconds>) -> PreviousValue<Timestamp> {
    moment.map_or(PreviousValue::Absent, |moment| {
        PreviousValue::Present(moment.0)
    })
}
