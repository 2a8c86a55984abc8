//! Attribution: which of the partners that report a customer is the one that counts.

use crate::event::About;
use crate::ids::{PartnerId, Reference, ReferralCode, normalize_referral_id};
use crate::partner::identity::{PartnerIdentity, SelfReferralSignal};
use crate::partner::program::{AttributionModel, Program};
use crate::partner::referral::{
    AttributionTerms, CodeGranted, Decision, Referral, ReferralRefusal, ReferralSnapshot,
};
use crate::payment::payments::Payments;
use crate::person::Person;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a customer's events say of the partners that may have sent it. Without a report of a
/// partner with a program it holds at most codes and fingerprints, because a report may still come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partners {
    /// Referrals, by `partner/referral`: of each partner the first [`MAX_REFERRALS`] that were
    /// heard. Later ones can't count before all of these are refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub referrals: BTreeMap<String, Referral>,
    /// What the customer is named by: persons and the shop's own ids, at most [`MAX_NAMES`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<Reference>,
    /// Referral codes that the customer used.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seen_codes: BTreeSet<ReferralCode>,
    /// The terms of referrals, by `partner/referral`. Those that were heard first stay in force.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attribution_terms: BTreeMap<String, EffectiveTerms>,
    /// People's last decisions about referrals, by `partner/referral`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<String, Decision>,
    /// Codes that were given to partners, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub codes: BTreeMap<ReferralCode, CodeGranted>,
    /// The providers' fingerprints of the cards and bank accounts the customer paid with.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fingerprints: BTreeSet<Arc<str>>,
    /// When the first of the payments that left the record was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_closed_at: Option<Timestamp>,
}

/// The terms of a referral in the state, and whether the customer looks like the partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectiveTerms {
    /// When the report was first heard, or the code was first used.
    pub reported_at: Timestamp,
    /// The program in force for this referral.
    pub program: Program,
    /// What the partner is recognized by.
    #[serde(default)]
    pub identity: PartnerIdentity,
    /// The first signal that the customer is the partner. It stays when the customer changes the
    /// address; only a person's decision lifts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_referral_signal: Option<SelfReferralSignal>,
}

/// The referral that counts for a customer, and on what terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution<'a> {
    /// The referral that counts.
    pub referral: &'a Referral,
    /// Its terms. `None` when the partner has no program.
    pub terms: Option<&'a EffectiveTerms>,
    /// Why its commissions wait for a person's decision. `None` when they do not wait.
    pub self_referral_signal: Option<SelfReferralSignal>,
}

impl Partners {
    /// Whether the events say nothing of partners.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether no partner earns, nor does a code that was given to one.
    pub(crate) fn is_without_terms(&self) -> bool {
        self.attribution_terms.is_empty() && self.codes.is_empty()
    }
}

impl Partners {
    /// The referral that counts. Those that are not about this customer do not, nor canceled,
    /// voided and out-of-window ones. The program of the one heard first decides whether that one
    /// counts or the last one heard before the first payment. One that waits for a person counts
    /// where no other does. `None` when no referral counts.
    ///
    /// When a partner says that it sent the customer moves none of this: it can't be proven.
    pub fn attribution(&self, payments: &Payments) -> Option<Attribution<'_>> {
        let first_paid_at = self.first_paid_at(payments);
        let candidates = || {
            self.referrals.iter().filter(|(key, referral)| {
                self.is_about_customer(referral)
                    && self.refusal(key, referral, first_paid_at).is_none()
            })
        };
        let waits = |key: &str, referral: &Referral| self.names_only_a_code(key, referral);
        let first = candidates().min_by_key(|(key, referral)| {
            (waits(key, referral), self.heard_at(key, referral), *key)
        })?;
        let model = self
            .attribution_terms
            .get(first.0)
            .map(|terms| terms.program.attribution_model);
        let (key, referral) = match model.unwrap_or_default() {
            AttributionModel::First => first,
            AttributionModel::Last => candidates()
                .filter(|(key, referral)| waits(key, referral) == waits(first.0, first.1))
                .filter(|(key, referral)| {
                    first_paid_at.is_none_or(|paid| self.heard_at(key, referral) <= paid)
                })
                .max_by_key(|(key, referral)| (self.heard_at(key, referral), *key))
                .unwrap_or(first),
        };
        let terms = self.attribution_terms.get(key);
        let released = self.decisions.get(key) == Some(&Decision::Release);
        let shared_code = waits(key, referral).then_some(SelfReferralSignal::SharedCode);
        Some(Attribution {
            referral,
            terms,
            self_referral_signal: terms
                .and_then(|terms| terms.self_referral_signal)
                .or(shared_code)
                .filter(|_| !released),
        })
    }

    /// Whether the customer has every name that the report gives. A code alone proves something
    /// only where it was given to the partner.
    pub(crate) fn is_about_customer(&self, referral: &Referral) -> bool {
        let only_codes = referral.names.iter().all(|name| name.as_code().is_some());
        referral.names.iter().all(|name| match name.as_code() {
            Some(code) => {
                let owner = || self.codes.get(&code).map(|granted| &granted.partner);
                self.seen_codes.contains(&code)
                    && (!only_codes || owner() == Some(&referral.partner))
            }
            None => self.names.contains(name),
        })
    }

    /// Whether a report names nobody but a code and waits for a person: it reaches whoever shows
    /// that code, also long before it was the partner's.
    fn names_only_a_code(&self, key: &str, referral: &Referral) -> bool {
        let only_codes = referral.names.iter().all(|name| name.as_code().is_some());
        let released = self.decisions.get(key) == Some(&Decision::Release);
        only_codes && !referral.names.is_empty() && !released
    }

    /// When a referral was first heard. Of older ones it is when they were signed.
    fn heard_at(&self, key: &str, referral: &Referral) -> Timestamp {
        let terms = self.attribution_terms.get(key);
        let known = terms.map(|terms| terms.reported_at);
        referral
            .reported_at
            .or(known)
            .unwrap_or(referral.referred_at)
    }

    /// A partner's referral of this customer by the partner's id of it; `code/NAME` for a referral
    /// by code.
    pub fn referral(&self, partner: &PartnerId, referral: &str) -> Option<&Referral> {
        let referral = self.referrals.get(&referral_key(partner, referral))?;
        self.is_about_customer(referral).then_some(referral)
    }

    /// The last decision of a person on a referral, named as in [`referral`](Self::referral).
    pub fn decision(&self, partner: &PartnerId, referral: &str) -> Option<Decision> {
        let key = referral_key(partner, referral);
        self.decisions.get(&key).copied()
    }

    /// Why a referral does not count by itself, without regard to other referrals. `None` when it
    /// may count.
    pub(crate) fn refusal(
        &self,
        key: &str,
        referral: &Referral,
        first_paid_at: Option<Timestamp>,
    ) -> Option<ReferralRefusal> {
        let outside = first_paid_at.is_some_and(|paid| {
            self.attribution_terms.get(key).is_some_and(|terms| {
                let program = &terms.program;
                !program.is_in_window(referral.referred_at, terms.reported_at, paid)
            })
        });
        if referral.canceled {
            Some(ReferralRefusal::Canceled)
        } else if self.decisions.get(key) == Some(&Decision::Void) {
            Some(ReferralRefusal::Void)
        } else if outside {
            Some(ReferralRefusal::OutsideWindow)
        } else {
            None
        }
    }

    /// When the customer first paid. `None` before the first payment.
    pub(crate) fn first_paid_at(&self, payments: &Payments) -> Option<Timestamp> {
        let open = payments.open.iter().filter_map(|p| p.paid_at());
        self.first_closed_at.into_iter().chain(open).min()
    }

    /// Notes whom the customer is named by, from then on.
    pub(crate) fn apply_names(&mut self, references: &[Reference]) {
        for name in references.iter().filter(|name| name.is_of_one_person()) {
            if self.names.len() < MAX_NAMES && !self.names.contains(name) {
                self.names.insert(name.clone());
            }
        }
    }

    /// What the report says that was heard first, it says for good: a partner can't date another
    /// one before it.
    pub(crate) fn apply_referral(&mut self, snapshot: &ReferralSnapshot, about: &About) {
        let key = referral_key(&snapshot.partner, &snapshot.referral);
        let known = self.referrals.get(&key);
        let canceled = known.is_some_and(|known| known.canceled);
        let canceled_first_at = known.and_then(|known| known.canceled_first_at);
        let is_first = known
            .is_none_or(|known| known.is_unreported || snapshot.reported_at < known.reported_at);
        if !is_first {
            return;
        }
        let names = match about {
            About::ByReference(names) if snapshot.names.is_empty() => names,
            About::ByReference(_) | About::Customer(_) => &snapshot.names,
        };
        let referral = Referral {
            partner: snapshot.partner.clone(),
            referral: snapshot.referral.clone(),
            referred_at: snapshot.referred_at,
            reported_at: snapshot.reported_at,
            names: names.iter().cloned().collect(),
            sub_ids: snapshot.sub_ids.clone(),
            is_unreported: false,
            canceled,
            canceled_first_at,
        };
        self.referrals.insert(key, referral);
    }

    /// A cancellation that comes before its report is kept as a canceled referral.
    pub(crate) fn apply_cancellation(
        &mut self,
        partner: &PartnerId,
        referral: &Arc<str>,
        at: Timestamp,
    ) {
        let canceled = || Referral {
            is_unreported: true,
            canceled_first_at: Some(at),
            ..Referral::new(partner.clone(), referral.clone(), at)
        };
        let key = referral_key(partner, referral);
        let referral = self.referrals.entry(key).or_insert_with(canceled);
        referral.canceled = true;
    }

    /// Forgets referrals beyond the bound of each partner. Those that are left out were heard of
    /// after all that stay, so whatever is heard of them later is later still: none comes back.
    pub(crate) fn forget_excess_referrals(&mut self) {
        if self.referrals.len() <= MAX_REFERRALS {
            return;
        }
        let mut order: Vec<(&PartnerId, Timestamp, &String)> = self
            .referrals
            .iter()
            .filter(|(_, referral)| !self.is_by_code(referral))
            .map(|(key, referral)| {
                let heard_at = self.heard_at(key, referral);
                let heard_of_at = referral.canceled_first_at.unwrap_or(heard_at);
                (&referral.partner, heard_of_at, key)
            })
            .collect();
        order.sort();
        let partners = order.chunk_by(|one, next| one.0 == next.0);
        let excess: Vec<String> = partners
            .flat_map(|of_partner| of_partner.iter().skip(MAX_REFERRALS))
            .map(|(_, _, key)| String::clone(key))
            .collect();
        for key in excess {
            self.referrals.remove(&key);
            self.attribution_terms.remove(&key);
        }
    }

    /// Whether a code made it, whoever has that code by now: the customer showed it. The shop
    /// bounds the number of those.
    fn is_by_code(&self, referral: &Referral) -> bool {
        let mut shown = self.seen_codes.iter();
        let is_made = !referral.is_unreported;
        is_made && shown.any(|code| code.referral_id() == referral.referral)
    }

    pub(crate) fn apply_terms(&mut self, terms: &AttributionTerms, person: &Person) {
        let key = referral_key(&terms.partner, &terms.referral);
        self.add_terms(key, terms.reported_at, &terms.program, &terms.identity);
        self.detect_self_referral(person);
    }

    pub(crate) fn apply_code_granted(&mut self, granted: &CodeGranted) {
        self.codes.insert(granted.code.clone(), granted.clone());
    }

    /// The customer used a code. If it was given to a partner by then, this makes a referral of
    /// that partner.
    pub(crate) fn apply_code(&mut self, code: &ReferralCode, at: Timestamp, person: &Person) {
        self.seen_codes.insert(code.clone());
        let Some(granted) = self.codes.get(code).cloned() else {
            return;
        };
        let referral = code.referral_id();
        let key = referral_key(&granted.partner, &referral);
        let shown = || Referral::new(granted.partner, referral, at);
        self.referrals.entry(key.clone()).or_insert_with(shown);
        self.add_terms(key, at, &granted.program, &granted.identity);
        self.detect_self_referral(person);
    }

    pub(crate) fn apply_decision(
        &mut self,
        partner: &PartnerId,
        referral: &str,
        decision: Decision,
    ) {
        let key = referral_key(partner, referral);
        self.decisions.insert(key, decision);
    }

    pub(crate) fn apply_fingerprint(&mut self, fingerprint: &Arc<str>, person: &Person) {
        self.fingerprints.insert(fingerprint.clone());
        self.detect_self_referral(person);
    }

    /// Compares the customer with the partners that reported it.
    pub(crate) fn detect_self_referral(&mut self, person: &Person) {
        let fingerprints = &self.fingerprints;
        for terms in self.attribution_terms.values_mut() {
            terms.self_referral_signal = terms
                .self_referral_signal
                .or_else(|| terms.identity.resembles(person, fingerprints));
        }
    }

    fn add_terms(
        &mut self,
        key: String,
        reported_at: Timestamp,
        program: &Program,
        identity: &PartnerIdentity,
    ) {
        let pinned = self.attribution_terms.get(&key);
        if pinned.is_some_and(|pinned| pinned.reported_at <= reported_at) {
            return;
        }
        let terms = EffectiveTerms {
            reported_at,
            program: program.clone(),
            identity: identity.clone(),
            self_referral_signal: None,
        };
        self.attribution_terms.insert(key, terms);
    }
}

/// The key of a referral in the record: `partner/referral`.
pub(crate) fn referral_key(partner: &PartnerId, referral: &str) -> String {
    format!("{partner}/{}", normalize_referral_id(referral))
}

/// How many referrals of one partner a customer's record keeps, those by code apart.
pub const MAX_REFERRALS: usize = 8;

/// How many names of a customer its record keeps.
pub const MAX_NAMES: usize = 32;
