//! The reference for who sent a customer: what partners reported and what stays of it, by rules
//! written a second time, over sets.

use super::expected_payments;
use super::facts::{self, JournaledEvent, Positioned};
use crate::proof::simulation::script::PARTNERS;
use domain::event::{Fact, Position};
use domain::ids::{Reference, ReferralCode};
use domain::partner::attribution::{EffectiveTerms, MAX_REFERRALS, Partners};
use domain::partner::referral::{AttributionTerms, CodeGranted, Decision, Referral};
use domain::payment::payments::Payment;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of those who say that they sent a customer.
pub(crate) fn partners(known: &[JournaledEvent<'_>]) -> Partners {
    let facts = sorted(&facts::facts(known));
    let mut partners = Partners {
        names: facts::names(known),
        ..Partners::default()
    };
    for (place, (at, fact)) in facts.iter().enumerate() {
        match fact {
            Fact::AttributionTerms(pinned) => {
                let key = format!("{}/{}", pinned.partner, pinned.referral);
                pin(&mut partners, key, || {
                    attribution_terms(pinned, &facts, place)
                });
            }
            Fact::ReferralCode { code } => {
                partners.seen_codes.insert(code.clone());
                if let Some((key, used)) = code_referral(&facts[..place], code, at) {
                    pin(&mut partners, key, || {
                        attribution_terms(&used, &facts, place)
                    });
                }
            }
            Fact::Reviewed {
                partner,
                referral,
                decision,
            } => {
                let key = format!("{partner}/{referral}");
                partners.decisions.insert(key, *decision);
            }
            Fact::CodeGranted(granted) => {
                partners
                    .codes
                    .insert(granted.code.clone(), (**granted).clone());
            }
            Fact::Fingerprint { fingerprint } => {
                partners.fingerprints.insert(fingerprint.clone());
            }
            _ => {}
        }
    }
    partners.referrals = code_referrals(&facts);
    let by_code: Vec<String> = partners.referrals.keys().cloned().collect();
    partners.referrals.extend(facts::reported_referrals(&facts));
    forget_excess(&mut partners, &by_code);
    if !partners.attribution_terms.is_empty() {
        let closed = expected_payments::all_payments(&facts).1;
        partners.first_closed_at = closed.iter().filter_map(Payment::paid_at).min();
    }
    partners
}

/// Of two terms of one referral those that were heard first stand.
fn pin(partners: &mut Partners, key: String, terms: impl FnOnce() -> EffectiveTerms) {
    let terms = terms();
    let there = partners.attribution_terms.get(&key);
    if there.is_none_or(|there| terms.reported_at < there.reported_at) {
        partners.attribution_terms.insert(key, terms);
    }
}

/// Of each partner the first few that were heard are kept, besides those by code.
fn forget_excess(partners: &mut Partners, by_code: &[String]) {
    for partner in PARTNERS {
        let of_partner = |(key, report): &(&String, &Referral)| {
            report.partner.as_str() == partner && !by_code.contains(key)
        };
        let mut theirs: Vec<(&String, &Referral)> =
            partners.referrals.iter().filter(of_partner).collect();
        theirs.sort_by_key(|(key, report)| {
            let heard_at = heard_at(partners, key, report);
            (report.canceled_first_at.unwrap_or(heard_at), *key)
        });
        let excess = theirs.split_off(theirs.len().min(MAX_REFERRALS));
        let excess: Vec<String> = excess.into_iter().map(|(key, _)| key.clone()).collect();
        partners.referrals.retain(|key, _| !excess.contains(key));
        partners
            .attribution_terms
            .retain(|key, _| !excess.contains(key));
    }
}

/// When a report was heard.
pub(crate) fn heard_at(partners: &Partners, key: &str, report: &Referral) -> jiff::Timestamp {
    let pin = partners.attribution_terms.get(key);
    let pinned = pin.map_or(report.referred_at, |pin| pin.reported_at);
    report.reported_at.unwrap_or(pinned)
}

/// Whether the customer has all names that a report gives; a code by itself must be the partner's.
pub(crate) fn is_about(partners: &Partners, report: &Referral) -> bool {
    let codes = |name: &&Reference| name.as_str().starts_with("code/");
    let alone = report.names.iter().all(|name| codes(&name));
    report.names.iter().all(|name| {
        let Some(code) = name.as_code() else {
            return partners.names.contains(name);
        };
        let own = partners
            .codes
            .get(&code)
            .is_some_and(|given| given.partner == report.partner);
        partners.seen_codes.contains(&code) && (own || !alone)
    })
}

/// Whether a report has nothing but a code, and nobody released it.
pub(crate) fn is_by_code_alone(partners: &Partners, key: &str, report: &Referral) -> bool {
    let released = partners.decisions.get(key) == Some(&Decision::Release);
    let mut names = report.names.iter().map(Reference::as_str);
    !released && report.names.len() == 1 && names.all(|name| name.starts_with("code/"))
}

/// Codes that were a partner's when the customer first showed them, as reports.
fn code_referrals(facts: &[Positioned<'_, Fact>]) -> BTreeMap<String, Referral> {
    let facts = sorted(facts);
    let mut reports = BTreeMap::new();
    for (place, (at, fact)) in facts.iter().enumerate() {
        if let Fact::ReferralCode { code } = fact
            && let Some((key, used)) = code_referral(&facts[..place], code, at)
        {
            reports.entry(key).or_insert(Referral {
                partner: used.partner,
                referral: used.referral,
                referred_at: at.at,
                reported_at: None,
                names: BTreeSet::new(),
                sub_ids: BTreeMap::new(),
                is_unreported: false,
                canceled: false,
                canceled_first_at: None,
            });
        }
    }
    reports
}

/// The code as a report of whoever had it last, if anybody had it by then.
fn code_referral(
    before: &[Positioned<'_, Fact>],
    code: &ReferralCode,
    at: &Position,
) -> Option<(String, AttributionTerms)> {
    let granted: &CodeGranted = before.iter().rev().find_map(|(_, fact)| match fact {
        Fact::CodeGranted(granted) if granted.code == *code => Some(&**granted),
        _ => None,
    })?;
    let pinned = AttributionTerms {
        partner: granted.partner.clone(),
        referral: format!("code/{code}").into(),
        reported_at: at.at,
        program: granted.program.clone(),
        identity: granted.identity.clone(),
    };
    Some((format!("{}/{}", pinned.partner, pinned.referral), pinned))
}

/// A program as it was pinned at that place, and in what the customer was first seen, from then
/// on, to look like the partner.
fn attribution_terms(
    pinned: &AttributionTerms,
    facts: &[Positioned<'_, Fact>],
    place: usize,
) -> EffectiveTerms {
    let looks = |(at, (_, fact)): (usize, &Positioned<'_, Fact>)| {
        let tells = matches!(fact, Fact::Profile(_) | Fact::Fingerprint { .. });
        if at < place || !(tells || at == place) {
            return None;
        }
        let known = &facts[..=at];
        let marks = known.iter().filter_map(|(_, fact)| match fact {
            Fact::Fingerprint { fingerprint } => Some(fingerprint.clone()),
            _ => None,
        });
        pinned
            .identity
            .resembles(&facts::person(known), &marks.collect())
    };
    EffectiveTerms {
        reported_at: pinned.reported_at,
        program: pinned.program.clone(),
        identity: pinned.identity.clone(),
        self_referral_signal: facts.iter().enumerate().find_map(looks),
    }
}

fn sorted<'a>(facts: &[Positioned<'a, Fact>]) -> Vec<Positioned<'a, Fact>> {
    let mut facts = facts.to_vec();
    facts.sort_by(|a, b| a.0.cmp(&b.0));
    facts
}
