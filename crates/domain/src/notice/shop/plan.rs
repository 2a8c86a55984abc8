//! Which rows a write of the record decides: what it changes. The record that it replaces is all
//! that the shop was told before, so nothing else is remembered.

use crate::entitlement::basis::AccessBasis;
use crate::event::NormalizedEvent;
use crate::ids::CustomerKey;
use crate::notice::shop::content::{
    AccessContent, EventContent, ReferralContent, ShopNoticeContent,
};
use crate::notice::shop::draft::{Events, NoticeDraft};
use crate::notice::shop::row::{MAX_SHOP_ROWS, ShopNoticeKind, ShopNoticeRow, cause};
use crate::notice::shop::{of_payment, of_subscription};
use crate::state::CustomerState;
use jiff::Timestamp;

/// A write of a record.
#[derive(Clone, Copy, Debug)]
pub struct RecordChange<'a> {
    /// Whose record it is.
    pub customer: &'a CustomerKey,
    /// The number of the write.
    pub sequence: u64,
    /// The state before.
    pub before: &'a CustomerState,
    /// The state after, with everything still in it that `before` has.
    pub after: &'a CustomerState,
    /// The events that it folded.
    pub events: &'a [&'a NormalizedEvent],
    /// The time of the latest event of all.
    pub last: Timestamp,
}

/// The rows that a write decides, at most [`MAX_SHOP_ROWS`]. What happened before the window makes
/// none. Of a guest who turned out to be somebody nothing is told: that customer's rows tell it.
pub fn shop_notices(change: &RecordChange<'_>, now: Timestamp) -> Vec<ShopNoticeRow> {
    if !change.after.identified_as.is_empty() {
        return Vec::new();
    }
    let events = Events {
        new: change.events,
        last: change.last,
    };
    let (before, after) = (change.before, change.after);
    let mut drafts: Vec<NoticeDraft> = Vec::new();
    drafts.extend(access(before, after, events));
    drafts.extend(of_subscription::drafts(
        &before.subscriptions,
        &after.subscriptions,
    ));
    drafts.extend(of_payment::drafts(
        &before.payments,
        &after.payments,
        events,
    ));
    drafts.extend(of_payment::of_invoices(
        &before.invoices,
        &after.invoices,
        events,
    ));
    drafts.extend(attribution(before, after, events));
    drafts.extend(change.events.iter().filter_map(|event| quarantined(event)));
    drafts.retain(|draft| ShopNoticeRow::is_timely(draft.at, now));
    // The latest news first, should there be too many; each kind in its order.
    if drafts.len() > MAX_SHOP_ROWS {
        drafts.sort_by_key(|draft| std::cmp::Reverse(draft.at));
    }
    let untold = drafts.len().saturating_sub(MAX_SHOP_ROWS);
    let untold = u32::try_from(untold).unwrap_or(u32::MAX);
    let row = |draft: NoticeDraft| ShopNoticeRow {
        customer: change.customer.clone(),
        kind: draft.kind,
        cause: draft.cause,
        at: draft.at,
        sequence: change.sequence,
        decided_at: now,
        untold,
        content: draft.content,
    };
    drafts.into_iter().take(MAX_SHOP_ROWS).map(row).collect()
}

/// That what decides what the customer may use is otherwise than before.
fn access(
    before: &CustomerState,
    after: &CustomerState,
    events: Events<'_>,
) -> Option<NoticeDraft> {
    let (before, after) = (AccessBasis::of(before), AccessBasis::of(after));
    if before == after {
        return None;
    }
    let at = changed_at(before.as_ref(), after.as_ref(), events);
    let both = before.iter().chain(&after);
    let parts: Vec<String> = both.flat_map(AccessBasis::parts).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let cause = cause(ACCESS, &parts);
    let content = AccessContent { before, after };
    Some(NoticeDraft {
        kind: ShopNoticeKind::AccessChanged,
        cause,
        at,
        content: ShopNoticeContent::Access(Box::new(content)),
    })
}

/// When a basis changed. What is new in it has a time of its own; anything else changed with the
/// latest event.
fn changed_at(
    before: Option<&AccessBasis>,
    after: Option<&AccessBasis>,
    events: Events<'_>,
) -> Timestamp {
    let (Some(before), Some(after)) = (before, after) else {
        return events.latest();
    };
    let subscriptions = after.subscriptions.iter();
    let subscriptions = subscriptions.filter_map(|(id, now)| match before.subscriptions.get(id) {
        Some(known) => (known != now).then(|| events.latest()),
        None => Some(
            now.subscription
                .ended_at
                .unwrap_or(now.subscription.started_at),
        ),
    });
    let known = |id| {
        before
            .purchases
            .iter()
            .find(move |known| known.payment == id)
    };
    let purchases = after.purchases.iter();
    let purchases = purchases.filter_map(|now| match known(now.payment.clone()) {
        Some(known) => (known != now).then(|| events.latest()),
        None => Some(now.paid_at),
    });
    let changes = subscriptions.chain(purchases).max();
    changes.unwrap_or_else(|| events.latest())
}

fn attribution(
    before: &CustomerState,
    after: &CustomerState,
    events: Events<'_>,
) -> Option<NoticeDraft> {
    let of = |state: &CustomerState| {
        let attribution = state.attribution()?;
        let referral = attribution.referral;
        Some(ReferralContent {
            partner: referral.partner.clone(),
            referral: referral.referral.clone(),
            referred_at: referral.referred_at,
        })
    };
    let (before, now) = (of(before), of(after));
    let name = |of: &ReferralContent| (of.partner.clone(), of.referral.clone());
    if before.as_ref().map(name) == now.as_ref().map(name) {
        return None;
    }
    let object = now.as_ref().map_or("none", |now| &*now.referral);
    let partner = now.as_ref().map_or("", |now| now.partner.as_str());
    Some(NoticeDraft {
        kind: ShopNoticeKind::ReferralAttributed,
        cause: cause(object, &[partner]),
        at: events.latest(),
        content: ShopNoticeContent::Referral(now),
    })
}

fn quarantined(event: &NormalizedEvent) -> Option<NoticeDraft> {
    event.is_unclear().then(|| NoticeDraft {
        kind: ShopNoticeKind::EventQuarantined,
        cause: event.id.as_str().into(),
        at: event.occurred_at,
        content: ShopNoticeContent::Event(Box::new(EventContent {
            id: event.id.clone(),
            kind: event.kind.clone(),
            unclear: event.unclear_parts(),
        })),
    })
}

/// What the cause of a change of access begins with.
const ACCESS: &str = "access";
