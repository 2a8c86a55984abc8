//! A partner's report that is shown to be the partner's.

use super::error::UnreadableReport;
use super::report::ReferralReport;
use crate::outcome::ReceivedItem;
use crate::verified::VerifiedItems;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What a partner's report says, and when it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReport {
    /// Its bytes and what they mean.
    pub received: ReceivedItem,
    /// By the partner's clock, which was near ours; of a token, which has none, by ours.
    pub signed_at: Timestamp,
    /// What the partner calls it: told again under this id, it is the same or a conflict.
    pub message_id: Arc<str>,
    /// What it says; none of a type we do not act on.
    pub report: Option<ReferralReport>,
}

impl VerifiedReport {
    /// A hash of what was said, by which a repetition is told from a conflict.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.received.raw))
    }
}

/// The only item of what was verified.
pub(super) fn only_item(verified: &VerifiedItems) -> Result<Arc<[u8]>, UnreadableReport> {
    let item = verified.items().first().cloned();
    item.ok_or_else(|| UnreadableReport::Body("the body is empty".into()))
}
