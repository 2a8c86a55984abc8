//! `sales-invoice.paid`: the one object of Mollie's that tells the tax.

use super::api::{BillingAddress, MollieAmount, MollieContext, ReadResult, read_metadata};
use super::event::Entity;
use crate::api_document::{ReadError, fetch};
use crate::draft::ids;
use crate::fetch::ApiCall;
use crate::wire::{Id, Rfc3339Time, id, read_object, to_timestamp};
use domain::event::Fact;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// The invoice, whole in the event or asked for, and the payment that paid it.
pub(super) fn paid<'a>(
    mollie: &MollieContext<'a, '_>,
    entity: &Entity<'a>,
) -> Result<ReadResult<'a>, ReadError> {
    let raw = match entity.embedded {
        Some(whole) => whole,
        None => {
            let call = ApiCall::get(&["sales-invoices", entity.id.0.as_str()]);
            fetch(mollie.responses, call, PLACE)?
        }
    };
    let invoice: Invoice<'_> = read_object(raw, PLACE)?;
    if !mollie.is_ours(&invoice.mode, "sales-invoice.mode")? {
        return Ok(ReadResult::WrongMode);
    }
    let payment = invoice.payment();
    let own = Some(&invoice.id.0);
    let guest = id(&payment).unwrap_or(&invoice.id.0);
    let mut draft = mollie.draft(invoice.customer_id.as_ref(), guest)?;
    draft.add_references(&[own, id(&payment)]);
    read_metadata(&mut draft, invoice.metadata);
    let paid = invoice.total_amount.money("sales-invoice.totalAmount")?;
    let tax = invoice.total_vat_amount.as_ref();
    let tax = tax
        .map(|tax| tax.money("sales-invoice.totalVatAmount"))
        .transpose()?;
    draft.add_fact(Fact::Payment(PaymentSnapshot {
        ids: ids(&[own, id(&payment)]),
        source_kind: SourceKind::Invoice,
        paid,
        tax_minor: tax.map(|tax| tax.minor).filter(|tax| *tax <= paid.minor),
        paid_at: to_timestamp(invoice.paid_at).unwrap_or(entity.at),
        subscription: None,
        unlinked: false,
    }));
    if let (None, Some(recipient)) = (&invoice.customer_id, invoice.recipient) {
        draft.add_profile(recipient.profile());
    }
    Ok(ReadResult::Draft(draft))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invoice<'a> {
    id: Id,
    mode: Arc<str>,
    total_amount: MollieAmount,
    #[serde(default)]
    total_vat_amount: Option<MollieAmount>,
    #[serde(default)]
    paid_at: Option<Rfc3339Time>,
    #[serde(default)]
    customer_id: Option<Id>,
    #[serde(default)]
    recipient: Option<BillingAddress>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payment_details: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentReference {
    #[serde(default)]
    source: Option<Arc<str>>,
    #[serde(default)]
    source_reference: Option<Id>,
}

impl Invoice<'_> {
    /// What paid it, where that is a payment: said of one, or of several in a list.
    fn payment(&self) -> Option<Id> {
        let raw = self.payment_details?.get();
        let one = serde_json::from_str::<PaymentReference>(raw)
            .ok()
            .map(|source| vec![source]);
        let several = || serde_json::from_str::<Vec<PaymentReference>>(raw).ok();
        let is_payment = |source: &PaymentReference| source.source.as_deref() == Some("payment");
        let sources = one.or_else(several)?;
        sources.into_iter().find(is_payment)?.source_reference
    }
}

const PLACE: &str = "sales-invoice";
