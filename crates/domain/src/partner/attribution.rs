//! Attribution: of all who say that they sent a customer, the one that counts.

use crate::event::Fact;
use crate::ids::PartnerId;
use crate::partner::program::{
    AttributionModel, AttributionTerms, CodeGranted, Decision, PartnerIdentity, Program,
    SelfReferralSignal,
};
use crate::partner::referral_status::ReferralRefusal;
use crate::record::Entry;
use crate::state::{CustomerState, Referral};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What attribution rests on besides the reports themselves. Of customers whom no partner with a
/// program sent it holds at most what they paid with: a report may still come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partners {
    /// The programs of reports, by `partner/referral`; what was pinned first stays.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attribution_terms: BTreeMap<String, EffectiveTerms>,
    /// What people decided of reports, by `partner/referral`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<String, Decision>,
    /// Codes that belong to partners.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub codes: BTreeMap<Arc<str>, CodeGranted>,
    /// What the customer paid with.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fingerprints: BTreeSet<Arc<str>>,
    /// The first payment of those that left the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_closed_at: Option<Timestamp>,
}

/// A report's program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectiveTerms {
    /// When the report was signed; of a code when it was first used.
    pub reported_at: Timestamp,
    /// On what terms.
    pub program: Program,
    /// Who the partner is.
    #[serde(default)]
    pub identity: PartnerIdentity,
    /// In what the customer was first seen to look like the partner. It stays when the customer
    /// takes another address: only a person lifts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_referral_signal: Option<SelfReferralSignal>,
}

/// Who is owed for a customer, and on what terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution<'a> {
    /// The referral that counts.
    pub referral: &'a Referral,
    /// Its program; none where the partner has none.
    pub terms: Option<&'a EffectiveTerms>,
    /// Why what it earns waits for a person.
    pub self_referral_signal: Option<SelfReferralSignal>,
}

impl Partners {
    /// Nothing known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl CustomerState {
    /// The referral that counts, of those that were not taken back, voided or out of their
    /// window: as the earliest's program has it the earliest, or the last one before the first
    /// payment.
    pub fn attribution(&self) -> Option<Attribution<'_>> {
        let first_paid_at = self.first_paid_at();
        let reported_at = |key: &str, referral: &Referral| {
            let pin = self.partners.attribution_terms.get(key);
            pin.map_or(referral.referred_at, |pin| pin.reported_at)
        };
        let candidates = || {
            self.referrals
                .iter()
                .filter(|(key, known)| self.refusal(key, known).is_none())
        };
        let first = candidates().min_by_key(|(key, known)| (reported_at(key, known), *key))?;
        let claim = self
            .partners
            .attribution_terms
            .get(first.0)
            .map(|pin| pin.program.attribution_model);
        let (key, referral) = match claim.unwrap_or_default() {
            AttributionModel::First => first,
            AttributionModel::Last => candidates()
                .filter(|(_, known)| first_paid_at.is_none_or(|paid| known.referred_at <= paid))
                .max_by_key(|(key, known)| (known.referred_at, *key))
                .unwrap_or(first),
        };
        let pin = self.partners.attribution_terms.get(key);
        let released = self.partners.decisions.get(key) == Some(&Decision::Release);
        Some(Attribution {
            referral,
            terms: pin,
            self_referral_signal: pin
                .and_then(|pin| pin.self_referral_signal)
                .filter(|_| !released),
        })
    }

    /// A referral of a partner, as the partner names it; of a code `code/NAME`.
    pub fn referral(&self, partner: &PartnerId, referral: &str) -> Option<&Referral> {
        self.referrals.get(&referral_key(partner, referral))
    }

    /// What people decided of it last.
    pub fn decision(&self, partner: &PartnerId, referral: &str) -> Option<Decision> {
        self.partners
            .decisions
            .get(&referral_key(partner, referral))
            .copied()
    }

    /// Why a report does not count, whatever others there are.
    pub(crate) fn refusal(&self, key: &str, referral: &Referral) -> Option<ReferralRefusal> {
        let outside = self.first_paid_at().is_some_and(|paid| {
            self.partners.attribution_terms.get(key).is_some_and(|pin| {
                let program = &pin.program;
                !program.is_in_window(referral.referred_at, pin.reported_at, paid)
            })
        });
        if referral.canceled {
            Some(ReferralRefusal::Canceled)
        } else if self.partners.decisions.get(key) == Some(&Decision::Void) {
            Some(ReferralRefusal::Void)
        } else if outside {
            Some(ReferralRefusal::OutsideWindow)
        } else {
            None
        }
    }

    /// When the customer first paid.
    pub(crate) fn first_paid_at(&self) -> Option<Timestamp> {
        let open = self.payments.open.iter().filter_map(|p| p.paid_at());
        self.partners.first_closed_at.into_iter().chain(open).min()
    }

    pub(crate) fn apply_attribution_terms(&mut self, pinned: &AttributionTerms) {
        let key = referral_key(&pinned.partner, &pinned.referral);
        self.add_attribution_terms(key, pinned.reported_at, &pinned.program, &pinned.identity);
    }

    pub(crate) fn apply_code_granted(&mut self, granted: &CodeGranted) {
        let codes = &mut self.partners.codes;
        codes.insert(granted.code.clone(), granted.clone());
    }

    /// A code is seen in what the customer's provider sent: if it is a partner's by then, that
    /// is the partner's report.
    pub(crate) fn apply_code(&mut self, code: &Arc<str>, at: Timestamp) {
        self.codes.insert(code.clone());
        let Some(granted) = self.partners.codes.get(code).cloned() else {
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
        self.add_attribution_terms(key, at, &granted.program, &granted.identity);
    }

    pub(crate) fn apply_review(&mut self, partner: &PartnerId, referral: &str, said: Decision) {
        self.partners
            .decisions
            .insert(referral_key(partner, referral), said);
    }

    pub(crate) fn apply_fingerprint(&mut self, fingerprint: &Arc<str>) {
        self.partners.fingerprints.insert(fingerprint.clone());
        self.detect_self_referral();
    }

    /// Compares the customer with those who sent it.
    pub(crate) fn detect_self_referral(&mut self) {
        let fingerprints = &self.partners.fingerprints;
        for pin in self.partners.attribution_terms.values_mut() {
            pin.self_referral_signal = pin
                .self_referral_signal
                .or_else(|| pin.identity.resembles(&self.person, fingerprints));
        }
    }

    fn add_attribution_terms(
        &mut self,
        key: String,
        reported_at: Timestamp,
        program: &Program,
        own: &PartnerIdentity,
    ) {
        self.partners
            .attribution_terms
            .entry(key)
            .or_insert_with(|| EffectiveTerms {
                reported_at,
                program: program.clone(),
                identity: own.clone(),
                self_referral_signal: None,
            });
        self.detect_self_referral();
    }
}

/// The partners that may have rows for the customer of this journal.
pub fn partners_of(journal: &[Arc<Entry>]) -> BTreeSet<&PartnerId> {
    let mut partners = BTreeSet::new();
    for fact in journal.iter().flat_map(|entry| &entry.event.facts) {
        if let Fact::AttributionTerms(pinned) = fact {
            partners.insert(&pinned.partner);
        } else if let Fact::CodeGranted(granted) = fact {
            partners.insert(&granted.partner);
        }
    }
    partners
}

/// The reports of this journal that a partner may have been told of, by partner and the
/// partner's id of the referral.
pub fn referrals_of(journal: &[Arc<Entry>]) -> BTreeSet<(&PartnerId, Arc<str>)> {
    let mut referrals = BTreeSet::new();
    for fact in journal.iter().flat_map(|entry| &entry.event.facts) {
        if let Fact::AttributionTerms(pinned) = fact {
            referrals.insert((&pinned.partner, pinned.referral.clone()));
        } else if let Fact::CodeGranted(granted) = fact {
            referrals.insert((&granted.partner, referral_of_code(&granted.code)));
        }
    }
    referrals
}

/// The id of the referral that a code of a partner's makes.
fn referral_of_code(code: &str) -> Arc<str> {
    format!("code/{code}").into()
}

/// Under which a report stands in the record.
pub(crate) fn referral_key(partner: &PartnerId, referral: &str) -> String {
    format!("{partner}/{referral}")
}
