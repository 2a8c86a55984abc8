//! One thing to tell, before it is a row, and when what the events say of happened.

use crate::event::{Fact, NormalizedEvent};
use crate::ids::ObjectId;
use crate::notice::shop::content::ShopNoticeContent;
use crate::notice::shop::row::ShopNoticeKind;
use jiff::Timestamp;
use std::sync::Arc;

/// One thing to tell.
pub(super) struct NoticeDraft {
    pub(super) kind: ShopNoticeKind,
    pub(super) cause: Arc<str>,
    /// When it happened.
    pub(super) at: Timestamp,
    pub(super) content: ShopNoticeContent,
}

/// The events that changed a state. They date what the state itself has no time of.
#[derive(Clone, Copy)]
pub(super) struct Events<'a> {
    pub(super) new: &'a [&'a NormalizedEvent],
    /// The time of the latest of all events.
    pub(super) last: Timestamp,
}

impl Events<'_> {
    /// When the latest of them happened.
    pub(super) fn latest(self) -> Timestamp {
        let times = self.new.iter().map(|event| event.occurred_at);
        times.max().unwrap_or(self.last)
    }

    /// When a dispute came to its state.
    pub(super) fn of_dispute(self, id: &ObjectId) -> Timestamp {
        let tells = |event: &&&NormalizedEvent| {
            let mut facts = event.facts.iter();
            facts.any(|fact| matches!(fact, Fact::Dispute(snapshot) if snapshot.id == *id))
        };
        let times = self.new.iter().filter(tells).map(|e| e.occurred_at);
        times.max().unwrap_or_else(|| self.latest())
    }
}
