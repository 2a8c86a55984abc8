//! `order.*` and `refund.*`: what was billed, what came of it, and what goes back.

use super::customer::{Customer, Discount, read_codes};
use crate::draft::{NormalizedEventDraft, ids, money, not_negative, stated_amount};
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Rfc3339Time, UnclearValue, id, to_timestamp};
use domain::event::Fact;
use domain::money::Money;
use domain::payment::snapshot::{
    InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot, RefundSnapshot, RefundState,
    SourceKind,
};
use serde::Deserialize;
use std::sync::Arc;

/// An order as it is now; its status says what it tells, not what the event is called.
pub(super) fn snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let order: Order<'_> = event.data()?;
    let own = Some(&order.id.0);
    let subscription = id(&order.subscription_id);
    let mut draft = event.draft(Some(&order.customer_id.0), &[])?;
    draft.add_references(&[own, subscription]);
    let due = order.amount(order.due_amount.unwrap_or(order.total_amount), "due_amount")?;
    let invoice = |state| InvoiceSnapshot {
        id: order.id.0.clone(),
        subscription: subscription.cloned(),
        state,
        due,
        attempts: 0,
        next_attempt: NextAttempt::at(to_timestamp(order.next_payment_attempt_at)),
        paid: (state == InvoiceState::Paid).then_some(due),
    };
    match &*order.status {
        "draft" => {}
        // Every order is pending for a moment; one that has a next attempt has failed.
        "pending" if order.next_payment_attempt_at.is_none() => {}
        "pending" => draft.add_fact(Fact::Invoice(invoice(InvoiceState::Failed))),
        "void" => draft.add_fact(Fact::Invoice(invoice(InvoiceState::Voided))),
        "paid" | "refunded" | "partially_refunded" => {
            if due.minor > 0 {
                draft.add_fact(Fact::Payment(order.payment(event, due)));
            }
            draft.add_fact(Fact::Invoice(invoice(InvoiceState::Paid)));
            let back = not_negative(order.refunded(), "data.refunded_amount")?;
            if back > 0 {
                let ids = ids(&[own]);
                let amount = order.amount(back, "refunded_amount")?.into();
                draft.add_fact(Fact::CumulativeRefund {
                    ids,
                    amount,
                    released_minor: 0,
                });
            }
        }
        other => return Err(UnclearValue::unknown_word("data.status", other)),
    }
    draft.read_metadata(order.metadata.as_ref());
    let fields = order.custom_field_data.as_ref();
    read_codes(&mut draft, order.discount.as_ref(), fields);
    if let Some(customer) = order.customer {
        customer.describe(&mut draft, false);
    }
    Ok(draft)
}

/// `refund.*`: one refund as it is now.
pub(super) fn refund<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let refund: Refund = event.data()?;
    let order = Some(&refund.order_id.0);
    let mut draft = event.draft(Some(&refund.customer_id.0), &[])?;
    draft.add_references(&[order, id(&refund.subscription_id)]);
    let both = refund.amount.checked_add(refund.tax_amount);
    let both = both.ok_or_else(|| UnclearValue("`data.amount` is no amount".into()))?;
    let both = not_negative(both, "data.amount")?;
    let code = refund.currency.as_deref();
    draft.add_fact(Fact::Refund(RefundSnapshot {
        id: refund.id.0.clone(),
        payment: ids(&[order]),
        amount: stated_amount(both, code, "data.currency", EXPONENTS)?,
        tax_minor: Some(refund.tax_amount),
        state: match &*refund.status {
            "pending" => RefundState::Pending,
            "succeeded" => RefundState::Succeeded,
            "failed" | "canceled" => RefundState::Failed,
            other => return Err(UnclearValue::unknown_word("data.status", other)),
        },
        created_at: refund.created_at.0,
    }));
    Ok(draft)
}

#[derive(Deserialize)]
struct Order<'a> {
    id: Id,
    customer_id: Id,
    #[serde(default)]
    subscription_id: Option<Id>,
    status: Arc<str>,
    created_at: Rfc3339Time,
    currency: Arc<str>,
    total_amount: i64,
    tax_amount: i64,
    // What is left of the total once the customer's balance is taken off or added.
    #[serde(default)]
    due_amount: Option<i64>,
    #[serde(default)]
    refunded_amount: i64,
    #[serde(default)]
    refunded_tax_amount: i64,
    #[serde(default)]
    next_payment_attempt_at: Option<Rfc3339Time>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(default)]
    discount: Option<Discount>,
    #[serde(borrow, default)]
    custom_field_data: Option<Metadata<'a>>,
    #[serde(borrow, default)]
    customer: Option<Customer<'a>>,
}

#[derive(Deserialize)]
struct Refund {
    id: Id,
    order_id: Id,
    customer_id: Id,
    #[serde(default)]
    subscription_id: Option<Id>,
    status: Arc<str>,
    amount: i64,
    tax_amount: i64,
    #[serde(default)]
    currency: Option<Arc<str>>,
    created_at: Rfc3339Time,
}

impl Order<'_> {
    fn payment(&self, event: &Event<'_>, paid: Money) -> PaymentSnapshot {
        // Where a balance covered a part, nobody says how much of the rest is tax.
        let whole = paid.minor == self.total_amount;
        let is_valid = (0..=paid.minor).contains(&self.tax_amount);
        // Only `order.paid` says when; all others, told again at every refund, that it was.
        let (source_kind, paid_at) = match event.kind {
            "order.paid" => (SourceKind::Invoice, event.at),
            _ => (SourceKind::Charge, self.created_at.0),
        };
        PaymentSnapshot {
            ids: ids(&[Some(&self.id.0)]),
            source_kind,
            paid,
            tax_minor: (whole && is_valid).then_some(self.tax_amount),
            paid_at,
            subscription: id(&self.subscription_id).cloned(),
            unlinked: false,
        }
    }

    fn refunded(&self) -> i64 {
        self.refunded_amount
            .saturating_add(self.refunded_tax_amount)
    }

    fn amount(&self, minor: i64, field: &str) -> Result<Money, UnclearValue> {
        let minor = not_negative(minor, &format!("data.{field}"))?;
        money(minor, &self.currency, "data.currency", EXPONENTS)
    }
}

/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
