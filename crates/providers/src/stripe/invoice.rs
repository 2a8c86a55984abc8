//! `invoice.*` and `invoice_payment.paid`: what was billed, what came of it, and who paid it.

use super::facts::{
    Discount, StripeEvent, discounts, money, not_negative, profile, read_discounts,
};
use super::wire::{Expandable, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::{AddressCountry, Metadata, UnclearValue, UnixSeconds, to_timestamp};
use domain::event::Fact;
use domain::ids::ObjectId;
use domain::payment::snapshot::{
    InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot, SourceKind,
};
use serde::Deserialize;
use std::sync::Arc;

/// `invoice.paid`, `invoice.payment_succeeded`: both tell of the same money.
pub(super) fn paid<'a>(event: &StripeEvent<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let invoice: Invoice<'_> = event.object()?;
    let payment = invoice.payment(event)?;
    invoice.draft(event, InvoiceState::Paid, payment)
}

/// `invoice.payment_failed`.
pub(super) fn failed<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    event
        .object::<Invoice<'_>>()?
        .draft(event, InvoiceState::Failed, None)
}

/// `invoice.payment_action_required`.
pub(super) fn action_required<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    event
        .object::<Invoice<'_>>()?
        .draft(event, InvoiceState::ActionRequired, None)
}

/// `invoice.marked_uncollectible`.
pub(super) fn uncollectible<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    event
        .object::<Invoice<'_>>()?
        .draft(event, InvoiceState::Uncollectible, None)
}

/// `invoice.voided`.
pub(super) fn voided<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    event
        .object::<Invoice<'_>>()?
        .draft(event, InvoiceState::Voided, None)
}

/// `invoice_payment.paid`: since 2025-03-31 the only event that names an invoice and its
/// payment together. It names no customer.
pub(super) fn payment<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let link: InvoicePayment = event.object()?;
    let invoice = Some(&link.invoice.0);
    let intent = id(&link.payment.payment_intent);
    let charge = id(&link.payment.charge);
    let mut draft = event.draft_by_reference(None, &[intent, charge, invoice])?;
    draft.add_references(&[invoice, intent, charge]);
    match &*link.payment.kind {
        "payment_intent" | "charge" if intent.or(charge).is_some() => {
            draft.add_fact(Fact::SamePayment {
                ids: ids(&[invoice, intent, charge]),
            });
        }
        "payment_intent" | "charge" => return Err(UnclearValue::missing("data.object.payment")),
        // Paid beside Stripe: there is no payment of Stripe's to link.
        "payment_record" => {}
        other => {
            return Err(UnclearValue::unknown_word(
                "data.object.payment.type",
                other,
            ));
        }
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Invoice<'a> {
    id: ObjectRef,
    #[serde(default)]
    customer: Option<ObjectRef>,
    #[serde(default)]
    customer_email: Option<Arc<str>>,
    #[serde(default)]
    customer_name: Option<Arc<str>>,
    #[serde(default)]
    customer_address: Option<AddressCountry>,
    currency: Arc<str>,
    amount_due: i64,
    #[serde(default)]
    amount_remaining: Option<i64>,
    #[serde(default)]
    amount_paid: i64,
    #[serde(default)]
    total: Option<i64>,
    #[serde(default)]
    total_excluding_tax: Option<i64>,
    // The tax until 2025-03-31, and its parts before and since.
    #[serde(default)]
    tax: Option<i64>,
    #[serde(default)]
    total_tax_amounts: Option<Vec<Tax>>,
    #[serde(default)]
    total_taxes: Option<Vec<Tax>>,
    #[serde(default)]
    attempt_count: u32,
    #[serde(default)]
    next_payment_attempt: Option<UnixSeconds>,
    #[serde(default)]
    auto_advance: Option<bool>,
    #[serde(default)]
    status_transitions: Option<Transitions>,
    // Until 2025-03-31; since then under `parent`, and not at all.
    #[serde(default)]
    subscription: Option<ObjectRef>,
    #[serde(default)]
    charge: Option<ObjectRef>,
    #[serde(default)]
    payment_intent: Option<ObjectRef>,
    #[serde(borrow, default)]
    parent: Option<Parent<'a>>,
    #[serde(borrow, default)]
    subscription_details: Option<SubscriptionDetails<'a>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(default)]
    discount: Option<Discount>,
    #[serde(default)]
    discounts: Option<Vec<Expandable<Discount>>>,
}

#[derive(Deserialize)]
struct Tax {
    amount: i64,
}

#[derive(Deserialize)]
struct Transitions {
    #[serde(default)]
    paid_at: Option<UnixSeconds>,
}

#[derive(Deserialize)]
struct Parent<'a> {
    #[serde(borrow, default)]
    subscription_details: Option<SubscriptionDetails<'a>>,
}

#[derive(Deserialize)]
struct SubscriptionDetails<'a> {
    #[serde(default)]
    subscription: Option<ObjectRef>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct InvoicePayment {
    invoice: ObjectRef,
    payment: InvoicePaymentSource,
}

#[derive(Deserialize)]
struct InvoicePaymentSource {
    #[serde(rename = "type")]
    kind: Arc<str>,
    #[serde(default)]
    payment_intent: Option<ObjectRef>,
    #[serde(default)]
    charge: Option<ObjectRef>,
}

impl<'a> Invoice<'a> {
    fn draft<'e>(
        self,
        event: &StripeEvent<'e>,
        state: InvoiceState,
        payment: Option<PaymentSnapshot>,
    ) -> Result<NormalizedEventDraft<'e>, UnclearValue> {
        let own = Some(&self.id.0);
        let (charge, intent) = (id(&self.charge), id(&self.payment_intent));
        let subscription = self.subscription();
        let mut draft =
            event.draft_by_reference(id(&self.customer), &[subscription, intent, own])?;
        draft.add_references(&[own, subscription, charge, intent]);
        let paid = match state {
            InvoiceState::Paid => match &payment {
                Some(payment) => Some(payment.paid),
                None => Some(money(0, &self.currency)?),
            },
            InvoiceState::Failed
            | InvoiceState::ActionRequired
            | InvoiceState::Uncollectible
            | InvoiceState::Voided => None,
        };
        if let Some(payment) = payment {
            draft.add_fact(Fact::Payment(payment));
        }
        draft.add_fact(Fact::Invoice(InvoiceSnapshot {
            id: self.id.0.clone(),
            subscription: subscription.cloned(),
            state,
            due: money(
                self.amount_remaining.unwrap_or(self.amount_due),
                &self.currency,
            )?,
            attempts: self.attempt_count,
            next_attempt: self.next_attempt(),
            paid,
        }));
        draft.read_metadata(self.metadata.as_ref());
        for details in self.details() {
            draft.read_metadata(details.metadata.as_ref());
        }
        read_discounts(&mut draft, &discounts(self.discount, self.discounts));
        draft.add_profile(profile(
            self.customer_email,
            self.customer_name,
            self.customer_address,
        ));
        Ok(draft)
    }

    /// Nothing was paid where credit covered all of it, or the invoice was for nothing.
    fn payment(&self, event: &StripeEvent<'_>) -> Result<Option<PaymentSnapshot>, UnclearValue> {
        let paid = not_negative(self.amount_paid, "amount_paid")?;
        if paid == 0 {
            return Ok(None);
        }
        let transitions = self.status_transitions.as_ref();
        Ok(Some(PaymentSnapshot {
            ids: ids(&[Some(&self.id.0), id(&self.charge), id(&self.payment_intent)]),
            source_kind: SourceKind::Invoice,
            paid: money(paid, &self.currency)?,
            tax_minor: self.tax(),
            paid_at: to_timestamp(transitions.and_then(|t| t.paid_at)).unwrap_or(event.created),
            subscription: self.subscription().cloned(),
            unlinked: false,
        }))
    }

    /// The tax within what was paid. Where credit covered a part, Stripe does not say how much
    /// of the rest is tax.
    fn tax(&self) -> Option<i64> {
        if self.total.is_some_and(|total| total != self.amount_paid) {
            return None;
        }
        let excluded = || self.total?.checked_sub(self.total_excluding_tax?);
        let sum = |parts: &Option<Vec<Tax>>| {
            let mut amounts = parts.as_ref()?.iter().map(|part| part.amount);
            amounts.try_fold(0_i64, i64::checked_add)
        };
        excluded()
            .or(self.tax)
            .or_else(|| sum(&self.total_taxes))
            .or_else(|| sum(&self.total_tax_amounts))
            .filter(|tax| (0..=self.amount_paid).contains(tax))
    }

    /// Stripe gives no date to what it collects no more, nor to what it sends as an invoice, nor,
    /// with some retry rules, to what it will date later. Only the first does not advance.
    fn next_attempt(&self) -> NextAttempt {
        match self.next_payment_attempt {
            Some(moment) => NextAttempt::At(moment.0),
            None if self.auto_advance == Some(false) => NextAttempt::NotPlanned,
            None => NextAttempt::Unknown,
        }
    }

    fn subscription(&self) -> Option<&ObjectId> {
        id(&self.subscription)
            .or_else(|| self.details().find_map(|details| id(&details.subscription)))
    }

    fn details(&self) -> impl Iterator<Item = &SubscriptionDetails<'a>> {
        let parent = self.parent.as_ref();
        parent
            .and_then(|parent| parent.subscription_details.as_ref())
            .into_iter()
            .chain(self.subscription_details.as_ref())
    }
}
