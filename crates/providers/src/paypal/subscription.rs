//! `BILLING.SUBSCRIPTION.*`: the whole of a subscription as it is now.

use super::agreement::Agreement;
use super::billing::{BillingInfo, LAST_PAYMENT};
use super::event::PaypalEvent;
use super::wire::unknown_word;
use crate::api_document::ReadError;
use crate::draft::{NormalizedEventDraft, currency, profile};
use crate::wire::{Id, Part, Rfc3339Time, UnclearValue, to_timestamp};
use domain::event::Fact;
use domain::ids::{ObjectId, PriceId};
use domain::money::Money;
use domain::payment::snapshot::{InvoiceSnapshot, InvoiceState, NextAttempt};
use domain::subscription::pricing::Pricing;
use domain::subscription::terms::{
    SubscriptionItem, SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms,
};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// A subscription, and what it owes. Before its buyer has approved it, nobody is named.
pub(super) fn snapshot<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let subscription = Subscription {
        agreement: event.resource()?,
        ..event.resource()?
    };
    let subscription = subscription.with_billing();
    let mut draft = match subscription.payer() {
        Some(payer) => event.draft_for(payer),
        None => event.draft_by_reference(&[&subscription.id.0]),
    };
    subscription.add_to(&mut draft, event.at);
    Ok(draft)
}

/// A subscription, from an event or from the API. One field that is unclear hides no other.
#[derive(Deserialize)]
pub(super) struct Subscription {
    id: Id,
    #[serde(default)]
    plan_id: Part<Id>,
    #[serde(alias = "state", default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    quantity: Part<Arc<str>>,
    #[serde(alias = "start_date", default)]
    start_time: Part<Rfc3339Time>,
    #[serde(default)]
    create_time: Part<Rfc3339Time>,
    #[serde(default)]
    status_update_time: Part<Rfc3339Time>,
    #[serde(default)]
    custom_id: Part<Arc<str>>,
    #[serde(default)]
    subscriber: Part<Subscriber>,
    #[serde(default)]
    billing_info: Part<BillingInfo>,
    #[serde(skip)]
    agreement: Agreement,
}

#[derive(Deserialize)]
struct Subscriber {
    #[serde(default)]
    payer_id: Part<Id>,
    #[serde(default)]
    email_address: Part<Arc<str>>,
    #[serde(default)]
    name: Part<Name>,
    #[serde(default)]
    shipping_address: Part<ShippingAddress>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(default)]
    given_name: Part<Arc<str>>,
    #[serde(default)]
    surname: Part<Arc<str>>,
}

#[derive(Deserialize)]
struct ShippingAddress {
    #[serde(default)]
    address: Part<PaypalAddress>,
}

#[derive(Deserialize)]
struct PaypalAddress {
    #[serde(default)]
    country_code: Part<Arc<str>>,
}

impl Subscription {
    /// Who pays for it, once somebody has approved it.
    pub(super) fn payer(&self) -> Option<&ObjectId> {
        let subscriber = self.subscriber.as_ref().readable();
        let named = subscriber.and_then(|subscriber| subscriber.payer_id.as_ref().readable());
        let named = named.map(|payer| &payer.0);
        named.or_else(|| self.agreement.payer())
    }

    /// The same, billed as its agreement says where nothing else is said.
    fn with_billing(self) -> Self {
        let billing_info = match self.billing_info {
            Part::Absent => self.agreement.billing(),
            own @ (Part::Null | Part::Present(_) | Part::Unreadable) => own,
        };
        Self {
            billing_info,
            ..self
        }
    }

    /// All that it says; `now` is when.
    pub(super) fn add_to(&self, draft: &mut NormalizedEventDraft<'_>, now: Timestamp) {
        draft.add_references(&[Some(&self.id.0)]);
        let billing = draft.readable(self.billing_info.as_ref().read(self.billing_place()));
        let billing = billing.flatten();
        if let Some(snapshot) = self.snapshot(billing, now, draft) {
            if let Some(billing) = billing.filter(|_| !snapshot.terms.status.is_final()) {
                let invoice = self.failed_invoice(billing, &snapshot);
                let invoice = draft.readable(invoice).flatten();
                draft.facts.extend(invoice.map(Fact::Invoice));
            }
            draft.add_fact(Fact::Subscription(Box::new(snapshot)));
        }
        self.describe(draft);
    }

    fn billing_place(&self) -> &'static str {
        if self.agreement.has_plan() {
            "resource.agreement_details"
        } else {
            BILLING
        }
    }

    /// That a payment was made now: where no failed one is left, nothing is owed any more.
    pub(super) fn paid_invoice(&self, paid: Money) -> Option<InvoiceSnapshot> {
        let billing = self.billing_info.as_ref().readable()?;
        (billing.failed_payments_count.readable() == Some(0)).then(|| InvoiceSnapshot {
            id: self.id.0.clone(),
            subscription: Some(self.id.0.clone()),
            state: InvoiceState::Paid,
            due: Money { minor: 0, ..paid },
            attempts: 0,
            next_attempt: NextAttempt::Unknown,
            paid: Some(paid),
        })
    }

    /// None where its status is unclear.
    fn snapshot(
        &self,
        billing: Option<&BillingInfo>,
        now: Timestamp,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> Option<SubscriptionSnapshot> {
        let status = draft.readable(self.status(billing))?;
        let mut time = |field: Part<Rfc3339Time>, place| {
            let field = draft.readable(field.read(place)).flatten();
            to_timestamp(field)
        };
        let started_at = time(self.start_time, "resource.start_time");
        let created_at = time(self.create_time, "resource.create_time");
        let changed_at = time(self.status_update_time, "resource.status_update_time");
        let started_at = started_at.or(created_at).unwrap_or(now);
        let changed_at = changed_at.unwrap_or(now);
        let period = billing.map(|billing| billing.period(started_at));
        let period = draft.readable(period.transpose()).flatten().flatten();
        let code = billing.and_then(BillingInfo::code);
        let currency = code.map(|code| currency(&code.to_ascii_lowercase(), BILLING));
        let item = draft.readable(self.item());
        let items_partial = item.is_none();
        let in_trial = status == SubscriptionStatus::Trialing
            && billing.is_some_and(BillingInfo::trial_ends_with_period);
        Some(SubscriptionSnapshot {
            id: self.id.0.clone(),
            started_at,
            currency: draft.readable(currency.transpose()).flatten(),
            terms: SubscriptionTerms {
                status,
                items: item.into_iter().collect(),
                period,
                trial: period.filter(|_| in_trial),
                trial_fallback: None,
                cancel_at: None,
                cancel_at_period_end: false,
                items_partial,
                pause: None,
            },
            canceled_at: self.is_canceled().then_some(changed_at),
            end_requested: false,
            end_reason: None,
            ended_at: status.is_final().then_some(changed_at),
            previous_attributes: None,
        })
    }

    fn is_canceled(&self) -> bool {
        let word = self.status.as_ref().readable();
        word.is_some_and(|word| word.eq_ignore_ascii_case("CANCELLED"))
    }

    /// By its word alone where nothing is said of its payments.
    fn status(&self, billing: Option<&BillingInfo>) -> Result<SubscriptionStatus, UnclearValue> {
        let word = self.status.as_ref().require(STATUS)?;
        let failed = billing.and_then(|billing| billing.failed_payments_count.readable());
        let failing = failed.is_some_and(|count| count > 0);
        let is_trial = billing.is_some_and(BillingInfo::is_trial);
        Ok(match word.to_ascii_uppercase().as_str() {
            "APPROVAL_PENDING" | "APPROVED" | "PENDING" => SubscriptionStatus::Incomplete,
            "ACTIVE" if failing => SubscriptionStatus::PastDue,
            "ACTIVE" if is_trial => SubscriptionStatus::Trialing,
            "ACTIVE" => SubscriptionStatus::Active,
            "SUSPENDED" if failing => SubscriptionStatus::Unpaid,
            "SUSPENDED" => SubscriptionStatus::Paused,
            "CANCELLED" | "EXPIRED" => SubscriptionStatus::Canceled,
            _ => return Err(unknown_word(STATUS, word)),
        })
    }

    fn item(&self) -> Result<SubscriptionItem, UnclearValue> {
        let plan = match (self.plan_id.as_ref(), self.agreement.has_plan()) {
            (Part::Absent | Part::Null, true) => &self.id,
            (plan, _) => plan.require("resource.plan_id")?,
        };
        let quantity = self.quantity.as_ref().read("resource.quantity")?;
        let unclear = |_| UnclearValue("`resource.quantity` is no number".into());
        let quantity = quantity.map_or(Ok(1), |text| text.parse().map_err(unclear))?;
        Ok(SubscriptionItem {
            price: PriceId::from(&plan.0),
            id: plan.0.clone(),
            metered: false,
            quantity: Some(quantity),
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
        let place = "resource.billing_info.last_failed_payment";
        let failures = billing.failed_payments_count.read(FAILURES)?.unwrap_or(0);
        let failed = billing.last_failed_payment.as_ref().read(place)?;
        let Some(failed) = failed.filter(|_| failures > 0) else {
            return Ok(None);
        };
        let paid = billing.last_payment.as_ref().read(LAST_PAYMENT)?;
        let since = paid.map_or(snapshot.started_at, |paid| paid.time.0);
        let retry = failed.next_payment_retry_time.read(place)?;
        Ok(Some(InvoiceSnapshot {
            id: ObjectId::parse(format!("{}@{since}", self.id.0))
                .map_err(|_| UnclearValue::invalid_id("resource.id"))?,
            subscription: Some(self.id.0.clone()),
            state: InvoiceState::Failed,
            due: failed.amount.money(place)?,
            attempts: failures,
            next_attempt: match (snapshot.terms.status, retry) {
                // Nothing is collected until somebody activates it again.
                (SubscriptionStatus::Unpaid, _) => NextAttempt::NotPlanned,
                (_, retry) => NextAttempt::at(to_timestamp(retry)),
            },
            paid: None,
        }))
    }

    fn describe(&self, draft: &mut NormalizedEventDraft<'_>) {
        if let Some(custom) = self.custom_id.as_ref().readable() {
            draft.read_client_reference(custom);
        }
        if let Some(payer) = self.agreement.payer_info() {
            let email = payer.email.as_ref().readable();
            let country = self.agreement.country();
            draft.add_profile(profile(email.cloned(), payer.name(), country.cloned()));
        }
        let Some(subscriber) = self.subscriber.as_ref().readable() else {
            return;
        };
        let name = subscriber.name.as_ref().readable().map(|name| {
            let parts = [&name.given_name, &name.surname];
            let parts = parts
                .into_iter()
                .filter_map(|part| part.as_ref().readable());
            let parts: Vec<&str> = parts.map(AsRef::as_ref).collect();
            parts.join(" ").into()
        });
        let shipping = subscriber.shipping_address.as_ref().readable();
        let address = shipping.and_then(|shipping| shipping.address.as_ref().readable());
        let country = address.and_then(|address| address.country_code.as_ref().readable());
        let email = subscriber.email_address.as_ref().readable();
        draft.add_profile(profile(email.cloned(), name, country.cloned()));
    }
}

const STATUS: &str = "resource.status";
const BILLING: &str = "resource.billing_info";
const FAILURES: &str = "resource.billing_info.failed_payments_count";
