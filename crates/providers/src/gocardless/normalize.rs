//! From GoCardless' words to ours: the event, then the one reader its type and action have.

use super::event::{Envelope, Event};
use super::{mandate, payment, refund, request, subscription};
use crate::draft::Draft;
use crate::json::sound;
use crate::provider::WireItem;
use crate::quarantine::{unread, waiting};
use crate::thin::Short;
use crate::wire::Unclear;
use crate::{Outcome, Step};
use domain::reading::{Fact, Reading};

/// What one verified event says.
pub(crate) fn normalize(item: &WireItem<'_, '_>) -> Step<Outcome> {
    let text = sound(item.raw).map_err(Unclear::from);
    match text.and_then(Envelope::read) {
        Ok(envelope) => outcome(&envelope, item),
        Err(Unclear(what)) => Step::Done(unread(item.account, item.raw, item.signed_at, what)),
    }
}

/// The types and actions acted upon, in the order they take within one instant.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const ACTED_UPON: &[(&str, u8, Reader)] = &[
    ("mandates.created", 10, mandate::exists),
    ("mandates.active", 12, mandate::exists),
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
    ("mandates.cancelled", 95, mandate::dead),
    ("mandates.expired", 95, mandate::dead),
    ("mandates.failed", 95, mandate::dead),
];

/// Reads what one event is about.
pub(super) type Reader = for<'a, 'f> fn(&Event<'a, 'f>) -> Result<Draft<'a>, Short>;

fn outcome(envelope: &Envelope<'_>, item: &WireItem<'_, '_>) -> Step<Outcome> {
    let account = item.account;
    let id = account.event(envelope.id.0.as_str());
    let kind = envelope.kind();
    let Some((_, rank, reader)) = ACTED_UPON.iter().find(|(acted, ..)| **acted == *kind) else {
        return Step::Done(Outcome::Ignored { id: Some(id), kind });
    };
    let occurred_at = envelope.created_at.0;
    let read = Event::of(envelope, account, item.asking);
    let (about, facts, references) = match read.and_then(|event| reader(&event)) {
        Ok(draft) => (draft.about, draft.facts, draft.references),
        Err(Short::Unasked(questions)) => return Step::Ask(questions),
        Err(Short::Silent(what)) => {
            return Step::Done(waiting(account, id, kind, occurred_at, what));
        }
        Err(Short::Unclear(Unclear(what))) => {
            let facts = vec![Fact::Unclear { what: what.into() }];
            (envelope.whose(account, item.raw), facts, Vec::new())
        }
    };
    Step::Done(Outcome::Reading(Reading {
        id,
        kind,
        occurred_at,
        rank: *rank,
        about,
        facts,
        references,
    }))
}
