//! `PAYMENT.SALE.REFUNDED`, `PAYMENT.CAPTURE.REFUNDED`: money that the shop sends back.

use super::normalize::{Event, Link, Value, linked, unknown};
use super::sale::Amount;
use crate::draft::Draft;
use crate::thin::Short;
use crate::wire::{Id, Moment, Unclear, at};
use domain::billing::{RefundSeen, RefundState};
use domain::reading::Fact;
use serde::Deserialize;
use std::sync::Arc;

/// A refund of a sale.
pub(super) fn of_sale<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    let refund: SaleRefund = event.resource()?;
    let state = match &*refund.state {
        "completed" => RefundState::Succeeded,
        "pending" => RefundState::Pending,
        "failed" | "canceled" | "cancelled" => RefundState::Failed,
        other => return Err(unknown("resource.state", other).into()),
    };
    let minor = refund.amount.back()?;
    let told = Refund {
        id: refund.id,
        payment: refund.sale_id,
        minor,
        state,
        created: refund.create_time,
    };
    Ok(told.draft(event))
}

/// A refund of a capture.
pub(super) fn of_capture<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    let refund: CaptureRefund = event.resource()?;
    let state = match &*refund.status {
        "COMPLETED" => RefundState::Succeeded,
        "PENDING" => RefundState::Pending,
        "FAILED" | "CANCELLED" => RefundState::Failed,
        other => return Err(unknown("resource.status", other).into()),
    };
    let capture = linked(&refund.links, "up", "/captures/");
    let told = Refund {
        id: refund.id,
        payment: capture.ok_or_else(|| Unclear::absent("resource.links.up"))?,
        minor: refund.amount.back("resource.amount")?,
        state,
        created: refund.create_time,
    };
    Ok(told.draft(event))
}

#[derive(Deserialize)]
struct SaleRefund {
    id: Id,
    sale_id: Id,
    state: Arc<str>,
    amount: Amount,
    #[serde(default)]
    create_time: Option<Moment>,
}

#[derive(Deserialize)]
struct CaptureRefund {
    id: Id,
    status: Arc<str>,
    amount: Value,
    #[serde(default)]
    links: Vec<Link>,
    #[serde(default)]
    create_time: Option<Moment>,
}

struct Refund {
    id: Id,
    payment: Id,
    minor: i64,
    state: RefundState,
    created: Option<Moment>,
}

impl Refund {
    fn draft<'a>(self, event: &Event<'a, '_>) -> Draft<'a> {
        let payment = self.payment.0;
        let mut draft = event.draft_behind(&[&payment]);
        draft.tell(Fact::Refund(RefundSeen {
            id: self.id.0,
            payment: vec![payment],
            minor: self.minor,
            state: self.state,
            created_at: at(self.created).unwrap_or(event.at),
        }));
        draft
    }
}
