//! What events say, taken together: facts with their positions, people and partners' reports.

use crate::proof::simulation::script::{ScriptedEvent, is_poison};
use domain::event::{Fact, NormalizedEvent, Position};
use domain::partner::referral::Referral;
use domain::person::Person;
use std::collections::BTreeMap;

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
        let told = profiles(false).filter(|(_, profile)| of(profile).is_some());
        last(told).and_then(|(_, profile)| of(profile).clone())
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

/// What partners reported, by partner and referral.
pub(crate) fn reported_referrals(facts: &[Positioned<'_, Fact>]) -> BTreeMap<String, Referral> {
    let mut referrals: BTreeMap<String, (Option<Position>, Referral)> = BTreeMap::new();
    for (position, fact) in facts {
        let (partner, referral, referred_at, canceled) = match fact {
            Fact::Referral(seen) => (&seen.partner, &seen.referral, seen.referred_at, false),
            Fact::ReferralCanceled { partner, referral } => (partner, referral, position.at, true),
            _ => continue,
        };
        let told = Referral {
            partner: partner.clone(),
            referral: referral.clone(),
            referred_at,
            canceled,
        };
        let rank = (!canceled).then(|| position.clone());
        let key = format!("{partner}/{referral}");
        let known = referrals.entry(key).or_insert((rank.clone(), told.clone()));
        let canceled = known.1.canceled || canceled;
        // The latest report counts; without any, the first cancellation stands for it.
        let earlier = rank.is_none() && known.0.is_none() && told.referred_at < known.1.referred_at;
        if rank > known.0 || earlier {
            *known = (rank, told);
        }
        known.1.canceled = canceled;
    }
    let plain = |(key, (_, referral))| (key, referral);
    referrals.into_iter().map(plain).collect()
}
