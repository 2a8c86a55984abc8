//! What events say, taken together: facts with their positions, people and partners' reports.

use crate::proof::simulation::script::{ScriptedEvent, is_poison};
use domain::event::{Fact, NormalizedEvent, Position};
use domain::ids::Reference;
use domain::partner::referral::Referral;
use domain::person::Person;
use std::collections::{BTreeMap, BTreeSet};

/// An event as its journal has it: what was told, as the version that journaled it reads it.
#[derive(Clone, Copy)]
pub(crate) struct JournaledEvent<'a> {
    /// What was told.
    pub(crate) scripted: &'a ScriptedEvent,
    /// How it was read.
    pub(crate) normalized: &'a NormalizedEvent,
}

/// Something that an event says, and its place in the order of events.
pub(crate) type Positioned<'a, T> = (Position, &'a T);

/// All that these events say, but for those on which the fold panics.
pub(crate) fn facts<'a>(known: &[JournaledEvent<'a>]) -> Vec<Positioned<'a, Fact>> {
    let digestible = known.iter().filter(|known| !is_poison(known.normalized));
    digestible
        .flat_map(|k| {
            k.normalized
                .facts
                .iter()
                .map(|f| (k.normalized.position(), f))
        })
        .collect()
}

fn last<'a, T>(seen: impl Iterator<Item = Positioned<'a, T>>) -> Option<Positioned<'a, T>> {
    seen.max_by(|a, b| a.0.cmp(&b.0))
}

/// Who the customer is.
pub(crate) fn person(facts: &[Positioned<'_, Fact>]) -> Person {
    let profiles = |whole: bool| {
        facts.iter().filter_map(move |(at, fact)| match fact {
            Fact::Profile(profile) if profile.complete == whole => Some((at.clone(), profile)),
            _ => None,
        })
    };
    let mut person = Person {
        provider_profile: last(profiles(true)).map(|(_, profile)| profile.clone()),
        ..Person::default()
    };
    let seen = &mut person.fallback_profile;
    let some = |of: fn(&domain::person::Profile) -> &Option<std::sync::Arc<str>>| {
        let stated = profiles(false).filter(|(_, profile)| of(profile).is_some());
        last(stated).and_then(|(_, profile)| of(profile).clone())
    };
    seen.email = some(|profile| &profile.email);
    seen.name = some(|profile| &profile.name);
    seen.locale = some(|profile| &profile.locale);
    seen.country = some(|profile| &profile.country);
    let deleted = facts
        .iter()
        .filter(|(_, f)| matches!(f, Fact::CustomerDeleted));
    person.deleted_at = deleted.map(|(position, _)| position.at).max();
    person
}

/// What the customer is named by: persons, and the shop's own ids.
pub(crate) fn names(known: &[JournaledEvent<'_>]) -> BTreeSet<Reference> {
    let digestible = known.iter().filter(|known| !is_poison(known.normalized));
    let names = digestible.flat_map(|known| &known.normalized.references);
    let of_person = |name: &&Reference| {
        let name = name.as_str();
        name.starts_with("person/") || name.starts_with("shop/")
    };
    names.filter(of_person).cloned().collect()
}

/// What partners reported, by partner and referral: of each what was heard first.
pub(crate) fn reported_referrals(facts: &[Positioned<'_, Fact>]) -> BTreeMap<String, Referral> {
    let mut of_each: BTreeMap<String, Vec<(Rank, Referral)>> = BTreeMap::new();
    let mut canceled = BTreeSet::new();
    for (position, fact) in facts {
        let (rank, stated) = match fact {
            Fact::Referral(seen) => (
                (false, seen.reported_at, position.clone()),
                Referral {
                    partner: seen.partner.clone(),
                    referral: seen.referral.clone(),
                    referred_at: seen.referred_at,
                    reported_at: seen.reported_at,
                    names: seen.names.iter().cloned().collect(),
                    sub_ids: seen.sub_ids.clone(),
                    is_unreported: false,
                    canceled: false,
                    canceled_first_at: None,
                },
            ),
            Fact::ReferralCanceled { partner, referral } => (
                (true, None, position.clone()),
                Referral {
                    partner: partner.clone(),
                    referral: referral.clone(),
                    referred_at: position.at,
                    reported_at: None,
                    names: BTreeSet::new(),
                    sub_ids: BTreeMap::new(),
                    is_unreported: true,
                    canceled: true,
                    canceled_first_at: None,
                },
            ),
            _ => continue,
        };
        let key = format!("{}/{}", stated.partner, stated.referral);
        if stated.is_unreported {
            canceled.insert(key.clone());
        }
        of_each.entry(key).or_default().push((rank, stated));
    }
    let first = |(key, mut stated): (String, Vec<(Rank, Referral)>)| {
        stated.sort_by(|a, b| a.0.cmp(&b.0));
        let earliest = stated.iter().min_by(|a, b| a.0.2.cmp(&b.0.2))?;
        let canceled_first_at = earliest.1.is_unreported.then_some(earliest.0.2.at);
        let (_, first) = stated.into_iter().next()?;
        let first = Referral {
            canceled: canceled.contains(&key),
            canceled_first_at,
            ..first
        };
        Some((key, first))
    };
    of_each.into_iter().filter_map(first).collect()
}

/// Whether it is no more than a cancellation, when it was heard, and its place.
type Rank = (bool, Option<jiff::Timestamp>, Position);
