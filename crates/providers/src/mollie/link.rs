//! `payment-link.paid`: a link was paid, by a payment that has to be looked for.

use super::api::{MollieContext, ReadResult};
use super::event::Entity;
use super::payment::Payment;
use crate::api_document::{ReadError, fetch};
use crate::fetch::ApiCall;
use crate::wire::{Id, Part, UnclearValue, read_object};
use domain::event::Fact;
use jiff::Timestamp;
use serde::Deserialize;

/// The payment that the event is about.
pub(super) fn paid<'a>(
    mollie: &MollieContext<'a, '_>,
    entity: &Entity<'a>,
) -> Result<ReadResult<'a>, ReadError> {
    let (paid_at, payment) = paid_payment(mollie, &entity.id, entity.at)?;
    if !mollie.is_ours(&payment.mode, "payment.mode")? {
        return Ok(ReadResult::WrongMode);
    }
    let mut draft = payment.draft(mollie)?;
    draft.add_references(&[Some(&entity.id.0)]);
    let snapshot = draft.readable(payment.snapshot(paid_at));
    draft.facts.extend(snapshot.map(Fact::Payment));
    if let Some(guest) = payment.into_guest() {
        draft.add_profile(guest.profile());
    }
    Ok(ReadResult::Draft(draft))
}

/// The payment of a link, and when it was paid. A link may be paid many times, by anybody: it is
/// the last one that was paid by then.
pub(super) fn paid_payment<'f>(
    mollie: &MollieContext<'_, 'f>,
    link: &Id,
    by: Timestamp,
) -> Result<(Timestamp, Payment<'f>), ReadError> {
    let call = ApiCall::get(&["payment-links", link.0.as_str(), "payments"]);
    let document = fetch(mollie.responses, call, "payments of a link")?;
    let list: LinkPayments<'f> = read_object(document, "payments")?;
    let mut paid: Vec<(Timestamp, Payment<'f>)> = Vec::new();
    // One that can't be read is nobody's that is known to have paid.
    for payment in list
        .embedded
        .payments
        .into_iter()
        .filter_map(Part::readable)
    {
        if let Ok(Some(paid_at)) = payment.paid_at() {
            paid.push((paid_at, payment));
        }
    }
    paid.sort_by_key(|(paid_at, _)| *paid_at);
    let by_then = paid.iter().rposition(|(paid_at, _)| *paid_at <= by);
    // Seconds are cut off differently in the two times.
    let payment = paid.into_iter().nth(by_then.unwrap_or_default());
    Ok(payment.ok_or_else(|| UnclearValue("no payment of this link is paid".into()))?)
}

#[derive(Deserialize)]
struct LinkPayments<'a> {
    #[serde(borrow, rename = "_embedded")]
    embedded: EmbeddedPayments<'a>,
}

#[derive(Deserialize)]
struct EmbeddedPayments<'a> {
    #[serde(borrow)]
    payments: Vec<Part<Payment<'a>>>,
}
