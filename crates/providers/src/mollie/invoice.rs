//! `sales-invoice.paid`: the one object of Mollie's that tells the tax.

use super::api::{Amount, Billing, Mollie, Told, read_metadata};
use super::normalize::Entity;
use crate::draft::ids;
use crate::fetch::Call;
use crate::thin::{Short, fetch};
use crate::wire::{Id, Moment, at, id, read_object};
use domain::billing::{PaymentSeen, Teller};
use domain::reading::Fact;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// The invoice, whole in the event or asked for, and the payment that paid it.
pub(super) fn paid<'a>(mollie: &Mollie<'a, '_>, entity: &Entity<'a>) -> Result<Told<'a>, Short> {
    let raw = match entity.whole {
        Some(whole) => whole,
        None => {
            let call = Call::get(&["sales-invoices", entity.id.0.as_str()]);
            fetch(mollie.asking, call, PLACE)?
        }
    };
    let invoice: Invoice<'_> = read_object(raw, PLACE)?;
    if !mollie.is_ours(&invoice.mode, "sales-invoice.mode")? {
        return Ok(Told::WrongMode);
    }
    let payment = invoice.payment();
    let own = Some(&invoice.id.0);
    let guest = id(&payment).unwrap_or(&invoice.id.0);
    let mut draft = mollie.draft(invoice.customer_id.as_ref(), guest)?;
    draft.lead(&[own, id(&payment)]);
    read_metadata(&mut draft, invoice.metadata);
    let paid = invoice.total_amount.money("sales-invoice.totalAmount")?;
    let tax = invoice.total_vat_amount.as_ref();
    let tax = tax
        .map(|tax| tax.money("sales-invoice.totalVatAmount"))
        .transpose()?;
    draft.tell(Fact::Payment(PaymentSeen {
        ids: ids(&[own, id(&payment)]),
        teller: Teller::Invoice,
        paid,
        tax_minor: tax.map(|tax| tax.minor).filter(|tax| *tax <= paid.minor),
        paid_at: at(invoice.paid_at).unwrap_or(entity.at),
        subscription: None,
    }));
    if let (None, Some(recipient)) = (&invoice.customer_id, invoice.recipient) {
        draft.tell_profile(recipient.profile());
    }
    Ok(Told::Draft(draft))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invoice<'a> {
    id: Id,
    mode: Arc<str>,
    total_amount: Amount,
    #[serde(default)]
    total_vat_amount: Option<Amount>,
    #[serde(default)]
    paid_at: Option<Moment>,
    #[serde(default)]
    customer_id: Option<Id>,
    #[serde(default)]
    recipient: Option<Billing>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payment_details: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    #[serde(default)]
    source: Option<Arc<str>>,
    #[serde(default)]
    source_reference: Option<Id>,
}

impl Invoice<'_> {
    /// What paid it, where that is a payment: said of one, or of several in a list.
    fn payment(&self) -> Option<Id> {
        let raw = self.payment_details?.get();
        let one = serde_json::from_str::<Source>(raw)
            .ok()
            .map(|source| vec![source]);
        let several = || serde_json::from_str::<Vec<Source>>(raw).ok();
        let is_payment = |source: &Source| source.source.as_deref() == Some("payment");
        let sources = one.or_else(several)?;
        sources.into_iter().find(is_payment)?.source_reference
    }
}

const PLACE: &str = "sales-invoice";
