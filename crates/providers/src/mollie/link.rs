//! `payment-link.paid`: a link was paid, by a payment that has to be looked for.

use super::api::{MollieContext, ReadResult};
use super::event::Entity;
use super::payment::Payment;
use crate::api_document::{ReadError, fetch};
use crate::fetch::ApiCall;
use crate::wire::{UnclearValue, read_object};
use domain::event::Fact;
use jiff::Timestamp;
use serde::Deserialize;

/// The payment that the event is about. A link may be paid many times, by anybody: it is the
/// last one that was paid by then.
pub(super) fn paid<'a>(
    mollie: &MollieContext<'a, '_>,
    entity: &Entity<'a>,
) -> Result<ReadResult<'a>, ReadError> {
    let call = ApiCall::get(&["payment-links", entity.id.0.as_str(), "payments"]);
    let document = fetch(mollie.responses, call, "payments of a link")?;
    let list: LinkPayments<'_> = read_object(document, "payments")?;
    let mut paid: Vec<(Timestamp, Payment<'_>)> = Vec::new();
    for payment in list.embedded.payments {
        if let Some(paid_at) = payment.paid_at()? {
            paid.push((paid_at, payment));
        }
    }
    paid.sort_by_key(|(paid_at, _)| *paid_at);
    let by_then = paid.iter().rposition(|(paid_at, _)| *paid_at <= entity.at);
    // Seconds are cut off differently in the two times.
    let (paid_at, payment) = paid
        .into_iter()
        .nth(by_then.unwrap_or_default())
        .ok_or_else(|| UnclearValue("no payment of this link is paid".into()))?;
    if !mollie.is_ours(&payment.mode, "payment.mode")? {
        return Ok(ReadResult::WrongMode);
    }
    let mut draft = payment.draft(mollie)?;
    draft.add_references(&[Some(&entity.id.0)]);
    draft.add_fact(Fact::Payment(payment.snapshot(paid_at)?));
    if let Some(guest) = payment.into_guest() {
        draft.add_profile(guest.profile());
    }
    Ok(ReadResult::Draft(draft))
}

#[derive(Deserialize)]
struct LinkPayments<'a> {
    #[serde(borrow, rename = "_embedded")]
    embedded: EmbeddedPayments<'a>,
}

#[derive(Deserialize)]
struct EmbeddedPayments<'a> {
    #[serde(borrow)]
    payments: Vec<Payment<'a>>,
}
