//! `transaction.*`: what was billed, what came of it, and the money.

use super::wire::{MinorUnits, metadata};
use crate::draft::{NormalizedEventDraft, ids, money, purchased};
use crate::envelope::Event;
use crate::wire::{Id, Part, Rfc3339Time, UnclearValue, id, present};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::money::Money;
use domain::payment::snapshot::{
    InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot, PurchasedPrice, SourceKind,
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
    draft.read_metadata(metadata(transaction.custom_data).as_ref());
    if let Some(discount) = transaction.discount_id.as_ref().readable() {
        draft.add_code(discount);
    }
    let outcome = draft.readable(transaction.outcome(event.kind));
    match outcome {
        Some(Outcome::Paid) => transaction.add_payment(&mut draft, event.at),
        Some(Outcome::Failed) => {
            let due = draft.readable(transaction.amount("balance", |totals| totals.balance));
            let collected = draft.readable(transaction.is_automatic());
            if let (Some(due), Some(true)) = (due, collected)
                && due.minor > 0
                && subscription.is_some()
            {
                draft.add_fact(transaction.invoice(InvoiceState::Failed, due, None));
            }
        }
        Some(Outcome::Canceled) => {
            let due = draft.readable(transaction.amount("balance", |totals| totals.balance));
            let invoice = due.map(|due| transaction.invoice(InvoiceState::Voided, due, None));
            draft.facts.extend(invoice);
        }
        None => {}
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Transaction<'a> {
    id: Id,
    #[serde(default)]
    status: Part<Arc<str>>,
    // None before the customer is known.
    #[serde(default)]
    customer_id: Option<Id>,
    #[serde(default)]
    subscription_id: Option<Id>,
    #[serde(default)]
    collection_mode: Part<Arc<str>>,
    #[serde(default)]
    currency_code: Part<Arc<str>>,
    #[serde(default)]
    details: Part<Details>,
    #[serde(default)]
    payments: Part<Vec<PaymentAttempt>>,
    #[serde(default)]
    items: Part<Vec<TransactionItem>>,
    #[serde(default)]
    discount_id: Part<Arc<str>>,
    #[serde(borrow, default)]
    custom_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    totals: Part<Totals>,
}

/// `total` less credit is `grand_total`, less payments `balance`.
#[derive(Deserialize)]
struct Totals {
    #[serde(default)]
    total: Part<MinorUnits>,
    #[serde(default)]
    tax: Part<MinorUnits>,
    #[serde(default)]
    grand_total: Part<MinorUnits>,
    #[serde(default)]
    balance: Part<MinorUnits>,
    // Since 2026: the tax within `grand_total`.
    #[serde(default)]
    grand_total_tax: Part<MinorUnits>,
}

#[derive(Deserialize)]
struct PaymentAttempt {
    #[serde(default)]
    captured_at: Part<Rfc3339Time>,
}

#[derive(Deserialize)]
struct TransactionItem {
    #[serde(default)]
    quantity: Option<u64>,
    price: ItemPrice,
}

#[derive(Deserialize)]
struct ItemPrice {
    id: PriceId,
    // Null where it is charged once.
    #[serde(default, deserialize_with = "present")]
    billing_cycle: Option<Option<BillingCycle>>,
}

/// How often a price is charged: what matters is whether there is one.
#[derive(Deserialize)]
struct BillingCycle {}

/// What became of a transaction.
enum Outcome {
    Paid,
    Failed,
    Canceled,
}

impl Transaction<'_> {
    fn outcome(&self, kind: &str) -> Result<Outcome, UnclearValue> {
        let place = "data.status";
        match &**self.status.as_ref().require(place)? {
            "paid" | "completed" => Ok(Outcome::Paid),
            "draft" | "ready" | "billed" | "past_due" if FAILURES.contains(&kind) => {
                Ok(Outcome::Failed)
            }
            "canceled" => Ok(Outcome::Canceled),
            status @ ("draft" | "ready" | "billed" | "past_due") => Err(UnclearValue(format!(
                "`{place}` is `{status}`, which does not fit `{kind}`"
            ))),
            other => Err(UnclearValue::unknown_word(place, other)),
        }
    }

    /// The money, which arrived when the last part of it was captured, and what it settles.
    fn add_payment(&self, draft: &mut NormalizedEventDraft<'_>, told_at: Timestamp) {
        let paid = self.amount("grand_total", |totals| totals.grand_total);
        let Some(paid) = draft.readable(paid) else {
            return;
        };
        let tax = draft.readable(self.tax()).flatten();
        let attempts = draft.readable(self.payments.as_ref().read("data.payments"));
        let attempts = attempts.flatten().into_iter().flatten();
        let captured = attempts.filter_map(|attempt| attempt.captured_at.readable());
        let captured_at = captured.map(|captured| captured.0).max();
        let bought = self.purchased(draft);
        // Nothing arrives where credit covers all of it, or the change itself is a credit.
        if paid.minor > 0 {
            draft.add_fact(Fact::Payment(PaymentSnapshot {
                ids: ids(&[Some(&self.id.0)]),
                source_kind: SourceKind::Invoice,
                paid,
                tax_minor: tax.filter(|tax| (0..=paid.minor).contains(tax)),
                paid_at: captured_at.unwrap_or(told_at),
                subscription: id(&self.subscription_id).cloned(),
                unlinked: false,
                purchased: bought,
            }));
        }
        let due = draft.readable(self.amount("balance", |totals| totals.balance));
        let due = due.unwrap_or(Money { minor: 0, ..paid });
        draft.add_fact(self.invoice(InvoiceState::Paid, due, Some(paid)));
    }

    /// What was bought once, alone or beside a subscription.
    fn purchased(&self, draft: &mut NormalizedEventDraft<'_>) -> Vec<PurchasedPrice> {
        let items = draft.readable(self.items.as_ref().read("data.items"));
        let items = items.flatten().into_iter().flatten();
        let once = items.filter(|item| matches!(item.price.billing_cycle, Some(None)));
        purchased(once.map(|item| (item.price.id.clone(), item.quantity)))
    }

    /// A change that is itself a credit has totals below zero: nothing is due then, or paid.
    fn invoice(&self, state: InvoiceState, due: Money, paid: Option<Money>) -> Fact {
        let nothing_less = |amount: Money| Money {
            minor: amount.minor.max(0),
            ..amount
        };
        let attempts = self.payments.as_ref().readable().map_or(0, Vec::len);
        Fact::Invoice(InvoiceSnapshot {
            id: self.id.0.clone(),
            subscription: id(&self.subscription_id).cloned(),
            state,
            due: nothing_less(due),
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            // Paddle does not say.
            next_attempt: NextAttempt::Unknown,
            paid: paid.map(nothing_less),
        })
    }

    /// The tax within what was paid. Where credit covered a part, older ones do not say it.
    fn tax(&self) -> Result<Option<i64>, UnclearValue> {
        let Some(totals) = self.totals()? else {
            return Ok(None);
        };
        let within = totals
            .grand_total_tax
            .read("data.details.totals.grand_total_tax")?;
        if let Some(tax) = within {
            return Ok(Some(tax.0));
        }
        let total = totals.total.read("data.details.totals.total")?;
        let grand_total = totals.grand_total.read("data.details.totals.grand_total")?;
        let tax = totals.tax.read("data.details.totals.tax")?;
        let whole = total.is_some() && total == grand_total;
        Ok(tax.filter(|_| whole).map(|tax| tax.0))
    }

    /// Whether Paddle collects it, or sends an invoice that a person pays.
    fn is_automatic(&self) -> Result<bool, UnclearValue> {
        let place = "data.collection_mode";
        match &**self.collection_mode.as_ref().require(place)? {
            "automatic" => Ok(true),
            "manual" => Ok(false),
            other => Err(UnclearValue::unknown_word(place, other)),
        }
    }

    fn amount(
        &self,
        name: &str,
        get: fn(&Totals) -> Part<MinorUnits>,
    ) -> Result<Money, UnclearValue> {
        let place = format!("data.details.totals.{name}");
        let minor = self.totals()?.map(get).unwrap_or_default();
        let minor = minor.require(&place)?.0;
        let place = "data.currency_code";
        let code = self.currency_code.as_ref().require(place)?;
        money(minor, code, place, EXPONENTS)
    }

    fn totals(&self) -> Result<Option<&Totals>, UnclearValue> {
        let place = "data.details.totals";
        let details = self.details.as_ref().read(place)?;
        let totals = details.map(|details| details.totals.as_ref().read(place));
        Ok(totals.transpose()?.flatten())
    }
}

const FAILURES: &[&str] = &["transaction.payment_failed", "transaction.past_due"];
/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
