//! `transaction.*`: what was billed, what came of it, and the money.

use super::wire::{MinorUnits, metadata};
use crate::draft::{NormalizedEventDraft, ids, money};
use crate::envelope::Event;
use crate::wire::{Id, Rfc3339Time, UnclearValue, id, to_timestamp};
use domain::event::Fact;
use domain::money::Money;
use domain::payment::snapshot::{
    InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot, SourceKind,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// A transaction as it is now. `paid` and `completed` tell of the same money.
pub(super) fn snapshot<'a>(event: &Event<'a>) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let transaction: Transaction<'_> = event.data()?;
    let own = Some(&transaction.id.0);
    let subscription = id(&transaction.subscription_id);
    let mut draft = event.draft(id(&transaction.customer_id).or(own), &[])?;
    draft.add_references(&[own, subscription]);
    let due = transaction.amount(transaction.details.totals.balance)?;
    let invoice = |state, paid| {
        Fact::Invoice(InvoiceSnapshot {
            id: transaction.id.0.clone(),
            subscription: subscription.cloned(),
            state,
            due,
            attempts: u32::try_from(transaction.attempts().len()).unwrap_or(u32::MAX),
            next_attempt: NextAttempt::Unknown,
            paid,
        })
    };
    match &*transaction.status {
        "paid" | "completed" => {
            // Nothing arrives where credit covers all of it, or the change itself is a credit.
            let paid = transaction.amount(transaction.details.totals.grand_total)?;
            if paid.minor > 0 {
                draft.add_fact(Fact::Payment(transaction.payment(paid, event.at)));
            }
            draft.add_fact(invoice(InvoiceState::Paid, Some(paid)));
        }
        "draft" | "ready" | "billed" | "past_due" if FAILURES.contains(&event.kind) => {
            if due.minor > 0 && subscription.is_some() && transaction.is_automatic()? {
                draft.add_fact(invoice(InvoiceState::Failed, None));
            }
        }
        "canceled" => draft.add_fact(invoice(InvoiceState::Voided, None)),
        status @ ("draft" | "ready" | "billed" | "past_due") => {
            let what = format!(
                "`data.status` is `{status}`, which does not fit `{}`",
                event.kind
            );
            return Err(UnclearValue(what));
        }
        other => return Err(UnclearValue::unknown_word("data.status", other)),
    }
    draft.read_metadata(metadata(transaction.custom_data).as_ref());
    if let Some(discount) = &transaction.discount_id {
        draft.add_code(discount);
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Transaction<'a> {
    id: Id,
    status: Arc<str>,
    // None before the customer is known.
    #[serde(default)]
    customer_id: Option<Id>,
    #[serde(default)]
    subscription_id: Option<Id>,
    collection_mode: Arc<str>,
    currency_code: Arc<str>,
    details: Details,
    #[serde(default)]
    payments: Option<Vec<PaymentAttempt>>,
    #[serde(default)]
    discount_id: Option<Arc<str>>,
    #[serde(borrow, default)]
    custom_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Details {
    totals: Totals,
}

/// `total` less credit is `grand_total`, less payments `balance`.
#[derive(Deserialize)]
struct Totals {
    total: MinorUnits,
    tax: MinorUnits,
    grand_total: MinorUnits,
    balance: MinorUnits,
    // Since 2026: the tax within `grand_total`.
    #[serde(default)]
    grand_total_tax: Option<MinorUnits>,
}

#[derive(Deserialize)]
struct PaymentAttempt {
    #[serde(default)]
    captured_at: Option<Rfc3339Time>,
}

impl Transaction<'_> {
    /// It arrived when the last part of it was captured.
    fn payment(&self, paid: Money, told_at: Timestamp) -> PaymentSnapshot {
        let captured = self
            .attempts()
            .iter()
            .filter_map(|a| to_timestamp(a.captured_at));
        PaymentSnapshot {
            ids: ids(&[Some(&self.id.0)]),
            source_kind: SourceKind::Invoice,
            paid,
            tax_minor: self.tax().filter(|tax| (0..=paid.minor).contains(tax)),
            paid_at: captured.max().unwrap_or(told_at),
            subscription: id(&self.subscription_id).cloned(),
            unlinked: false,
        }
    }

    /// The tax within what was paid. Where credit covered a part, older ones do not say it.
    fn tax(&self) -> Option<i64> {
        let totals = &self.details.totals;
        let whole = totals.total == totals.grand_total;
        let tax = totals.grand_total_tax.or(whole.then_some(totals.tax));
        tax.map(|tax| tax.0)
    }

    fn attempts(&self) -> &[PaymentAttempt] {
        self.payments.as_deref().unwrap_or_default()
    }

    /// Whether Paddle collects it, or sends an invoice that a person pays.
    fn is_automatic(&self) -> Result<bool, UnclearValue> {
        match &*self.collection_mode {
            "automatic" => Ok(true),
            "manual" => Ok(false),
            other => Err(UnclearValue::unknown_word("data.collection_mode", other)),
        }
    }

    fn amount(&self, minor: MinorUnits) -> Result<Money, UnclearValue> {
        let place = "data.currency_code";
        money(minor.0, &self.currency_code, place, EXPONENTS)
    }
}

const FAILURES: &[&str] = &["transaction.payment_failed", "transaction.past_due"];
/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
