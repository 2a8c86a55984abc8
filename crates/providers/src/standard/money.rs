//! `payment.*`, `refund.*`, `dispute.*`: money that came, did not come, or goes back.

use crate::draft::{NormalizedEventDraft, ids, money, not_negative, profile, stated_amount};
use crate::envelope::Event;
use crate::wire::{Id, Metadata, Rfc3339Time, UnclearValue, id, to_timestamp};
use domain::event::Fact;
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
    let amount = amount(payment.amount, &payment.currency)?;
    if amount.minor > 0 {
        let tax = payment.tax.filter(|tax| (0..=amount.minor).contains(tax));
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
            paid_at: to_timestamp(payment.paid_at).unwrap_or(event.at),
            subscription: subscription.cloned(),
            unlinked: false,
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
    draft.read_metadata(payment.metadata.as_ref());
    if let Some(fingerprint) = &payment.fingerprint {
        draft.add_fingerprint(fingerprint);
    }
    draft.add_profile(profile(payment.email, None, None));
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
    draft.add_fact(Fact::Invoice(InvoiceSnapshot {
        id: payment.invoice.0.clone(),
        subscription: subscription.cloned(),
        state: match event.kind {
            "payment.action_required" => InvoiceState::ActionRequired,
            "payment.abandoned" => InvoiceState::Uncollectible,
            "payment.voided" => InvoiceState::Voided,
            _ => InvoiceState::Failed,
        },
        due: amount(payment.amount, &payment.currency)?,
        attempts: payment.attempts,
        next_attempt: NextAttempt::at(to_timestamp(payment.next_attempt_at)),
        paid: None,
    }));
    Ok(draft)
}

/// `refund.*`: one refund as it is now.
pub(super) fn refund<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let refund: Refund = event.data()?;
    let payment = Some(&refund.payment.0);
    let mut draft = event.draft(id(&refund.customer), &[payment])?;
    draft.add_references(&[payment]);
    draft.add_fact(Fact::Refund(RefundSnapshot {
        id: refund.refund.0.clone(),
        payment: ids(&[payment]),
        amount: stated(refund.amount, refund.currency.as_deref())?,
        tax_minor: None,
        state: match &*refund.status {
            "pending" => RefundState::Pending,
            "succeeded" => RefundState::Succeeded,
            "failed" => RefundState::Failed,
            other => return Err(UnclearValue::unknown_word("data.status", other)),
        },
        created_at: to_timestamp(refund.created_at).unwrap_or(event.at),
    }));
    Ok(draft)
}

/// `dispute.*`: one dispute as it is now.
pub(super) fn dispute<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let dispute: Dispute = event.data()?;
    let payment = Some(&dispute.payment.0);
    let mut draft = event.draft(id(&dispute.customer), &[payment])?;
    draft.add_references(&[payment]);
    draft.add_fact(Fact::Dispute(DisputeSnapshot {
        id: dispute.dispute.0.clone(),
        payment: ids(&[payment]),
        amount: stated(dispute.amount, dispute.currency.as_deref())?,
        state: match &*dispute.status {
            "inquiry" => DisputeState::Inquiry,
            "inquiry_closed" => DisputeState::InquiryClosed,
            "open" => DisputeState::Open,
            "won" => DisputeState::Won,
            "lost" => DisputeState::Lost,
            other => return Err(UnclearValue::unknown_word("data.status", other)),
        },
    }));
    Ok(draft)
}

#[derive(Deserialize)]
struct Payment<'a> {
    payment: Id,
    amount: i64,
    currency: Arc<str>,
    #[serde(default)]
    customer: Option<Id>,
    #[serde(default)]
    invoice: Option<Id>,
    #[serde(default)]
    subscription: Option<Id>,
    #[serde(default)]
    tax: Option<i64>,
    #[serde(default)]
    paid_at: Option<Rfc3339Time>,
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    fingerprint: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct UnpaidPayment {
    invoice: Id,
    amount: i64,
    currency: Arc<str>,
    #[serde(default)]
    customer: Option<Id>,
    #[serde(default)]
    subscription: Option<Id>,
    #[serde(default)]
    attempts: u32,
    #[serde(default)]
    next_attempt_at: Option<Rfc3339Time>,
}

#[derive(Deserialize)]
struct Refund {
    refund: Id,
    payment: Id,
    amount: i64,
    #[serde(default)]
    currency: Option<Arc<str>>,
    status: Arc<str>,
    #[serde(default)]
    customer: Option<Id>,
    #[serde(default)]
    created_at: Option<Rfc3339Time>,
}

#[derive(Deserialize)]
struct Dispute {
    dispute: Id,
    payment: Id,
    amount: i64,
    #[serde(default)]
    currency: Option<Arc<str>>,
    status: Arc<str>,
    #[serde(default)]
    customer: Option<Id>,
}

/// What is part of a payment may leave out its currency.
fn stated(minor: i64, code: Option<&str>) -> Result<StatedAmount, UnclearValue> {
    let minor = not_negative(minor, "data.amount")?;
    stated_amount(minor, code, "data.currency", EXPONENTS)
}

fn amount(minor: i64, code: &str) -> Result<Money, UnclearValue> {
    let minor = not_negative(minor, "data.amount")?;
    money(minor, code, "data.currency", EXPONENTS)
}

/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
