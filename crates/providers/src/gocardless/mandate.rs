//! `mandates.*`: a customer lets themself be debited, until they, the bank or time end it.

use super::event::GocardlessEvent;
use super::subscription::Subscription;
use crate::api_document::ReadError;
use crate::draft::NormalizedEventDraft;
use crate::wire::{Part, UnclearValue};
use domain::event::Fact;

/// `mandates.created`, `mandates.active`: the first that is known of a customer.
pub(super) fn created<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    event.draft(event.links.mandate.as_ref(), None)
}

/// `mandates.cancelled`, `mandates.failed`, `mandates.expired`: nothing can be collected any
/// more, which ends every subscription that was. GoCardless tells of each of these ends too,
/// at about the same time; said twice they are one.
pub(super) fn ended<'a>(
    event: &GocardlessEvent<'a, '_>,
) -> Result<NormalizedEventDraft<'a>, ReadError> {
    let mandate = event.links.mandate.as_ref();
    let mandate = mandate.ok_or_else(|| UnclearValue::missing("event.links.mandate"))?;
    let (subscriptions, all): (Vec<Part<Subscription<'_>>>, bool) =
        event.subscriptions_of(&mandate.0)?;
    let mut draft = event.draft(Some(mandate), None)?;
    if !all {
        // The rest would go on without a mandate.
        draft.add_unclear(UnclearValue(
            "a mandate has more than 500 subscriptions".into(),
        ));
    }
    for subscription in subscriptions {
        let subscription = draft.readable(subscription.require("subscriptions"));
        if let Some(subscription) = subscription.filter(|one| !one.ended_as_agreed()) {
            let snapshot = subscription.ended(event, true, &mut draft);
            draft.add_references(&[Some(&snapshot.id)]);
            draft.add_fact(Fact::Subscription(Box::new(snapshot)));
        }
    }
    Ok(draft)
}
