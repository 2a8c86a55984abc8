//! A partner's report whose sender is verified.

use super::error::UnreadableReport;
use super::report::ReferralReport;
use crate::verified::VerifiedItems;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A partner's report, and when it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReport {
    /// Its bytes.
    pub raw: Arc<[u8]>,
    /// By the partner's clock, within the tolerance; by ours where a token proves it.
    pub signed_at: Timestamp,
    /// The partner's id of it. Sent again under this id, it is a repetition or a conflict.
    pub message_id: Arc<str>,
    /// What they mean.
    pub report: ReferralReport,
}

impl VerifiedReport {
    /// A hash of the content, which distinguishes a repetition from a conflict.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.raw))
    }
}

/// The only item of what was verified.
pub(super) fn only_item(verified: &VerifiedItems) -> Result<Arc<[u8]>, UnreadableReport> {
    let item = verified.items().first().cloned();
    item.ok_or_else(|| UnreadableReport::Body("the body is empty".into()))
}
