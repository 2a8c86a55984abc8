//! `PAYMENT.SALE.COMPLETED`: a subscription's payment arrived.

use super::normalize::{Event, back, money, unknown};
use super::subscription::Subscription;
use crate::draft::Draft;
use crate::fetch::Call;
use crate::thin::{Short, find};
use crate::wire::{Id, Moment, Unclear, at, id, read_object};
use domain::billing::{PaymentSeen, Teller};
use domain::money::Money;
use domain::reading::Fact;
use serde::Deserialize;
use std::sync::Arc;

/// A sale, and how its subscription stands after it: no other event tells of a renewal. What is
/// fetched is at least as new as the sale; whatever came between has an event of its own, later.
pub(super) fn completed<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    let sale: Sale = event.resource()?;
    let agreement = id(&sale.billing_agreement_id);
    let subscription: Option<Subscription> = match agreement {
        Some(id) => {
            let call = Call::get(&["v1", "billing", "subscriptions", id.as_str()]);
            let known = find(event.asking, call, "subscription")?;
            let read = |raw| read_object(raw, "subscription");
            known.map(read).transpose()?
        }
        None => None,
    };
    let payer = subscription.as_ref().and_then(Subscription::payer);
    let mut draft = match (payer, agreement) {
        (Some(payer), _) => event.draft_of(payer),
        (None, Some(agreement)) if subscription.is_some() => event.draft_behind(&[agreement]),
        // Agreements of old are no subscriptions that the API knows: all there is of them.
        (None, Some(agreement)) => event.draft_of(agreement),
        (None, None) => event.draft_of(&sale.id.0),
    };
    draft.lead(&[Some(&sale.id.0), agreement]);
    let paid = sale.amount.money()?;
    if paid.minor > 0 && sale.has_arrived()? {
        draft.tell(Fact::Payment(PaymentSeen {
            ids: vec![sale.id.0.clone()],
            teller: Teller::Charge,
            paid,
            tax_minor: sale.tax(paid)?,
            paid_at: at(sale.create_time).unwrap_or(event.at),
            subscription: agreement.cloned(),
        }));
        let settled = subscription.as_ref().and_then(|known| known.settled(paid));
        draft.facts.extend(settled.map(Fact::Invoice));
    }
    if let Some(custom) = &sale.custom {
        draft.read_client_reference(custom);
    }
    if let Some(subscription) = &subscription {
        subscription.tell(&mut draft, event.at)?;
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Sale {
    id: Id,
    state: Arc<str>,
    amount: Amount,
    #[serde(default)]
    billing_agreement_id: Option<Id>,
    #[serde(default)]
    create_time: Option<Moment>,
    #[serde(default)]
    custom: Option<Arc<str>>,
}

/// An amount of sales and their refunds.
#[derive(Deserialize)]
pub(super) struct Amount {
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

impl Amount {
    /// As money.
    fn money(&self) -> Result<Money, Unclear> {
        money(&self.total, &self.currency, TOTAL)
    }

    /// As what goes back.
    pub(super) fn back(&self) -> Result<i64, Unclear> {
        back(&self.total, &self.currency, TOTAL)
    }
}

impl Sale {
    fn tax(&self, paid: Money) -> Result<Option<i64>, Unclear> {
        let tax = self.amount.details.as_ref().and_then(|d| d.tax.as_ref());
        let place = "resource.amount.details.tax";
        let tax = tax.map(|tax| money(tax, paid.currency.code(), place));
        let tax = tax.transpose()?.map(|tax| tax.minor);
        Ok(tax.filter(|tax| (0..=paid.minor).contains(tax)))
    }

    fn has_arrived(&self) -> Result<bool, Unclear> {
        match &*self.state {
            "completed" | "partially_refunded" | "refunded" => Ok(true),
            "pending" | "denied" => Ok(false),
            other => Err(unknown("resource.state", other)),
        }
    }
}

const TOTAL: &str = "resource.amount.total";
