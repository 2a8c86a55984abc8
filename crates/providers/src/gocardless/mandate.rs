//! `mandates.*`: a customer lets themself be debited, until they, the bank or time end it.

use super::event::Event;
use super::subscription::Subscription;
use crate::draft::Draft;
use crate::thin::Short;
use crate::wire::Unclear;
use domain::reading::Fact;

/// `mandates.created`, `mandates.active`: the first that is known of a customer.
pub(super) fn exists<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    event.draft(event.links.mandate.as_ref(), None)
}

/// `mandates.cancelled`, `mandates.failed`, `mandates.expired`: nothing can be collected any
/// more, which ends every subscription that was. GoCardless tells of each of these ends too,
/// at about the same time; said twice they are one.
pub(super) fn dead<'a>(event: &Event<'a, '_>) -> Result<Draft<'a>, Short> {
    let mandate = event.links.mandate.as_ref();
    let mandate = mandate.ok_or_else(|| Unclear::absent("event.links.mandate"))?;
    let subscriptions: Vec<Subscription<'_>> = event.subscriptions_of(&mandate.0)?;
    let mut draft = event.draft(Some(mandate), None)?;
    for subscription in subscriptions {
        if !subscription.ended_by_itself()? {
            let seen = subscription.ended(event, true)?;
            draft.lead(&[Some(&seen.id)]);
            draft.tell(Fact::Subscription(Box::new(seen)));
        }
    }
    Ok(draft)
}
