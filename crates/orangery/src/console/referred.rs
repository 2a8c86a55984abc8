//! Partners and whom they sent, as the index keeps them.

use domain::ids::{CustomerKey, PartnerId};
use domain::program::Decision;
use domain::state::{Referral, State};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::partners::PartnerRow;

/// What is known of all partners.
#[derive(Default)]
pub(super) struct Partners {
    rows: BTreeMap<PartnerId, Arc<PartnerRow>>,
    /// By partner, customer and the partner's id of the referral.
    sent: BTreeMap<PartnerId, BTreeMap<(Arc<str>, Arc<str>), Sent>>,
}

/// A customer whom a partner sent: nothing of the customer but its key.
#[derive(Clone, Serialize)]
pub(super) struct Sent {
    pub(super) customer: Arc<str>,
    /// The partner's id of the referral.
    pub(super) referral: Arc<str>,
    /// When the partner sent it, RFC 3339.
    pub(super) at: String,
    /// `counts`, `held`, `canceled`, `void` or `passed_over`.
    pub(super) standing: &'static str,
}

impl Partners {
    /// Takes in a partner as it was written; what is older is known already.
    pub(super) fn add(&mut self, row: Arc<PartnerRow>) {
        let known = self.rows.get(&row.partner);
        if known.is_none_or(|known| known.version < row.version) {
            self.rows.insert(row.partner.clone(), row);
        }
    }

    /// Takes in who sent a customer.
    pub(super) fn sent(&mut self, customer: &CustomerKey, state: &State) {
        for known in state.referrals.values() {
            let customer: Arc<str> = customer.as_str().into();
            let key = (customer.clone(), known.referral.clone());
            let sent = Sent {
                customer,
                referral: known.referral.clone(),
                at: known.referred_at.to_string(),
                standing: standing(state, known),
            };
            let of_partner = self.sent.entry(known.partner.clone()).or_default();
            of_partner.insert(key, sent);
        }
    }

    /// Every partner, by name, and how many referrals of its are known.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<PartnerRow>, usize)> {
        let count = |row: &PartnerRow| self.sent.get(&row.partner).map_or(0, BTreeMap::len);
        self.rows.values().map(move |row| (row, count(row)))
    }

    /// One partner and whom it sent.
    pub(super) fn one(&self, partner: &PartnerId) -> Option<(Arc<PartnerRow>, Vec<Sent>)> {
        let row = self.rows.get(partner)?.clone();
        let sent = self.sent.get(partner).into_iter().flatten();
        Some((row, sent.map(|(_, sent)| sent.clone()).collect()))
    }
}

fn standing(state: &State, known: &Referral) -> &'static str {
    let counts = state.attribution();
    let counts = counts.filter(|attribution| attribution.referral == known);
    if known.canceled {
        "canceled"
    } else if state.decision(&known.partner, &known.referral) == Some(Decision::Void) {
        "void"
    } else {
        match counts.map(|attribution| attribution.suspicion) {
            Some(Some(_)) => "held",
            Some(None) => "counts",
            None => "passed_over",
        }
    }
}
