//! `order.*` and `refund.*`: what was billed, what came of it, and what goes back.

use super::customer::{Customer, Discount, read_codes};
use crate::draft::{NormalizedEventDraft, ids, money, not_negative, purchased, stated_amount};
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Part, Rfc3339Time, UnclearValue, id, to_timestamp};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::money::{Money, StatedAmount};
use domain::payment::snapshot::{
    InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot, PurchasedPrice, RefundSnapshot,
    RefundState, SourceKind,
};
use serde::Deserialize;
use std::sync::Arc;

/// An order as it is now; its status says what it tells, not what the event is called.
pub(super) fn snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let order: Order<'_> = event.data()?;
    let own = Some(&order.id.0);
    let mut draft = event.draft(Some(&order.customer_id.0), &[])?;
    draft.add_references(&[own, id(&order.subscription_id)]);
    order.add_to(&mut draft, event);
    draft.read_metadata(order.metadata.as_ref().readable());
    let fields = order.custom_field_data.as_ref().readable();
    read_codes(&mut draft, order.discount.as_ref().readable(), fields);
    if let Some(customer) = order.customer.readable() {
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
    let state = draft.readable(refund.state());
    let tax = draft.readable(refund.tax_amount.require("data.tax_amount"));
    let amount = draft.readable(refund.amount());
    let created_at = draft.readable(refund.created_at.read("data.created_at"));
    let created_at = to_timestamp(created_at.flatten()).unwrap_or(event.at);
    if let (Some(state), Some(amount)) = (state, amount) {
        draft.add_fact(Fact::Refund(RefundSnapshot {
            id: refund.id.0.clone(),
            payment: ids(&[order]),
            amount,
            tax_minor: tax.filter(|tax| (0..=amount.minor).contains(tax)),
            state,
            created_at,
        }));
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Order<'a> {
    id: Id,
    customer_id: Id,
    #[serde(default)]
    subscription_id: Option<Id>,
    #[serde(default)]
    status: Part<Arc<str>>,
    created_at: Rfc3339Time,
    #[serde(default)]
    currency: Part<Arc<str>>,
    #[serde(default)]
    total_amount: Part<i64>,
    #[serde(default)]
    tax_amount: Part<i64>,
    // What is taken off the total or added to it by the customer's balance.
    #[serde(default)]
    applied_balance_amount: Part<i64>,
    // What is left of the total then.
    #[serde(default)]
    due_amount: Part<i64>,
    #[serde(default)]
    refunded_amount: Part<i64>,
    #[serde(default)]
    refunded_tax_amount: Part<i64>,
    #[serde(default)]
    next_payment_attempt_at: Part<Rfc3339Time>,
    #[serde(default)]
    items: Part<Vec<OrderItem>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    #[serde(default)]
    discount: Part<Discount>,
    #[serde(borrow, default)]
    custom_field_data: Part<Metadata<'a>>,
    #[serde(borrow, default)]
    customer: Part<Customer<'a>>,
}

/// A line of an order; how many of it is not said.
#[derive(Deserialize)]
struct OrderItem {
    #[serde(default)]
    product_price_id: Option<PriceId>,
}

#[derive(Deserialize)]
struct Refund {
    id: Id,
    order_id: Id,
    customer_id: Id,
    #[serde(default)]
    subscription_id: Option<Id>,
    #[serde(default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    amount: Part<i64>,
    #[serde(default)]
    tax_amount: Part<i64>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    #[serde(default)]
    created_at: Part<Rfc3339Time>,
}

impl Order<'_> {
    fn add_to(&self, draft: &mut NormalizedEventDraft<'_>, event: &Event<'_>) {
        let place = "data.status";
        let Some(status) = draft.readable(self.status.as_ref().require(place)) else {
            return;
        };
        let Some(due) = draft.readable(self.due()) else {
            return;
        };
        let next = self.next_payment_attempt_at;
        let next = draft.readable(next.read("data.next_payment_attempt_at"));
        let next_attempt_at = to_timestamp(next.flatten());
        let invoice = |state, paid| {
            Fact::Invoice(InvoiceSnapshot {
                id: self.id.0.clone(),
                subscription: id(&self.subscription_id).cloned(),
                state,
                due,
                attempts: 0,
                next_attempt: NextAttempt::at(next_attempt_at),
                paid,
            })
        };
        match &**status {
            "draft" => {}
            // Every order is pending for a moment; one that has a next attempt has failed.
            "pending" if next_attempt_at.is_none() => {}
            "pending" => draft.add_fact(invoice(InvoiceState::Failed, None)),
            "void" => draft.add_fact(invoice(InvoiceState::Voided, None)),
            "paid" | "refunded" | "partially_refunded" => {
                let arrived = draft.readable(self.arrived(due));
                let paid = arrived.unwrap_or(due);
                if paid.minor > 0 {
                    let payment = self.payment(event, paid, draft);
                    draft.add_fact(Fact::Payment(payment));
                }
                let said = arrived.or(Some(due).filter(|due| due.minor > 0));
                draft.add_fact(invoice(InvoiceState::Paid, said));
                let refunded = draft.readable(self.refunded(paid)).flatten();
                draft.facts.extend(refunded);
            }
            other => draft.add_unclear(UnclearValue::unknown_word(place, other)),
        }
    }

    fn payment(
        &self,
        event: &Event<'_>,
        paid: Money,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> PaymentSnapshot {
        // Where a balance covered a part, nobody says how much of the rest is tax.
        let whole = self.total_amount.readable() == Some(paid.minor);
        let tax = draft.readable(self.tax_amount.read("data.tax_amount"));
        let tax = tax.flatten().filter(|tax| (0..=paid.minor).contains(tax));
        // Only `order.paid` says when; all others, told again at every refund, that it was.
        let (source_kind, paid_at) = match event.kind {
            "order.paid" => (SourceKind::Invoice, event.at),
            _ => (SourceKind::Charge, self.created_at.0),
        };
        PaymentSnapshot {
            ids: ids(&[Some(&self.id.0)]),
            source_kind,
            paid,
            tax_minor: tax.filter(|_| whole),
            paid_at,
            subscription: id(&self.subscription_id).cloned(),
            unlinked: false,
            purchased: self.purchased(draft),
        }
    }

    /// What was bought once. A subscription's orders are for its items.
    fn purchased(&self, draft: &mut NormalizedEventDraft<'_>) -> Vec<PurchasedPrice> {
        if self.subscription_id.is_some() {
            return Vec::new();
        }
        let items = draft.readable(self.items.as_ref().read("data.items"));
        let prices = items.flatten().into_iter().flatten();
        let prices = prices.filter_map(|item| item.product_price_id.clone());
        purchased(prices.map(|price| (price, None)))
    }

    /// What was to be paid: the total, until Polar said what is left of it.
    fn due(&self) -> Result<Money, UnclearValue> {
        let place = "data.due_amount";
        let minor = match self.due_amount.read(place)? {
            Some(due) => due,
            None => self.total_amount.require("data.total_amount")?,
        };
        self.money(not_negative(minor, place)?)
    }

    /// What arrived of a paid order. Where nothing is due any more although its total and balance
    /// come to something, it is what they come to; without either nobody knows what that is.
    fn arrived(&self, due: Money) -> Result<Money, UnclearValue> {
        let place = "data.applied_balance_amount";
        let total = self.total_amount.read("data.total_amount")?;
        let balance = self.applied_balance_amount.read(place)?;
        let (total, balance) = match (total, balance) {
            (Some(total), Some(balance)) => (total, balance),
            (Some(0), None) => return Ok(due),
            (Some(_), None) if due.minor == 0 => return Err(UnclearValue::missing(place)),
            (None, _) if due.minor == 0 => return Err(UnclearValue::missing("data.total_amount")),
            (Some(_), None) | (None, _) => return Ok(due),
        };
        let charged = total.saturating_add(balance).max(0);
        if due.minor != 0 && due.minor != charged {
            let what = "`data.due_amount` is not what total and balance come to";
            return Err(UnclearValue(what.into()));
        }
        Ok(Money {
            minor: charged,
            ..due
        })
    }

    /// What went back so far, tax included. An amount without its tax is not all of it.
    fn refunded(&self, paid: Money) -> Result<Option<Fact>, UnclearValue> {
        let place = "data.refunded_amount";
        let net = self.refunded_amount.read(place)?;
        let tax = self.refunded_tax_amount.read("data.refunded_tax_amount")?;
        let (net, tax) = match (net, tax) {
            (None | Some(0), None) => return Ok(None),
            (Some(_), None) => return Err(UnclearValue::missing("data.refunded_tax_amount")),
            (None, Some(_)) => return Err(UnclearValue::missing(place)),
            (Some(net), Some(tax)) => (net, tax),
        };
        let minor = sum(net, tax, place)?;
        let amount = Money { minor, ..paid };
        Ok((minor > 0).then(|| Fact::CumulativeRefund {
            ids: ids(&[Some(&self.id.0)]),
            amount: amount.into(),
            released_minor: 0,
        }))
    }

    fn money(&self, minor: i64) -> Result<Money, UnclearValue> {
        let place = "data.currency";
        let code = self.currency.as_ref().require(place)?;
        money(minor, code, place, EXPONENTS)
    }
}

impl Refund {
    /// What goes back: the amount and its tax.
    fn amount(&self) -> Result<StatedAmount, UnclearValue> {
        let place = "data.amount";
        let tax = self.tax_amount.require("data.tax_amount")?;
        let minor = sum(self.amount.require(place)?, tax, place)?;
        let place = "data.currency";
        let code = self.currency.as_ref().read(place)?;
        stated_amount(minor, code.map(|code| &**code), place, EXPONENTS)
    }

    fn state(&self) -> Result<RefundState, UnclearValue> {
        let place = "data.status";
        match &**self.status.as_ref().require(place)? {
            "pending" => Ok(RefundState::Pending),
            "succeeded" => Ok(RefundState::Succeeded),
            "failed" | "canceled" => Ok(RefundState::Failed),
            other => Err(UnclearValue::unknown_word(place, other)),
        }
    }
}

/// An amount with its tax.
fn sum(net: i64, tax: i64, place: &str) -> Result<i64, UnclearValue> {
    let both = net.checked_add(tax);
    let both = both.ok_or_else(|| UnclearValue(format!("`{place}` is no amount")))?;
    not_negative(both, place)
}

/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
