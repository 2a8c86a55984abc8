//! `PAYMENT.CAPTURE.COMPLETED`: a one-off payment arrived.

use super::event::PaypalEvent;
use super::wire::{PaypalAmount, unknown_word};
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::wire::{Id, Rfc3339Time, id, to_timestamp};
use domain::event::Fact;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use serde::Deserialize;
use std::sync::Arc;

/// A capture. It names nobody, so it is a guest's, whose partition is the payment.
pub(super) fn completed<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let capture: Capture = event.resource()?;
    let own = &capture.id.0;
    let mut draft = event.draft_for(own);
    let related = capture.supplementary_data.and_then(|data| data.related_ids);
    let order = related.and_then(|ids| ids.order_id);
    draft.add_references(&[Some(own), id(&order)]);
    let paid = capture.amount.money("resource.amount")?;
    let has_arrived = match &*capture.status {
        "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => true,
        "PENDING" | "DECLINED" | "FAILED" => false,
        other => return Err(unknown_word("resource.status", other).into()),
    };
    if has_arrived && paid.minor > 0 {
        draft.add_fact(Fact::Payment(PaymentSnapshot {
            ids: vec![own.clone()],
            source_kind: SourceKind::Charge,
            paid,
            tax_minor: None,
            paid_at: to_timestamp(capture.create_time).unwrap_or(event.at),
            subscription: None,
            unlinked: false,
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
    amount: PaypalAmount,
    #[serde(default)]
    create_time: Option<Rfc3339Time>,
    #[serde(default)]
    custom_id: Option<Arc<str>>,
    #[serde(default)]
    supplementary_data: Option<SupplementaryIds>,
}

#[derive(Deserialize)]
struct SupplementaryIds {
    #[serde(default)]
    related_ids: Option<RelatedIds>,
}

#[derive(Deserialize)]
struct RelatedIds {
    #[serde(default)]
    order_id: Option<Id>,
}
