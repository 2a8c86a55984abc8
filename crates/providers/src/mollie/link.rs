//! `payment-link.paid`: a link was paid, by a payment that has to be looked for.

use super::api::{Mollie, Told};
use super::normalize::Entity;
use super::payment::Payment;
use crate::fetch::Call;
use crate::thin::{Short, fetch};
use crate::wire::{Unclear, read_object};
use domain::reading::Fact;
use jiff::Timestamp;
use serde::Deserialize;

/// The payment that the event is about. A link may be paid many times, by anybody: it is the
/// last one that was paid by then.
pub(super) fn paid<'a>(mollie: &Mollie<'a, '_>, entity: &Entity<'a>) -> Result<Told<'a>, Short> {
    let call = Call::get(&["payment-links", entity.id.0.as_str(), "payments"]);
    let document = fetch(mollie.asking, call, "payments of a link")?;
    let list: List<'_> = read_object(document, "payments")?;
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
        .ok_or_else(|| Unclear("no payment of this link is paid".into()))?;
    if !mollie.is_ours(&payment.mode, "payment.mode")? {
        return Ok(Told::WrongMode);
    }
    let mut draft = payment.draft(mollie)?;
    draft.lead(&[Some(&entity.id.0)]);
    draft.tell(Fact::Payment(payment.seen(paid_at)?));
    if let Some(guest) = payment.into_guest() {
        draft.tell_profile(guest.profile());
    }
    Ok(Told::Draft(draft))
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, rename = "_embedded")]
    embedded: Payments<'a>,
}

#[derive(Deserialize)]
struct Payments<'a> {
    #[serde(borrow)]
    payments: Vec<Payment<'a>>,
}
