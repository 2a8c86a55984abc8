//! `PAYMENT.CAPTURE.COMPLETED`: a one-off payment arrived.

use super::normalize::{Event, Value, unknown};
use crate::draft::Draft;
use crate::thin::Short;
use crate::wire::{Id, Moment, at, id};
use domain::billing::{PaymentSeen, Teller};
use domain::reading::Fact;
use serde::Deserialize;
use std::sync::Arc;

/// A capture. It names nobody, so it is a guest's, whose partition is the payment.
pub(super) fn completed<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    let capture: Capture = event.resource()?;
    let own = &capture.id.0;
    let mut draft = event.draft_of(own);
    let related = capture.supplementary_data.and_then(|data| data.related_ids);
    let order = related.and_then(|ids| ids.order_id);
    draft.lead(&[Some(own), id(&order)]);
    let paid = capture.amount.money("resource.amount")?;
    let has_arrived = match &*capture.status {
        "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => true,
        "PENDING" | "DECLINED" | "FAILED" => false,
        other => return Err(unknown("resource.status", other).into()),
    };
    if has_arrived && paid.minor > 0 {
        draft.tell(Fact::Payment(PaymentSeen {
            ids: vec![own.clone()],
            teller: Teller::Charge,
            paid,
            tax_minor: None,
            paid_at: at(capture.create_time).unwrap_or(event.at),
            subscription: None,
        }));
    }
    if let Some(custom) = &capture.custom_id {
        draft.read_client_reference(custom);
    }
    Ok(draft)
}

#[derive(Deserialize)]
struct Capture {
    id: Id,
    status: Arc<str>,
    amount: Value,
    #[serde(default)]
    create_time: Option<Moment>,
    #[serde(default)]
    custom_id: Option<Arc<str>>,
    #[serde(default)]
    supplementary_data: Option<Supplement>,
}

#[derive(Deserialize)]
struct Supplement {
    #[serde(default)]
    related_ids: Option<Related>,
}

#[derive(Deserialize)]
struct Related {
    #[serde(default)]
    order_id: Option<Id>,
}
