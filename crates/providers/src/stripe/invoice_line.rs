//! A line of an invoice: an item of a subscription, or something that is charged once.

use super::wire::ObjectRef;
use domain::ids::PriceId;
use serde::Deserialize;
use std::sync::Arc;

/// A line, in today's shape or in that until 2025-03-31.
#[derive(Deserialize)]
pub(super) struct InvoiceLine {
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    quantity: Option<u64>,
    #[serde(default)]
    parent: Option<LineParent>,
    #[serde(default)]
    pricing: Option<LinePricing>,
    // Until 2025-03-31.
    #[serde(default, rename = "type")]
    kind: Option<Arc<str>>,
    #[serde(default)]
    proration: Option<bool>,
    #[serde(default)]
    price: Option<ObjectRef>,
}

#[derive(Deserialize)]
struct LineParent {
    #[serde(default)]
    invoice_item_details: Option<InvoiceItemDetails>,
}

#[derive(Deserialize)]
struct InvoiceItemDetails {
    #[serde(default)]
    proration: Option<bool>,
}

#[derive(Deserialize)]
struct LinePricing {
    #[serde(default)]
    price_details: Option<PriceDetails>,
}

#[derive(Deserialize)]
struct PriceDetails {
    #[serde(default)]
    price: Option<ObjectRef>,
}

impl InvoiceLine {
    /// The price and how many, where it is charged once. The difference that a change of a
    /// subscription makes is no purchase, and neither is a credit.
    pub(super) fn purchased(&self) -> Option<(PriceId, Option<u64>)> {
        let item = self
            .parent
            .as_ref()
            .map(|parent| &parent.invoice_item_details);
        let (is_item, is_proration) = match item {
            Some(Some(item)) => (true, item.proration),
            Some(None) => (false, None),
            None => (self.kind.as_deref() == Some("invoiceitem"), self.proration),
        };
        let details = self
            .pricing
            .as_ref()
            .and_then(|pricing| pricing.price_details.as_ref());
        let price = details
            .and_then(|details| details.price.as_ref())
            .or(self.price.as_ref())?;
        let is_credit = self.amount.is_some_and(|amount| amount < 0);
        let counts = is_item && is_proration != Some(true) && !is_credit;
        counts.then(|| (PriceId::from(&price.0), self.quantity))
    }
}
