//! Attribution: which of the partners that report a customer is the one that counts.

use crate::ids::PartnerId;
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
    /// Referrals, by `partner/referral`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub referrals: BTreeMap<String, Referral>,
    /// Referral codes that the customer used.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seen_codes: BTreeSet<Arc<str>>,
    /// The terms of referrals, by `partner/referral`. The first ones stay in force.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attribution_terms: BTreeMap<String, EffectiveTerms>,
    /// People's last decisions about referrals, by `partner/referral`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<String, Decision>,
    /// Codes that were given to partners, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub codes: BTreeMap<Arc<str>, CodeGranted>,
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
    /// When the report was signed, or the code was first used.
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
    /// The referral that counts. Canceled, voided and out-of-window referrals do not. The program
    /// of the earliest one left decides whether that one counts or the last one before the first
    /// payment. `None` when no referral counts.
    pub fn attribution(&self, payments: &Payments) -> Option<Attribution<'_>> {
        let first_paid_at = self.first_paid_at(payments);
        let reported_at = |key: &str, referral: &Referral| {
            let terms = self.attribution_terms.get(key);
            terms.map_or(referral.referred_at, |terms| terms.reported_at)
        };
        let candidates = || {
            self.referrals
                .iter()
                .filter(|(key, referral)| self.refusal(key, referral, first_paid_at).is_none())
        };
        let first =
            candidates().min_by_key(|(key, referral)| (reported_at(key, referral), *key))?;
        let model = self
            .attribution_terms
            .get(first.0)
            .map(|terms| terms.program.attribution_model);
        let (key, referral) = match model.unwrap_or_default() {
            AttributionModel::First => first,
            AttributionModel::Last => candidates()
                .filter(|(_, referral)| {
                    first_paid_at.is_none_or(|paid| referral.referred_at <= paid)
                })
                .max_by_key(|(key, referral)| (referral.referred_at, *key))
                .unwrap_or(first),
        };
        let terms = self.attribution_terms.get(key);
        let released = self.decisions.get(key) == Some(&Decision::Release);
        Some(Attribution {
            referral,
            terms,
            self_referral_signal: terms
                .and_then(|terms| terms.self_referral_signal)
                .filter(|_| !released),
        })
    }

    /// A partner's referral by the partner's id of it; `code/NAME` for a referral by code.
    pub fn referral(&self, partner: &PartnerId, referral: &str) -> Option<&Referral> {
        self.referrals.get(&referral_key(partner, referral))
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

    pub(crate) fn apply_referral(&mut self, snapshot: &ReferralSnapshot) {
        let key = referral_key(&snapshot.partner, &snapshot.referral);
        let canceled = self
            .referrals
            .get(&key)
            .is_some_and(|current| current.canceled);
        let referral = Referral {
            partner: snapshot.partner.clone(),
            referral: snapshot.referral.clone(),
            referred_at: snapshot.referred_at,
            canceled,
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
            partner: partner.clone(),
            referral: referral.clone(),
            referred_at: at,
            canceled: true,
        };
        let key = referral_key(partner, referral);
        self.referrals.entry(key).or_insert_with(canceled).canceled = true;
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
    pub(crate) fn apply_code(&mut self, code: &Arc<str>, at: Timestamp, person: &Person) {
        self.seen_codes.insert(code.clone());
        let Some(granted) = self.codes.get(code).cloned() else {
            return;
        };
        let referral = referral_of_code(code);
        let key = referral_key(&granted.partner, &referral);
        self.referrals.entry(key.clone()).or_insert(Referral {
            partner: granted.partner,
            referral,
            referred_at: at,
            canceled: false,
        });
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
        let terms = || EffectiveTerms {
            reported_at,
            program: program.clone(),
            identity: identity.clone(),
            self_referral_signal: None,
        };
        self.attribution_terms.entry(key).or_insert_with(terms);
    }
}

/// The id of the referral that a partner's code makes: `code/NAME`.
pub(crate) fn referral_of_code(code: &str) -> Arc<str> {
    format!("code/{code}").into()
}

/// The key of a referral in the record: `partner/referral`.
pub(crate) fn referral_key(partner: &PartnerId, referral: &str) -> String {
    format!("{partner}/{referral}")
}
