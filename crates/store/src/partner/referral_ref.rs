//! A partner's referral, as decisions name it.

use domain::ids::{PartnerId, Reference, normalize_referral_id};
use std::sync::Arc;

/// A referral of a partner, as the partner names it; of a code `code/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferralRef {
    pub(crate) partner: PartnerId,
    pub(crate) referral: Arc<str>,
}

impl ReferralRef {
    /// The referral of this id, a code's however it is spelled.
    pub fn new(partner: PartnerId, referral: &str) -> Self {
        Self {
            partner,
            referral: normalize_referral_id(referral),
        }
    }

    /// Whose.
    pub fn partner(&self) -> &PartnerId {
        &self.partner
    }

    /// Its id.
    pub fn referral(&self) -> &str {
        &self.referral
    }

    /// What leads to its customers by itself: the code that made it.
    pub(crate) fn by_code(&self) -> Option<Reference> {
        let reference = Reference::parse(self.referral.clone()).ok()?;
        reference.as_code().map(|code| Reference::from(&code))
    }
}
