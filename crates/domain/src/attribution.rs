//! Attribution: of all who say that they sent a customer, the one that counts.

use crate::ids::PartnerId;
use crate::program::{Claim, CodeGranted, Decision, Own, Pinned, Program, Suspicion};
use crate::reading::Fact;
use crate::record::Entry;
use crate::standing::Reason;
use crate::state::{Referral, State};
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
    pub pins: BTreeMap<String, Pin>,
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
pub struct Pin {
    /// When the report was signed; of a code when it was first used.
    pub reported_at: Timestamp,
    /// On what terms.
    pub program: Program,
    /// Who the partner is.
    #[serde(default)]
    pub own: Own,
    /// In what the customer was first seen to look like the partner. It stays when the customer
    /// takes another address: only a person lifts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspicion: Option<Suspicion>,
}

/// Who is owed for a customer, and on what terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution<'a> {
    /// The referral that counts.
    pub referral: &'a Referral,
    /// Its program; none where the partner has none.
    pub pin: Option<&'a Pin>,
    /// Why what it earns waits for a person.
    pub suspicion: Option<Suspicion>,
}

impl Partners {
    /// Nothing known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl State {
    /// The referral that counts, of those that were not taken back, voided or out of their
    /// window: as the earliest's program has it the earliest, or the last one before the first
    /// payment.
    pub fn attribution(&self) -> Option<Attribution<'_>> {
        let first_paid_at = self.first_paid_at();
        let reported_at = |key: &str, referral: &Referral| {
            let pin = self.partners.pins.get(key);
            pin.map_or(referral.referred_at, |pin| pin.reported_at)
        };
        let candidates = || {
            self.referrals
                .iter()
                .filter(|(key, known)| self.refusal(key, known).is_none())
        };
        let first = candidates().min_by_key(|(key, known)| (reported_at(key, known), *key))?;
        let claim = self.partners.pins.get(first.0).map(|pin| pin.program.claim);
        let (key, referral) = match claim.unwrap_or_default() {
            Claim::First => first,
            Claim::Last => candidates()
                .filter(|(_, known)| first_paid_at.is_none_or(|paid| known.referred_at <= paid))
                .max_by_key(|(key, known)| (known.referred_at, *key))
                .unwrap_or(first),
        };
        let pin = self.partners.pins.get(key);
        let released = self.partners.decisions.get(key) == Some(&Decision::Release);
        Some(Attribution {
            referral,
            pin,
            suspicion: pin.and_then(|pin| pin.suspicion).filter(|_| !released),
        })
    }

    /// A referral of a partner, as the partner names it; of a code `code/NAME`.
    pub fn referral(&self, partner: &PartnerId, referral: &str) -> Option<&Referral> {
        self.referrals.get(&key(partner, referral))
    }

    /// What people decided of it last.
    pub fn decision(&self, partner: &PartnerId, referral: &str) -> Option<Decision> {
        self.partners
            .decisions
            .get(&key(partner, referral))
            .copied()
    }

    /// Why a report does not count, whatever others there are.
    pub(crate) fn refusal(&self, key: &str, referral: &Referral) -> Option<Reason> {
        let outside = self.first_paid_at().is_some_and(|paid| {
            self.partners.pins.get(key).is_some_and(|pin| {
                let program = &pin.program;
                !program.is_in_window(referral.referred_at, pin.reported_at, paid)
            })
        });
        if referral.canceled {
            Some(Reason::Canceled)
        } else if self.partners.decisions.get(key) == Some(&Decision::Void) {
            Some(Reason::Void)
        } else if outside {
            Some(Reason::OutsideWindow)
        } else {
            None
        }
    }

    /// When the customer first paid.
    pub(crate) fn first_paid_at(&self) -> Option<Timestamp> {
        let open = self.payments.open.iter().filter_map(|p| p.paid_at());
        self.partners.first_closed_at.into_iter().chain(open).min()
    }

    pub(crate) fn apply_pinned(&mut self, pinned: &Pinned) {
        let key = key(&pinned.partner, &pinned.referral);
        self.pin(key, pinned.reported_at, &pinned.program, &pinned.own);
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
        let referral = by_code(code);
        let key = key(&granted.partner, &referral);
        self.referrals.entry(key.clone()).or_insert(Referral {
            partner: granted.partner,
            referral,
            referred_at: at,
            canceled: false,
        });
        self.pin(key, at, &granted.program, &granted.own);
    }

    pub(crate) fn apply_review(&mut self, partner: &PartnerId, referral: &str, said: Decision) {
        self.partners.decisions.insert(key(partner, referral), said);
    }

    pub(crate) fn apply_fingerprint(&mut self, fingerprint: &Arc<str>) {
        self.partners.fingerprints.insert(fingerprint.clone());
        self.suspect();
    }

    /// Compares the customer with those who sent it.
    pub(crate) fn suspect(&mut self) {
        let fingerprints = &self.partners.fingerprints;
        for pin in self.partners.pins.values_mut() {
            pin.suspicion = pin
                .suspicion
                .or_else(|| pin.own.resembles(&self.person, fingerprints));
        }
    }

    fn pin(&mut self, key: String, reported_at: Timestamp, program: &Program, own: &Own) {
        self.partners.pins.entry(key).or_insert_with(|| Pin {
            reported_at,
            program: program.clone(),
            own: own.clone(),
            suspicion: None,
        });
        self.suspect();
    }
}

/// The partners that may have rows for the customer of this journal.
pub fn partners_of(journal: &[Arc<Entry>]) -> BTreeSet<&PartnerId> {
    let mut partners = BTreeSet::new();
    for fact in journal.iter().flat_map(|entry| &entry.reading.facts) {
        if let Fact::Pinned(pinned) = fact {
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
    for fact in journal.iter().flat_map(|entry| &entry.reading.facts) {
        if let Fact::Pinned(pinned) = fact {
            referrals.insert((&pinned.partner, pinned.referral.clone()));
        } else if let Fact::CodeGranted(granted) = fact {
            referrals.insert((&granted.partner, by_code(&granted.code)));
        }
    }
    referrals
}

/// The id of the referral that a code of a partner's makes.
fn by_code(code: &str) -> Arc<str> {
    format!("code/{code}").into()
}

/// Under which a report stands in the record.
pub(crate) fn key(partner: &PartnerId, referral: &str) -> String {
    format!("{partner}/{referral}")
}
