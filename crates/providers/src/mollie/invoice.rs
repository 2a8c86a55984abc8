//! `sales-invoice.paid`: the one object of Mollie's that tells the tax.

use super::api::{BillingAddress, MollieAmount, MollieContext, ReadResult, read_metadata};
use super::event::Entity;
use super::link;
use crate::api_document::{ReadError, fetch};
use crate::draft::ids;
use crate::fetch::ApiCall;
use crate::wire::{Id, Part, Rfc3339Time, UnclearValue, id, read_object, to_timestamp};
use domain::event::Fact;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use jiff::Timestamp;
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
    let (payment, unclear) = match invoice.payment(mollie, entity.at) {
        Ok(payment) => (payment, None),
        Err(ReadError::Unclear(unclear)) => (None, Some(unclear)),
        Err(other @ (ReadError::NotFetched(_) | ReadError::Unavailable(_))) => return Err(other),
    };
    let own = Some(&invoice.id.0);
    let guest = id(&payment).unwrap_or(&invoice.id.0);
    let mut draft = mollie.draft(invoice.customer_id.as_ref(), guest)?;
    if let Some(unclear) = unclear {
        draft.add_unclear(unclear);
    }
    draft.add_references(&[own, id(&payment)]);
    read_metadata(&mut draft, invoice.metadata);
    let paid = invoice.total_amount.as_ref().require(TOTAL);
    let paid = draft.readable(paid.and_then(|paid| paid.money(TOTAL)));
    let tax = draft.readable(invoice.tax_minor()).flatten();
    let paid_at = invoice.paid_at.read("sales-invoice.paidAt");
    let paid_at = draft.readable(paid_at).flatten();
    if let Some(paid) = paid {
        draft.add_fact(Fact::Payment(PaymentSnapshot {
            ids: ids(&[own, id(&payment)]),
            source_kind: SourceKind::Invoice,
            paid,
            tax_minor: tax.filter(|tax| *tax <= paid.minor),
            paid_at: to_timestamp(paid_at).unwrap_or(entity.at),
            subscription: None,
            unlinked: false,
            purchased: Vec::new(),
        }));
    }
    if let (None, Some(recipient)) = (&invoice.customer_id, invoice.recipient.readable()) {
        draft.add_profile(recipient.profile());
    }
    Ok(ReadResult::Draft(draft))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invoice<'a> {
    id: Id,
    mode: Arc<str>,
    #[serde(default)]
    total_amount: Part<MollieAmount>,
    #[serde(default)]
    total_vat_amount: Part<MollieAmount>,
    #[serde(default)]
    paid_at: Part<Rfc3339Time>,
    #[serde(default)]
    customer_id: Option<Id>,
    #[serde(default)]
    recipient: Part<BillingAddress>,
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
    /// What paid it: a payment, or a link that a payment paid. Said of one, or of several in a
    /// list.
    fn payment(
        &self,
        mollie: &MollieContext<'_, '_>,
        at: Timestamp,
    ) -> Result<Option<Id>, ReadError> {
        let named = |wanted: &str| {
            let sources = self.sources().into_iter();
            let mut of_kind = sources.filter(|one| one.source.as_deref() == Some(wanted));
            of_kind.find_map(|one| one.source_reference)
        };
        if let Some(payment) = named("payment") {
            return Ok(Some(payment));
        }
        let Some(link) = named("payment-link") else {
            return Ok(None);
        };
        let (_, payment) = link::paid_payment(mollie, &link, at)?;
        Ok(Some(payment.id))
    }

    fn sources(&self) -> Vec<PaymentReference> {
        let Some(raw) = self.payment_details else {
            return Vec::new();
        };
        let one = serde_json::from_str::<PaymentReference>(raw.get()).ok();
        let several = || serde_json::from_str(raw.get()).unwrap_or_default();
        one.map_or_else(several, |one| vec![one])
    }

    fn tax_minor(&self) -> Result<Option<i64>, UnclearValue> {
        let place = "sales-invoice.totalVatAmount";
        let tax = self.total_vat_amount.as_ref().read(place)?;
        let tax = tax.map(|tax| tax.money(place)).transpose()?;
        Ok(tax.map(|tax| tax.minor))
    }
}

const TOTAL: &str = "sales-invoice.totalAmount";
const PLACE: &str = "sales-invoice";
