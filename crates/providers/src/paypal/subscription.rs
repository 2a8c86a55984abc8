//! `BILLING.SUBSCRIPTION.*`: the whole of a subscription as it is now.

use super::event::PaypalEvent;
use super::wire::{PaypalAmount, unknown_word};
use crate::api_document::ReadError;
use crate::draft::{NormalizedEventDraft, currency, profile};
use crate::wire::{Id, Rfc3339Time, UnclearValue, to_timestamp};
use domain::event::Fact;
use domain::ids::{ObjectId, PriceId};
use domain::money::Money;
use domain::payment::snapshot::{InvoiceSnapshot, InvoiceState, NextAttempt};
use domain::subscription::pricing::Pricing;
use domain::subscription::terms::{
    Period, SubscriptionItem, SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms,
};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// A subscription, and what it owes. Before its buyer has approved it, nobody is named.
pub(super) fn snapshot<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let subscription: Subscription = event.resource()?;
    let mut draft = match subscription.payer() {
        Some(payer) => event.draft_for(payer),
        None => event.draft_by_reference(&[&subscription.id.0]),
    };
    subscription.add_to(&mut draft, event.at)?;
    Ok(draft)
}

/// A subscription, from an event or from the API.
#[derive(Deserialize)]
pub(super) struct Subscription {
    id: Id,
    plan_id: Arc<str>,
    status: Arc<str>,
    #[serde(default)]
    quantity: Option<Arc<str>>,
    #[serde(default)]
    start_time: Option<Rfc3339Time>,
    #[serde(default)]
    create_time: Option<Rfc3339Time>,
    #[serde(default)]
    status_update_time: Option<Rfc3339Time>,
    #[serde(default)]
    custom_id: Option<Arc<str>>,
    #[serde(default)]
    subscriber: Option<Subscriber>,
    #[serde(default)]
    billing_info: Option<BillingInfo>,
}

#[derive(Deserialize)]
struct Subscriber {
    #[serde(default)]
    payer_id: Option<Id>,
    #[serde(default)]
    email_address: Option<Arc<str>>,
    #[serde(default)]
    name: Option<Name>,
    #[serde(default)]
    shipping_address: Option<ShippingAddress>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(default)]
    given_name: Option<Arc<str>>,
    #[serde(default)]
    surname: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct ShippingAddress {
    #[serde(default)]
    address: Option<PaypalAddress>,
}

#[derive(Deserialize)]
struct PaypalAddress {
    #[serde(default)]
    country_code: Option<Arc<str>>,
}

#[derive(Default, Deserialize)]
struct BillingInfo {
    #[serde(default)]
    outstanding_balance: Option<PaypalAmount>,
    #[serde(default)]
    cycle_executions: Vec<BillingCycle>,
    #[serde(default)]
    last_payment: Option<LastPayment>,
    #[serde(default)]
    next_billing_time: Option<Rfc3339Time>,
    #[serde(default)]
    failed_payments_count: u32,
    #[serde(default)]
    last_failed_payment: Option<FailedPayment>,
}

#[derive(Deserialize)]
struct BillingCycle {
    tenure_type: Arc<str>,
    #[serde(default)]
    cycles_completed: u32,
    #[serde(default)]
    cycles_remaining: Option<u32>,
    #[serde(default)]
    total_cycles: Option<u32>,
}

#[derive(Deserialize)]
struct LastPayment {
    amount: PaypalAmount,
    time: Rfc3339Time,
}

#[derive(Deserialize)]
struct FailedPayment {
    amount: PaypalAmount,
    #[serde(default)]
    next_payment_retry_time: Option<Rfc3339Time>,
}

impl Subscription {
    /// Who pays for it, once somebody has approved it.
    pub(super) fn payer(&self) -> Option<&ObjectId> {
        let payer = self.subscriber.as_ref()?.payer_id.as_ref()?;
        Some(&payer.0)
    }

    /// All that it says; `now` is when.
    pub(super) fn add_to(
        &self,
        draft: &mut NormalizedEventDraft<'_>,
        now: Timestamp,
    ) -> Result<(), UnclearValue> {
        let none = BillingInfo::default();
        let billing = self.billing_info.as_ref().unwrap_or(&none);
        let snapshot = self.snapshot(billing, now)?;
        draft.add_references(&[Some(&self.id.0)]);
        if !snapshot.terms.status.is_final() {
            let invoice = self.failed_invoice(billing, &snapshot)?;
            draft.facts.extend(invoice.map(Fact::Invoice));
        }
        draft.add_fact(Fact::Subscription(Box::new(snapshot)));
        self.describe(draft);
        Ok(())
    }

    /// That a payment was made now: where no failed one is left, nothing is owed any more.
    pub(super) fn paid_invoice(&self, paid: Money) -> Option<InvoiceSnapshot> {
        let billing = self.billing_info.as_ref()?;
        (billing.failed_payments_count == 0).then(|| InvoiceSnapshot {
            id: self.id.0.clone(),
            subscription: Some(self.id.0.clone()),
            state: InvoiceState::Paid,
            due: Money { minor: 0, ..paid },
            attempts: 0,
            next_attempt: NextAttempt::Unknown,
            paid: Some(paid),
        })
    }

    fn snapshot(
        &self,
        billing: &BillingInfo,
        now: Timestamp,
    ) -> Result<SubscriptionSnapshot, UnclearValue> {
        let status = self.status(billing)?;
        let started_at = to_timestamp(self.start_time.or(self.create_time)).unwrap_or(now);
        let period = billing.period(started_at);
        let in_trial = status == SubscriptionStatus::Trialing;
        let changed_at = to_timestamp(self.status_update_time).unwrap_or(now);
        Ok(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at,
            currency: billing
                .code()
                .map(|code| currency(code, "resource.billing_info"))
                .transpose()?,
            terms: SubscriptionTerms {
                status,
                items: vec![self.item()?],
                period,
                trial: period.filter(|_| in_trial && billing.trial_ends_with_period()),
                trial_fallback: None,
                cancel_at: None,
                cancel_at_period_end: false,
                items_partial: false,
                pause: None,
            },
            canceled_at: (&*self.status == "CANCELLED").then_some(changed_at),
            end_requested: false,
            end_reason: None,
            ended_at: status.is_final().then_some(changed_at),
            previous_attributes: None,
        })
    }

    fn status(&self, billing: &BillingInfo) -> Result<SubscriptionStatus, UnclearValue> {
        let failing = billing.failed_payments_count > 0;
        Ok(match &*self.status {
            "APPROVAL_PENDING" | "APPROVED" => SubscriptionStatus::Incomplete,
            "ACTIVE" if failing => SubscriptionStatus::PastDue,
            "ACTIVE" if billing.is_trial()? => SubscriptionStatus::Trialing,
            "ACTIVE" => SubscriptionStatus::Active,
            "SUSPENDED" if failing => SubscriptionStatus::Unpaid,
            "SUSPENDED" => SubscriptionStatus::Paused,
            "CANCELLED" | "EXPIRED" => SubscriptionStatus::Canceled,
            other => return Err(unknown_word("resource.status", other)),
        })
    }

    fn item(&self) -> Result<SubscriptionItem, UnclearValue> {
        let quantity = self.quantity.as_deref().unwrap_or("1");
        let unclear = |_| UnclearValue("`resource.quantity` is no number".into());
        let plan = Id::parse(&self.plan_id);
        let plan = plan.ok_or_else(|| UnclearValue("`resource.plan_id` is no id".into()))?;
        Ok(SubscriptionItem {
            price: PriceId::from(&plan.0),
            id: plan.0,
            metered: false,
            quantity: Some(quantity.parse().map_err(unclear)?),
            unit_minor: None,
            pricing: Pricing::default(),
            period: None,
        })
    }

    /// What failed, by what was paid until then: each attempt on it is the same.
    fn failed_invoice(
        &self,
        billing: &BillingInfo,
        snapshot: &SubscriptionSnapshot,
    ) -> Result<Option<InvoiceSnapshot>, UnclearValue> {
        let failed = billing.last_failed_payment.as_ref();
        let Some(failed) = failed.filter(|_| billing.failed_payments_count > 0) else {
            return Ok(None);
        };
        let paid_until = billing.last_payment.as_ref().map(|paid| paid.time.0);
        let since = paid_until.unwrap_or(snapshot.started_at);
        let place = "resource.billing_info.last_failed_payment";
        let due = failed.amount.money(place)?;
        let retried = snapshot.terms.status == SubscriptionStatus::PastDue;
        Ok(Some(InvoiceSnapshot {
            id: ObjectId::parse(format!("{}@{since}", self.id.0))
                .map_err(|_| UnclearValue::invalid_id("resource.id"))?,
            subscription: Some(self.id.0.clone()),
            state: InvoiceState::Failed,
            due,
            attempts: billing.failed_payments_count,
            next_attempt: NextAttempt::at(
                to_timestamp(failed.next_payment_retry_time).filter(|_| retried),
            ),
            paid: None,
        }))
    }

    fn describe(&self, draft: &mut NormalizedEventDraft<'_>) {
        if let Some(custom) = &self.custom_id {
            draft.read_client_reference(custom);
        }
        let Some(subscriber) = &self.subscriber else {
            return;
        };
        let name = subscriber.name.as_ref().map(|name| {
            let parts = [&name.given_name, &name.surname];
            let parts: Vec<&str> = parts.into_iter().flatten().map(AsRef::as_ref).collect();
            parts.join(" ").into()
        });
        let address = subscriber.shipping_address.as_ref();
        let address = address.and_then(|shipping| shipping.address.as_ref());
        let country = address.and_then(|address| address.country_code.clone());
        draft.add_profile(profile(subscriber.email_address.clone(), name, country));
    }
}

impl BillingInfo {
    /// Its plan has a trial, and no regular cycle is over or paid. A trial that is paid for is
    /// not told from what follows it.
    fn is_trial(&self) -> Result<bool, UnclearValue> {
        let of_kind = |kind: &'static str| {
            let cycles = self.cycle_executions.iter();
            cycles.filter(move |cycle| *cycle.tenure_type == *kind)
        };
        let place = "resource.billing_info.last_payment";
        let paid = match &self.last_payment {
            Some(paid) => paid.amount.money(place)?.minor != 0,
            None => false,
        };
        let regular = of_kind("REGULAR").any(|cycle| cycle.cycles_completed > 0);
        Ok(of_kind("TRIAL").next().is_some() && !regular && !paid)
    }

    /// Whether the next payment is the first after the trial. A trial may have several cycles.
    fn trial_ends_with_period(&self) -> bool {
        let trials = self.cycle_executions.iter();
        let mut trials = trials.filter(|cycle| &*cycle.tenure_type == "TRIAL");
        trials.all(|cycle| cycle.cycles_remaining == Some(0) || cycle.total_cycles == Some(1))
    }

    /// From the last payment, or the start, to the next.
    fn period(&self, started_at: Timestamp) -> Option<Period> {
        let paid = self.last_payment.as_ref().map(|paid| paid.time.0);
        let start = paid.unwrap_or(started_at);
        let end = to_timestamp(self.next_billing_time).filter(|end| start <= *end)?;
        Some(Period { start, end })
    }

    fn code(&self) -> Option<&str> {
        let paid = || self.last_payment.as_ref().map(|paid| &paid.amount);
        self.outstanding_balance
            .as_ref()
            .or_else(paid)
            .map(PaypalAmount::code)
    }
}
