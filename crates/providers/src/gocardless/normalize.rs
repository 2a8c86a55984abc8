//! Normalizes GoCardless' events: the event, then the reader for its type and action.

use super::event::{GocardlessEnvelope, GocardlessEvent};
use super::{mandate, payment, refund, request, subscription};
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::fetch::FetchStep;
use crate::json::validate_json;
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::quarantine::{unreadable_event, waiting_event};
use crate::wire::UnclearValue;
use domain::event::{Fact, NormalizedEvent};

/// Normalizes one verified event.
pub(crate) fn normalize(item: &WireItem<'_, '_>) -> FetchStep<ItemOutcome> {
    let text = validate_json(item.raw).map_err(UnclearValue::from);
    match text.and_then(GocardlessEnvelope::read) {
        Ok(envelope) => outcome(&envelope, item),
        Err(UnclearValue(what)) => FetchStep::Done(unreadable_event(
            item.account,
            item.raw,
            item.signed_at,
            what,
        )),
    }
}

/// The handled types and actions, in the order they take within one instant.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const HANDLED_TYPES: &[(&str, u8, ReadGocardlessFn)] = &[
    ("mandates.created", 10, mandate::created),
    ("mandates.active", 12, mandate::created),
    ("billing_requests.fulfilled", 20, request::fulfilled),
    ("subscriptions.created", 30, subscription::created),
    ("subscriptions.customer_approval_granted", 32, subscription::granted),
    ("subscriptions.amended", 36, subscription::amended),
    ("subscriptions.payment_created", 37, subscription::charged),
    ("subscriptions.paused", 38, subscription::paused),
    ("subscriptions.resumed", 39, subscription::resumed),
    ("payments.failed", 50, payment::failed),
    ("payments.customer_approval_denied", 52, payment::canceled),
    ("payments.cancelled", 53, payment::canceled),
    ("payments.confirmed", 57, payment::confirmed),
    ("payments.paid_out", 58, payment::confirmed),
    ("payments.late_failure_settled", 59, payment::failed),
    ("refunds.created", 70, refund::created),
    ("refunds.paid", 72, refund::paid),
    ("refunds.refund_settled", 72, refund::paid),
    ("refunds.failed", 73, refund::failed),
    ("refunds.funds_returned", 73, refund::failed),
    ("payments.charged_back", 80, payment::charged_back),
    ("payments.chargeback_settled", 83, payment::chargeback_settled),
    ("payments.chargeback_cancelled", 84, payment::chargeback_canceled),
    ("subscriptions.customer_approval_denied", 90, subscription::denied),
    ("subscriptions.finished", 91, subscription::finished),
    ("subscriptions.cancelled", 92, subscription::canceled),
    ("mandates.cancelled", 95, mandate::ended),
    ("mandates.expired", 95, mandate::ended),
    ("mandates.failed", 95, mandate::ended),
];

/// Reads what one event is about.
pub(super) type ReadGocardlessFn =
    for<'a, 'f> fn(&GocardlessEvent<'a, 'f>) -> Result<NormalizedEventDraft<'a>, ReadError>;

fn outcome(envelope: &GocardlessEnvelope<'_>, item: &WireItem<'_, '_>) -> FetchStep<ItemOutcome> {
    let account = item.account;
    let id = account.event(&envelope.id.0);
    let kind = envelope.kind();
    let Some((_, rank, reader)) = HANDLED_TYPES.iter().find(|(acted, ..)| **acted == *kind) else {
        return FetchStep::Done(ItemOutcome::Ignored { id: Some(id), kind });
    };
    let occurred_at = envelope.created_at.0;
    let read = GocardlessEvent::from_envelope(envelope, account, item.responses);
    let (about, facts, references) = match read.and_then(|event| reader(&event)) {
        Ok(draft) => draft.into_parts(),
        Err(ReadError::NotFetched(questions)) => return FetchStep::Fetch(questions),
        Err(ReadError::Unavailable(what)) => {
            return FetchStep::Done(waiting_event(account, id, kind, occurred_at, what));
        }
        Err(ReadError::Unclear(UnclearValue(what))) => {
            let facts = vec![Fact::Unclear { what: what.into() }];
            (
                envelope.fallback_about(account, item.raw),
                facts,
                Vec::new(),
            )
        }
    };
    FetchStep::Done(ItemOutcome::Event(NormalizedEvent {
        id,
        kind,
        occurred_at,
        rank: *rank,
        about,
        facts,
        references,
    }))
}
