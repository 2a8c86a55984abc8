//! Which partners may have rows for a customer, as the customer's whole journal says.

use crate::event::Fact;
use crate::ids::PartnerId;
use crate::record::Entry;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The partners that may have rows for the customer of this journal.
pub fn partners_of(journal: &[Arc<Entry>]) -> BTreeSet<&PartnerId> {
    let mut partners = BTreeSet::new();
    for fact in journal.iter().flat_map(|entry| &entry.event.facts) {
        if let Fact::AttributionTerms(terms) = fact {
            partners.insert(&terms.partner);
        } else if let Fact::CodeGranted(granted) = fact {
            partners.insert(&granted.partner);
        }
    }
    partners
}

/// The referrals of which a partner may have rows for the customer of this journal: the partner,
/// and the partner's id of the referral.
pub fn referrals_of(journal: &[Arc<Entry>]) -> BTreeSet<(&PartnerId, Arc<str>)> {
    let mut referrals = BTreeSet::new();
    for fact in journal.iter().flat_map(|entry| &entry.event.facts) {
        if let Fact::AttributionTerms(terms) = fact {
            referrals.insert((&terms.partner, terms.referral.clone()));
        } else if let Fact::CodeGranted(granted) = fact {
            referrals.insert((&granted.partner, granted.code.referral_id()));
        }
    }
    referrals
}
