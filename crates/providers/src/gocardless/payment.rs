//! `payments.*`: a debit that is collected, fails (even weeks later), or is charged back.

use super::event::{GocardlessEvent, Links, money};
use crate::api_document::ReadError;
use crate::civil::Day;
use crate::draft::NormalizedEventDraft;
use crate::wire::{Id, Metadata, Part, UnclearValue};
use domain::event::Fact;
use domain::money::Money;
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, InvoiceSnapshot, InvoiceState, PaymentSnapshot, SourceKind,
};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// `payments.confirmed`, `payments.paid_out`: both tell of the same money.
pub(super) fn confirmed<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_invoice_state(event, InvoiceState::Paid)
}

/// `payments.failed`, `payments.late_failure_settled`: what may have seemed to arrive did not.
pub(super) fn failed<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_invoice_state(event, InvoiceState::Failed)
}

/// `payments.cancelled`, `payments.customer_approval_denied`: it is not collected any more.
pub(super) fn canceled<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_invoice_state(event, InvoiceState::Voided)
}

/// `payments.charged_back`.
pub(super) fn charged_back<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_dispute_state(event, DisputeState::Open)
}

/// `payments.chargeback_settled`: taken from a payout.
pub(super) fn chargeback_settled<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_dispute_state(event, DisputeState::Lost)
}

/// `payments.chargeback_cancelled`.
pub(super) fn chargeback_canceled<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    with_dispute_state(event, DisputeState::Won)
}

/// A payment as the API shows it.
#[derive(Deserialize)]
pub(super) struct Payment<'a> {
    /// Its id.
    pub(super) id: Id,
    #[serde(default)]
    amount: Part<i64>,
    #[serde(default)]
    currency: Part<Arc<str>>,
    #[serde(default)]
    charge_date: Part<Day>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    #[serde(default)]
    links: Links,
}

impl<'f> Payment<'f> {
    /// The payment, and whose it is.
    pub(super) fn fetch_with_draft<'a>(
        event: &GocardlessEvent<'a, 'f>,
        named: &Option<Id>,
    ) -> Result<(Self, NormalizedEventDraft<'a>), ReadError> {
        let payment: Self = event.object(PLACE, named)?;
        let own = Some(&payment.id.0);
        let mut draft = event.draft(payment.links.mandate.as_ref(), own)?;
        draft.read_metadata(payment.metadata.as_ref().readable());
        draft.add_references(&[own, payment.links.subscription()]);
        Ok((payment, draft))
    }

    fn amount(&self) -> Result<Money, UnclearValue> {
        money(self.amount, &self.currency, PLACE)
    }

    /// When it was charged, where that is said.
    fn charged_at(&self) -> Result<Option<Timestamp>, UnclearValue> {
        let date = self.charge_date.read("payments.charge_date")?;
        date.map(Day::start).transpose()
    }
}

/// The payment is its own invoice: it is what is tried again.
fn with_invoice_state<'a>(
    event: &GocardlessEvent<'a, '_>,
    state: InvoiceState,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (payment, mut draft) = Payment::fetch_with_draft(event, &event.links.payment)?;
    let charged_at = draft.readable(payment.charged_at()).flatten();
    let Some(due) = draft.readable(payment.amount()) else {
        return Ok(draft);
    };
    let arrived = match state {
        InvoiceState::Paid => due,
        InvoiceState::Failed
        | InvoiceState::ActionRequired
        | InvoiceState::Uncollectible
        | InvoiceState::Voided => Money { minor: 0, ..due },
    };
    let subscription = payment.links.subscription().cloned();
    draft.add_fact(Fact::Payment(PaymentSnapshot {
        ids: vec![payment.id.0.clone()],
        source_kind: SourceKind::Charge,
        paid: arrived,
        tax_minor: None,
        paid_at: charged_at.unwrap_or(event.at),
        subscription: subscription.clone(),
        unlinked: false,
        purchased: Vec::new(),
    }));
    draft.add_fact(Fact::Invoice(InvoiceSnapshot {
        id: payment.id.0.clone(),
        subscription,
        state,
        due,
        // GoCardless does not tell how often it tried.
        attempts: 0,
        next_attempt: event.next_attempt(),
        paid: (state == InvoiceState::Paid).then_some(due),
    }));
    Ok(draft)
}

fn with_dispute_state<'a>(
    event: &GocardlessEvent<'a, '_>,
    state: DisputeState,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let (payment, mut draft) = Payment::fetch_with_draft(event, &event.links.payment)?;
    if let Some(amount) = draft.readable(payment.amount()) {
        draft.add_fact(Fact::Dispute(DisputeSnapshot {
            // A chargeback has no id; a payment has one at most.
            id: payment.id.0.clone(),
            payment: vec![payment.id.0.clone()],
            amount: amount.into(),
            state,
        }));
    }
    Ok(draft)
}

const PLACE: &str = "payments";
