//! `payment.*`, `refund.*`, `dispute.*`: money that came, did not come, or goes back.

use crate::draft::{
    NormalizedEventDraft, ids, money, not_negative, profile, purchased, stated_amount,
};
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Part, Rfc3339Time, UnclearValue, id, to_timestamp};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::money::{Money, StatedAmount};
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot,
    RefundSnapshot, RefundState, SourceKind,
};
use serde::Deserialize;
use std::sync::Arc;

/// `payment.succeeded`. Without a customer it is a guest's, whose partition is the payment.
pub(super) fn paid<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let payment: Payment<'_> = event.data()?;
    let own = Some(&payment.payment.0);
    let (invoice, subscription) = (id(&payment.invoice), id(&payment.subscription));
    let mut draft = event.draft(id(&payment.customer).or(own), &[])?;
    draft.add_references(&[own, invoice, subscription]);
    if let Some(customer) = id(&payment.customer) {
        draft.add_shop_reference(customer.as_str());
    }
    draft.read_metadata(payment.metadata.as_ref().readable());
    if let Some(fingerprint) = payment.fingerprint.as_ref().readable() {
        draft.add_fingerprint(fingerprint);
    }
    draft.add_profile(profile(
        payment.email.as_ref().readable().cloned(),
        None,
        None,
    ));
    let Some(amount) = draft.readable(amount(payment.amount, &payment.currency)) else {
        return Ok(draft);
    };
    let tax = draft.readable(payment.tax.read("data.tax")).flatten();
    let paid_at = draft.readable(payment.paid_at.read("data.paid_at"));
    let items = draft.readable(payment.items.read("data.items"));
    let items = items.flatten().into_iter().flatten();
    let bought = items.map(|item| (item.price, item.quantity));
    if amount.minor > 0 {
        let tax = tax.filter(|tax| (0..=amount.minor).contains(tax));
        draft.add_fact(Fact::Payment(PaymentSnapshot {
            // The first id names the source itself: each part of an invoice is one.
            ids: ids(&[own, invoice]),
            source_kind: if invoice.is_some() {
                SourceKind::Invoice
            } else {
                SourceKind::Charge
            },
            paid: amount,
            tax_minor: tax,
            paid_at: to_timestamp(paid_at.flatten()).unwrap_or(event.at),
            subscription: subscription.cloned(),
            unlinked: false,
            purchased: purchased(bought),
        }));
    }
    if let Some(invoice) = invoice {
        draft.add_fact(Fact::Invoice(InvoiceSnapshot {
            id: invoice.clone(),
            subscription: subscription.cloned(),
            state: InvoiceState::Paid,
            due: Money { minor: 0, ..amount },
            attempts: 0,
            next_attempt: NextAttempt::Unknown,
            paid: Some(amount),
        }));
    }
    Ok(draft)
}

/// `payment.failed`, `payment.action_required`, `payment.abandoned`, `payment.voided`: what was
/// owed and did not come.
pub(super) fn failed<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let payment: UnpaidPayment = event.data()?;
    let own = Some(&payment.invoice.0);
    let subscription = id(&payment.subscription);
    let mut draft = event.draft(id(&payment.customer), &[subscription, own])?;
    draft.add_references(&[own, subscription]);
    let attempts = draft.readable(payment.attempts.read("data.attempts"));
    draft.readable(payment.next_attempt_at.read("data.next_attempt_at"));
    if let Some(due) = draft.readable(amount(payment.amount, &payment.currency)) {
        draft.add_fact(Fact::Invoice(InvoiceSnapshot {
            id: payment.invoice.0.clone(),
            subscription: subscription.cloned(),
            state: match event.kind {
                "payment.action_required" => InvoiceState::ActionRequired,
                "payment.abandoned" => InvoiceState::Uncollectible,
                "payment.voided" => InvoiceState::Voided,
                _ => InvoiceState::Failed,
            },
            due,
            attempts: attempts.flatten().unwrap_or(0),
            next_attempt: match payment.next_attempt_at.stated() {
                Some(Some(at)) => NextAttempt::At(at.0),
                Some(None) => NextAttempt::NotPlanned,
                None => NextAttempt::Unknown,
            },
            paid: None,
        }));
    }
    Ok(draft)
}

/// `refund.*`: one refund as it is now.
pub(super) fn refund<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let refund: Refund = event.data()?;
    let payment = Some(&refund.payment.0);
    let mut draft = event.draft(id(&refund.customer), &[payment])?;
    draft.add_references(&[payment]);
    let state = draft.readable(refund.state());
    let amount = draft.readable(stated(refund.amount, &refund.currency));
    let tax = draft.readable(refund.tax.read("data.tax")).flatten();
    let created_at = draft.readable(refund.created_at.read("data.created_at"));
    if let (Some(state), Some(amount)) = (state, amount) {
        draft.add_fact(Fact::Refund(RefundSnapshot {
            id: refund.refund.0.clone(),
            payment: ids(&[payment]),
            amount,
            tax_minor: tax.filter(|tax| (0..=amount.minor).contains(tax)),
            state,
            created_at: to_timestamp(created_at.flatten()).unwrap_or(event.at),
        }));
    }
    Ok(draft)
}

/// `dispute.*`: one dispute as it is now.
pub(super) fn dispute<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let dispute: Dispute = event.data()?;
    let payment = Some(&dispute.payment.0);
    let mut draft = event.draft(id(&dispute.customer), &[payment])?;
    draft.add_references(&[payment]);
    let state = draft.readable(dispute.state());
    let amount = draft.readable(stated(dispute.amount, &dispute.currency));
    if let (Some(state), Some(amount)) = (state, amount) {
        draft.add_fact(Fact::Dispute(DisputeSnapshot {
            id: dispute.dispute.0.clone(),
            payment: ids(&[payment]),
            amount,
            state,
        }));
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Payment<'a> {
    payment: Id,
    #[serde(default)]
    amount: Part<i64>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    #[serde(default)]
    customer: Option<Id>,
    #[serde(default)]
    invoice: Option<Id>,
    #[serde(default)]
    subscription: Option<Id>,
    #[serde(default)]
    tax: Part<i64>,
    #[serde(default)]
    paid_at: Part<Rfc3339Time>,
    #[serde(default)]
    email: Part<Arc<str>>,
    #[serde(default)]
    items: Part<Vec<PaymentItem>>,
    #[serde(default)]
    fingerprint: Part<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
}

/// Something bought once.
#[derive(Deserialize)]
struct PaymentItem {
    price: PriceId,
    #[serde(default)]
    quantity: Option<u64>,
}

#[derive(Deserialize)]
struct UnpaidPayment {
    invoice: Id,
    #[serde(default)]
    amount: Part<i64>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    #[serde(default)]
    customer: Option<Id>,
    #[serde(default)]
    subscription: Option<Id>,
    #[serde(default)]
    attempts: Part<u32>,
    #[serde(default)]
    next_attempt_at: Part<Rfc3339Time>,
}

#[derive(Deserialize)]
struct Refund {
    refund: Id,
    payment: Id,
    #[serde(default)]
    amount: Part<i64>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    #[serde(default)]
    tax: Part<i64>,
    #[serde(default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    customer: Option<Id>,
    #[serde(default)]
    created_at: Part<Rfc3339Time>,
}

#[derive(Deserialize)]
struct Dispute {
    dispute: Id,
    payment: Id,
    #[serde(default)]
    amount: Part<i64>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    #[serde(default)]
    status: Part<Arc<str>>,
    #[serde(default)]
    customer: Option<Id>,
}

impl Refund {
    fn state(&self) -> Result<RefundState, UnclearValue> {
        match &**self.status.as_ref().require(STATUS)? {
            "pending" => Ok(RefundState::Pending),
            "succeeded" => Ok(RefundState::Succeeded),
            "failed" => Ok(RefundState::Failed),
            other => Err(UnclearValue::unknown_word(STATUS, other)),
        }
    }
}

impl Dispute {
    fn state(&self) -> Result<DisputeState, UnclearValue> {
        match &**self.status.as_ref().require(STATUS)? {
            "inquiry" => Ok(DisputeState::Inquiry),
            "inquiry_closed" => Ok(DisputeState::InquiryClosed),
            "open" => Ok(DisputeState::Open),
            "closed" => Ok(DisputeState::Closed),
            "won" => Ok(DisputeState::Won),
            "lost" => Ok(DisputeState::Lost),
            other => Err(UnclearValue::unknown_word(STATUS, other)),
        }
    }
}

fn amount(minor: Part<i64>, code: &Part<Arc<str>>) -> Result<Money, UnclearValue> {
    let minor = not_negative(minor.require(AMOUNT)?, AMOUNT)?;
    money(minor, code.as_ref().require(CURRENCY)?, CURRENCY, EXPONENTS)
}

/// What is part of a payment may leave out its currency.
fn stated(minor: Part<i64>, code: &Part<Arc<str>>) -> Result<StatedAmount, UnclearValue> {
    let minor = not_negative(minor.require(AMOUNT)?, AMOUNT)?;
    let code = code.as_ref().read(CURRENCY)?;
    stated_amount(minor, code.map(|code| &**code), CURRENCY, EXPONENTS)
}

const AMOUNT: &str = "data.amount";
const CURRENCY: &str = "data.currency";
const STATUS: &str = "data.status";
/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
