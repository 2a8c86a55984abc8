//! `PAYMENT.SALE.REFUNDED`, `PAYMENT.CAPTURE.REFUNDED`: money that the shop sends back.

use super::event::PaypalEvent;
use super::sale::SaleAmount;
use super::wire::{Link, PaypalAmount, linked_id, unknown_word};
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::wire::{Id, Rfc3339Time, UnclearValue, to_timestamp};
use domain::event::Fact;
use domain::money::Money;
use domain::payment::snapshot::{RefundSnapshot, RefundState};
use serde::Deserialize;
use std::sync::Arc;

/// A refund of a sale.
pub(super) fn of_sale<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let refund: SaleRefund = event.resource()?;
    let state = match &*refund.state {
        "completed" => RefundState::Succeeded,
        "pending" => RefundState::Pending,
        "failed" | "canceled" | "cancelled" => RefundState::Failed,
        other => return Err(unknown_word("resource.state", other).into()),
    };
    let amount = refund.amount.refunded()?;
    let common = Refund {
        id: refund.id,
        payment: refund.sale_id,
        amount,
        state,
        created: refund.create_time,
    };
    Ok(common.draft(event))
}

/// A refund of a capture.
pub(super) fn of_capture<'a>(
    event: &PaypalEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let refund: CaptureRefund = event.resource()?;
    let state = match &*refund.status {
        "COMPLETED" => RefundState::Succeeded,
        "PENDING" => RefundState::Pending,
        "FAILED" | "CANCELLED" => RefundState::Failed,
        other => return Err(unknown_word("resource.status", other).into()),
    };
    let capture = linked_id(&refund.links, "up", "/captures/");
    let common = Refund {
        id: refund.id,
        payment: capture.ok_or_else(|| UnclearValue::missing("resource.links.up"))?,
        amount: refund.amount.refunded("resource.amount")?,
        state,
        created: refund.create_time,
    };
    Ok(common.draft(event))
}

#[derive(Deserialize)]
struct SaleRefund {
    id: Id,
    sale_id: Id,
    state: Arc<str>,
    amount: SaleAmount,
    #[serde(default)]
    create_time: Option<Rfc3339Time>,
}

#[derive(Deserialize)]
struct CaptureRefund {
    id: Id,
    status: Arc<str>,
    amount: PaypalAmount,
    #[serde(default)]
    links: Vec<Link>,
    #[serde(default)]
    create_time: Option<Rfc3339Time>,
}

struct Refund {
    id: Id,
    payment: Id,
    amount: Money,
    state: RefundState,
    created: Option<Rfc3339Time>,
}

impl Refund {
    fn draft<'a>(self, event: &PaypalEvent<'a, '_>) -> NormalizedEventDraft<'a> {
        let payment = self.payment.0;
        let mut draft = event.draft_by_reference(&[&payment]);
        draft.add_fact(Fact::Refund(RefundSnapshot {
            id: self.id.0,
            payment: vec![payment],
            amount: self.amount.into(),
            tax_minor: None,
            state: self.state,
            created_at: to_timestamp(self.created).unwrap_or(event.at),
        }));
        draft
    }
}
