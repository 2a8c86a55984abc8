//! Partners and whom they sent, as the index keeps them.

use domain::ids::{CustomerKey, PartnerId};
use domain::partner::referral_status::referral_statuses;
use domain::state::CustomerState;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::partners::PartnerRow;

/// What is known of all partners.
#[derive(Default)]
pub(crate) struct PartnerIndex {
    rows: BTreeMap<PartnerId, Arc<PartnerRow>>,
    referrals: BTreeMap<PartnerId, ReferralsByCustomer>,
}

/// By customer and the partner's id of the referral.
type ReferralsByCustomer = BTreeMap<(Arc<str>, Arc<str>), ReferredCustomer>;

/// A customer whom a partner sent: nothing of the customer but its key.
#[derive(Clone, Serialize)]
pub(crate) struct ReferredCustomer {
    pub(crate) customer: Arc<str>,
    /// The partner's id of the referral.
    pub(crate) referral: Arc<str>,
    /// When the partner sent it, RFC 3339.
    pub(crate) at: String,
    /// As the partner is told: `waiting`, `attributed`, `held` or `refused`.
    pub(crate) status: &'static str,
    /// Why it is held or refused.
    pub(crate) reason: Option<&'static str>,
}

impl PartnerIndex {
    /// Takes in a partner as it was written; what is older is known already.
    pub(crate) fn add(&mut self, row: Arc<PartnerRow>) {
        let known = self.rows.get(&row.partner);
        if known.is_none_or(|known| known.version < row.version) {
            self.rows.insert(row.partner.clone(), row);
        }
    }

    /// Takes in who sent a customer.
    pub(crate) fn record_referrals(&mut self, customer: &CustomerKey, state: &CustomerState) {
        let standings = referral_statuses(&state.partners, &state.payments);
        for (name, known) in &state.partners.referrals {
            let standing = standings.get(name);
            let customer: Arc<str> = customer.as_str().into();
            let key = (customer.clone(), known.referral.clone());
            let sent = ReferredCustomer {
                customer,
                referral: known.referral.clone(),
                at: known.referred_at.to_string(),
                status: standing.map_or("waiting", |known| known.as_str()),
                reason: standing.and_then(|known| known.reason()),
            };
            let of_partner = self.referrals.entry(known.partner.clone()).or_default();
            of_partner.insert(key, sent);
        }
    }

    /// Every partner, by name, and how many referrals of its are known.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Arc<PartnerRow>, usize)> {
        let count = |row: &PartnerRow| self.referrals.get(&row.partner).map_or(0, BTreeMap::len);
        self.rows.values().map(move |row| (row, count(row)))
    }

    /// One partner and whom it sent.
    pub(crate) fn one(
        &self,
        partner: &PartnerId,
    ) -> Option<(Arc<PartnerRow>, Vec<ReferredCustomer>)> {
        let row = self.rows.get(partner)?.clone();
        let sent = self.referrals.get(partner).into_iter().flatten();
        Some((row, sent.map(|(_, sent)| sent.clone()).collect()))
    }
}
