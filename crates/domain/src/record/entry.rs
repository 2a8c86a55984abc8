//! One entry of a journal.

use crate::digest::Digest;
use crate::event::NormalizedEvent;
use crate::record::raw_item::RawItem;
use jiff::Timestamp;
use std::sync::Arc;

/// One journal entry: the raw wire item, and the event it was normalized to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The normalized event.
    pub event: NormalizedEvent,
    /// The wire item, byte for byte. The fold does not read it.
    pub raw: RawItem,
    /// The version of the normalizer that made the event.
    pub normalizer: u16,
    /// When we received it, by our clock. The fold does not read it.
    pub received_at: Timestamp,
    /// The id of the attempt that appended it, so that a repeated append knows its own write.
    pub receipt: Arc<str>,
    /// The digest of id, raw item and normalizer version.
    pub digest: Digest,
}

impl Entry {
    /// An entry to be appended; its digest is computed here. An event that is dated outside every
    /// sane time says nothing: see [`NormalizedEvent::dated_sanely`].
    pub fn new(
        event: NormalizedEvent,
        raw: Arc<[u8]>,
        normalizer: u16,
        received_at: Timestamp,
        receipt: Arc<str>,
    ) -> Self {
        let digest = Digest::of(&event.id, &raw, normalizer);
        Self {
            event: event.dated_sanely(received_at),
            raw: raw.into(),
            normalizer,
            received_at,
            receipt,
            digest,
        }
    }
}
