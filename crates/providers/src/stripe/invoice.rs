//! `invoice.*` and `invoice_payment.paid`: what was billed, what came of it, and who paid it.

use super::facts::{
    Discount, StripeEvent, discounts, money, not_negative, profile, read_discounts,
};
use super::invoice_line::InvoiceLine;
use super::wire::{Expandable, List, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids, purchased};
use crate::wire::{
    AddressCountry, Metadata, Part, UnclearValue, UnixSeconds, present, to_timestamp,
};
use domain::event::Fact;
use domain::ids::ObjectId;
use domain::money::rounded;
use domain::payment::snapshot::{
    InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot, PurchasedPrice, SourceKind,
};
use serde::Deserialize;
use std::sync::Arc;

/// `invoice.paid`, `invoice.payment_succeeded`: both tell of the same money.
pub(super) fn paid<'a>(event: &StripeEvent<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    event
        .object::<Invoice<'_>>()?
        .draft(event, InvoiceState::Paid)
}

/// `invoice.payment_failed`.
pub(super) fn failed<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    event
        .object::<Invoice<'_>>()?
        .draft(event, InvoiceState::Failed)
}

/// `invoice.payment_action_required`.
pub(super) fn action_required<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    event
        .object::<Invoice<'_>>()?
        .draft(event, InvoiceState::ActionRequired)
}

/// `invoice.marked_uncollectible`.
pub(super) fn uncollectible<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    event
        .object::<Invoice<'_>>()?
        .draft(event, InvoiceState::Uncollectible)
}

/// `invoice.voided`.
pub(super) fn voided<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    event
        .object::<Invoice<'_>>()?
        .draft(event, InvoiceState::Voided)
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
    customer_email: Part<Arc<str>>,
    #[serde(default)]
    customer_name: Part<Arc<str>>,
    #[serde(default)]
    customer_address: Part<AddressCountry>,
    currency: Arc<str>,
    #[serde(default)]
    amount_due: Option<i64>,
    #[serde(default)]
    amount_remaining: Option<i64>,
    // The oldest have none, and only say that they are paid.
    #[serde(default)]
    amount_paid: Option<i64>,
    #[serde(default)]
    paid: Option<bool>,
    #[serde(default)]
    paid_out_of_band: Option<bool>,
    #[serde(default)]
    total: Option<i64>,
    #[serde(default)]
    total_excluding_tax: Option<i64>,
    // The tax until 2025-03-31, and its parts before and since.
    #[serde(default)]
    tax: Option<i64>,
    #[serde(default)]
    total_tax_amounts: Part<Vec<Tax>>,
    #[serde(default)]
    total_taxes: Part<Vec<Tax>>,
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
    #[serde(default, deserialize_with = "present")]
    charge: Option<Option<ObjectRef>>,
    #[serde(default, deserialize_with = "present")]
    payment_intent: Option<Option<ObjectRef>>,
    // Since then, where it is expanded.
    #[serde(default)]
    payments: Part<List<ListedPayment>>,
    // The first ten.
    #[serde(default)]
    lines: Part<List<InvoiceLine>>,
    #[serde(borrow, default)]
    parent: Option<Parent<'a>>,
    #[serde(borrow, default)]
    subscription_details: Option<SubscriptionDetails<'a>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    #[serde(default)]
    discount: Part<Discount>,
    #[serde(default)]
    discounts: Part<Vec<Expandable<Discount>>>,
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
struct ListedPayment {
    payment: InvoicePaymentSource,
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

/// The id in a field that may be null or missing.
fn named(field: &Option<Option<ObjectRef>>) -> Option<&ObjectId> {
    field.as_ref().and_then(id)
}

impl<'a> Invoice<'a> {
    fn draft<'e>(
        self,
        event: &StripeEvent<'e>,
        state: InvoiceState,
    ) -> Result<NormalizedEventDraft<'e>, UnclearValue> {
        let own = Some(&self.id.0);
        let (charge, intent) = (named(&self.charge), named(&self.payment_intent));
        let subscription = self.subscription();
        let mut draft =
            event.draft_by_reference(id(&self.customer), &[subscription, intent, own])?;
        draft.add_references(&[own, subscription, charge, intent]);
        if state == InvoiceState::Paid {
            let bought = self.purchased(&mut draft);
            let payment = self.payment(event, bought);
            if let Some(payment) = draft.readable(payment).flatten() {
                draft.add_fact(Fact::Payment(payment));
            }
        }
        if let Some(snapshot) = draft.readable(self.snapshot(state)) {
            draft.add_fact(Fact::Invoice(snapshot));
        }
        for details in self.details() {
            draft.read_metadata(details.metadata.as_ref());
        }
        let metadata = draft.readable(self.metadata.read("data.object.metadata"));
        draft.read_metadata(metadata.flatten().as_ref());
        let discount = draft.readable(self.discount.read("data.object.discount"));
        let listed = draft.readable(self.discounts.read("data.object.discounts"));
        read_discounts(&mut draft, &discounts(discount.flatten(), listed.flatten()));
        let email = draft.readable(self.customer_email.read("data.object.customer_email"));
        let name = draft.readable(self.customer_name.read("data.object.customer_name"));
        let address = draft.readable(self.customer_address.read("data.object.customer_address"));
        draft.add_profile(profile(email.flatten(), name.flatten(), address.flatten()));
        Ok(draft)
    }

    fn snapshot(&self, state: InvoiceState) -> Result<InvoiceSnapshot, UnclearValue> {
        // A credit is never due: it would be added up as money that failed to come.
        let due = self.amount_remaining.or(self.amount_due);
        let due = due.map(|due| due.max(0));
        let absent = || UnclearValue::missing("data.object.amount_due");
        Ok(InvoiceSnapshot {
            id: self.id.0.clone(),
            subscription: self.subscription().cloned(),
            state,
            due: money(due.ok_or_else(absent)?, &self.currency)?,
            attempts: self.attempt_count,
            next_attempt: self.next_attempt(),
            paid: match (state, self.amount_paid()) {
                (InvoiceState::Paid, Ok(paid)) => Some(money(paid, &self.currency)?),
                (_, Ok(_) | Err(_)) => None,
            },
        })
    }

    /// What was paid. The oldest invoices do not say it: once they are paid, it is what was due.
    fn amount_paid(&self) -> Result<i64, UnclearValue> {
        let due = self.amount_due.filter(|_| self.paid == Some(true));
        let absent = || UnclearValue::missing("data.object.amount_paid");
        not_negative(self.amount_paid.or(due).ok_or_else(absent)?, "amount_paid")
    }

    /// Nothing was paid where credit covered all of it, or the invoice was for nothing.
    fn payment(
        &self,
        event: &StripeEvent<'_>,
        purchased: Vec<PurchasedPrice>,
    ) -> Result<Option<PaymentSnapshot>, UnclearValue> {
        let paid = self.amount_paid()?;
        if paid == 0 {
            return Ok(None);
        }
        let transitions = self.status_transitions.as_ref();
        let (charge, intent) = (named(&self.charge), named(&self.payment_intent));
        let mut ids = ids(&[Some(&self.id.0), charge, intent]);
        let listed = self.payments.as_ref().readable().map(|list| &list.data);
        for payment in listed.into_iter().flatten() {
            let InvoicePaymentSource {
                payment_intent,
                charge,
                ..
            } = &payment.payment;
            ids.extend(
                [id(payment_intent), id(charge)]
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        // Since 2025-03-31 it does not say who paid it. Before, null says that no charge did.
        let is_silent = self.charge.is_none() && self.payment_intent.is_none();
        Ok(Some(PaymentSnapshot {
            unlinked: is_silent && ids.len() == 1 && self.paid_out_of_band != Some(true),
            ids,
            source_kind: SourceKind::Invoice,
            paid: money(paid, &self.currency)?,
            tax_minor: self.tax(paid),
            paid_at: to_timestamp(transitions.and_then(|t| t.paid_at)).unwrap_or(event.created),
            subscription: self.subscription().cloned(),
            purchased,
        }))
    }

    /// What was bought once, alone or beside a subscription.
    fn purchased(&self, draft: &mut NormalizedEventDraft<'_>) -> Vec<PurchasedPrice> {
        let lines = draft.readable(self.lines.as_ref().read("data.object.lines"));
        let lines = lines.flatten().into_iter().flat_map(|list| &list.data);
        purchased(lines.filter_map(InvoiceLine::purchased))
    }

    /// The tax within what was paid. Where credit covered a part, it is the same part of the tax.
    fn tax(&self, paid: i64) -> Option<i64> {
        let whole = self.total.unwrap_or(paid);
        if whole < paid {
            return None;
        }
        let excluded = || self.total?.checked_sub(self.total_excluding_tax?);
        let sum = |parts: &Part<Vec<Tax>>| {
            let mut amounts = parts.as_ref().readable()?.iter().map(|part| part.amount);
            amounts.try_fold(0_i64, i64::checked_add)
        };
        excluded()
            .or(self.tax)
            .or_else(|| sum(&self.total_taxes))
            .or_else(|| sum(&self.total_tax_amounts))
            .filter(|tax| (0..=whole).contains(tax))
            .and_then(|tax| {
                let part = i128::from(tax).checked_mul(paid.into())?;
                rounded(part, whole.into())
            })
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
