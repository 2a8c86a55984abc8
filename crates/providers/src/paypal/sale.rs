//! `PAYMENT.SALE.COMPLETED`: a subscription's payment arrived.

use super::event::PaypalEvent;
use super::subscription::Subscription;
use super::wire::{money, refunded, unknown_word};
use crate::api_document::{ReadError, find};
use crate::draft::NormalizedEventDraft;
use crate::fetch::ApiCall;
use crate::wire::{Id, Rfc3339Time, UnclearValue, id, read_object, to_timestamp};
use domain::event::Fact;
use domain::money::Money;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use serde::Deserialize;
use std::sync::Arc;

/// A sale, and how its subscription stands after it: no other event tells of a renewal. What is
/// fetched is at least as new as the sale; whatever came between has an event of its own, later.
pub(super) fn completed<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let sale: Sale = event.resource()?;
    let agreement = id(&sale.billing_agreement_id);
    let subscription: Option<Subscription> = match agreement {
        Some(id) => {
            let call = ApiCall::get(&["v1", "billing", "subscriptions", id.as_str()]);
            let document = find(event.responses, call, "subscription")?;
            let read = |raw| read_object(raw, "subscription");
            document.map(read).transpose()?
        }
        None => None,
    };
    let payer = subscription.as_ref().and_then(Subscription::payer);
    let mut draft = match (payer, agreement) {
        (Some(payer), _) => event.draft_for(payer),
        (None, Some(agreement)) if subscription.is_some() => event.draft_by_reference(&[agreement]),
        // Agreements of old are no subscriptions that the API knows: all there is of them.
        (None, Some(agreement)) => event.draft_for(agreement),
        (None, None) => event.draft_for(&sale.id.0),
    };
    draft.add_references(&[Some(&sale.id.0), agreement]);
    let paid = sale.amount.money()?;
    if paid.minor > 0 && sale.has_arrived()? {
        draft.add_fact(Fact::Payment(PaymentSnapshot {
            ids: vec![sale.id.0.clone()],
            source_kind: SourceKind::Charge,
            paid,
            tax_minor: sale.tax(paid)?,
            paid_at: to_timestamp(sale.create_time).unwrap_or(event.at),
            subscription: agreement.cloned(),
            unlinked: false,
        }));
        let settled = subscription
            .as_ref()
            .and_then(|subscription| subscription.paid_invoice(paid));
        draft.facts.extend(settled.map(Fact::Invoice));
    }
    if let Some(custom) = &sale.custom {
        draft.read_client_reference(custom);
    }
    if let Some(subscription) = &subscription {
        subscription.add_to(&mut draft, event.at)?;
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Sale {
    id: Id,
    state: Arc<str>,
    amount: SaleAmount,
    #[serde(default)]
    billing_agreement_id: Option<Id>,
    #[serde(default)]
    create_time: Option<Rfc3339Time>,
    #[serde(default)]
    custom: Option<Arc<str>>,
}

/// An amount of sales and their refunds.
#[derive(Deserialize)]
pub(super) struct SaleAmount {
    total: Arc<str>,
    currency: Arc<str>,
    #[serde(default)]
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    tax: Option<Arc<str>>,
}

impl SaleAmount {
    /// As money.
    fn money(&self) -> Result<Money, UnclearValue> {
        money(&self.total, &self.currency, TOTAL)
    }

    /// As what goes back.
    pub(super) fn refunded(&self) -> Result<Money, UnclearValue> {
        refunded(&self.total, &self.currency, TOTAL)
    }
}

impl Sale {
    fn tax(&self, paid: Money) -> Result<Option<i64>, UnclearValue> {
        let tax = self.amount.details.as_ref().and_then(|d| d.tax.as_ref());
        let place = "resource.amount.details.tax";
        let tax = tax.map(|tax| money(tax, paid.currency.code(), place));
        let tax = tax.transpose()?.map(|tax| tax.minor);
        Ok(tax.filter(|tax| (0..=paid.minor).contains(tax)))
    }

    fn has_arrived(&self) -> Result<bool, UnclearValue> {
        match &*self.state {
            "completed" | "partially_refunded" | "refunded" => Ok(true),
            "pending" | "denied" => Ok(false),
            other => Err(unknown_word("resource.state", other)),
        }
    }
}

const TOTAL: &str = "resource.amount.total";
