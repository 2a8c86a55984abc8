//! Signed `refund.*`, `chargeback.*` and `capture.*`: each names its payment, which is read as the
//! form's payment is.

use super::api::{MollieContext, ReadResult};
use super::event::Entity;
use super::payment;
use crate::api_document::{ReadError, fetch};
use crate::fetch::ApiCall;
use crate::wire::{Id, UnclearValue, read_object};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The payment of a refund, a chargeback or a capture. A simple event does not name it: Mollie's
/// API shows the same event with the whole entity.
pub(super) fn of_payment<'a>(
    mollie: &MollieContext<'a, '_>,
    entity: &Entity<'a>,
) -> Result<ReadResult<'a>, ReadError> {
    let part: PartOfPayment = match entity.embedded {
        Some(whole) => read_object(whole, "entity")?,
        None => {
            let call = ApiCall::get(&["events", entity.event.0.as_str()]);
            let document = fetch(mollie.responses, call, "event")?;
            let event: EventDocument<'_> = read_object(document, "event")?;
            read_object(event.embedded.entity, "event._embedded.entity")?
        }
    };
    let payment = part
        .payment_id
        .ok_or_else(|| UnclearValue::missing("entity.paymentId"))?;
    payment::fetched(mollie, &payment, entity.at)
}

#[derive(Deserialize)]
struct PartOfPayment {
    #[serde(default, rename = "paymentId")]
    payment_id: Option<Id>,
}

#[derive(Deserialize)]
struct EventDocument<'a> {
    #[serde(borrow, rename = "_embedded")]
    embedded: EmbeddedEntity<'a>,
}

#[derive(Deserialize)]
struct EmbeddedEntity<'a> {
    #[serde(borrow)]
    entity: &'a RawValue,
}
