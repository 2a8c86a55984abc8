//! What a customer may use: the catalog's features, given by what the record says the customer has.
//! The page beside it (`README.md`) has the rules and the access policy.

pub mod answer;
pub mod basis;
mod access_at;
mod holding;

use crate::catalog::Catalog;
use crate::catalog::feature::{Feature, FeatureGrant, FeatureKind, FeatureScale};
use crate::state::CustomerState;
use answer::{AccessReason, Answer, EntitlementSource, Entitlements, Want};
use basis::AccessBasis;
use holding::{Holding, MAX_MOMENTS, Portfolio};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a customer may use of each feature that the catalog lists.
pub fn entitlements(state: &CustomerState, catalog: &Catalog, now: Timestamp) -> Entitlements {
    entitlements_at(&Portfolio::new(state, catalog), catalog, now)
}

/// The same of a [basis](AccessBasis) that was kept.
pub fn entitlements_of(basis: &AccessBasis, catalog: &Catalog, now: Timestamp) -> Entitlements {
    entitlements_at(&Portfolio::of_basis(basis, catalog), catalog, now)
}

fn entitlements_at(portfolio: &Portfolio<'_>, catalog: &Catalog, now: Timestamp) -> Entitlements {
    let timeline = Timeline::new(portfolio, now);
    let features = catalog.features.iter();
    let features: Vec<Answer> = features
        .map(|(key, feature)| timeline.answer(key, feature, None))
        .collect();
    Entitlements {
        as_of: now,
        next_change: features
            .iter()
            .filter_map(|answer| answer.next_change)
            .min(),
        features,
    }
}

/// Whether a customer may use a feature; or so much of it, or this level, where `want` says so.
/// What does not fit the feature's kind is not allowed: ask [`want_fits`] first.
pub fn check(
    state: &CustomerState,
    catalog: &Catalog,
    feature: &str,
    want: Option<&Want>,
    now: Timestamp,
) -> Answer {
    match catalog.features.get(feature) {
        Some(listed) => {
            Timeline::new(&Portfolio::new(state, catalog), now).answer(feature, listed, want)
        }
        None => Answer::refused(feature, AccessReason::UnknownFeature, now),
    }
}

/// Something is wanted of a feature that it can't be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWant {
    /// A flag is there or not.
    #[error("`want` is for limits and tiers, and this feature is a flag; leave it out")]
    OfFlag,
    /// A limit is a number.
    #[error("this feature is a limit, so `want` must be a whole number")]
    NotANumber,
    /// A tier has these levels.
    #[error("this feature is a tier, so `want` must be one of its levels: {0}")]
    NotALevel(String),
}

/// Whether this can be asked of a feature. Of one that is not listed, anything can.
///
/// # Errors
/// [`BadWant`] says what can be asked.
pub fn want_fits(catalog: &Catalog, feature: &str, want: &Want) -> Result<(), BadWant> {
    match catalog.features.get(feature).map(|feature| &feature.scale) {
        None => Ok(()),
        Some(FeatureScale::Flag) => Err(BadWant::OfFlag),
        Some(FeatureScale::Limit) => want.quantity().map(|_| ()).ok_or(BadWant::NotANumber),
        Some(FeatureScale::Tier(levels)) => match want.level() {
            Some(level) if levels.iter().any(|other| other == level) => Ok(()),
            Some(_) | None => Err(BadWant::NotALevel(levels.join(", "))),
        },
    }
}

/// What gives a feature at one moment, by the feature's key.
type GivenAt<'a> = BTreeMap<&'a str, Vec<(usize, FeatureGrant)>>;

/// What a customer has at this moment and at each later one at which that changes by itself.
struct Timeline<'a> {
    moments: Vec<(Timestamp, Vec<Holding<'a>>)>,
    /// The place of each holding among those of one moment, and what it gives. All moments have
    /// the same holdings in the same places.
    given: GivenAt<'a>,
    /// The last moment that was looked at, where there are more.
    horizon: Option<Timestamp>,
}

impl<'a> Timeline<'a> {
    fn new(portfolio: &Portfolio<'a>, now: Timestamp) -> Self {
        let first = portfolio.at(now);
        let mut given = GivenAt::new();
        for (place, holding) in first.iter().enumerate().filter(|(_, h)| h.quantity > 0) {
            for (feature, grant) in holding.grants {
                given.entry(feature).or_default().push((place, *grant));
            }
        }
        let later = portfolio.changes_after(now);
        let is_full = later.len() >= MAX_MOMENTS;
        let horizon = later.last().copied().filter(|_| is_full);
        let later = later.into_iter();
        let later = later.map(|moment| (moment, portfolio.at(moment)));
        Self {
            moments: std::iter::once((now, first)).chain(later).collect(),
            given,
            horizon,
        }
    }

    /// The answer of now, and when it changes by itself.
    fn answer(&self, key: &str, feature: &Feature, want: Option<&Want>) -> Answer {
        let given = self.given.get(key).map_or(&[][..], Vec::as_slice);
        let mut moments = self.moments.iter();
        let key: Arc<str> = key.into();
        let at = |(moment, holdings): &(Timestamp, Vec<Holding<'_>>)| {
            answer_at(&key, feature, want, (given, holdings), *moment)
        };
        let Some(now) = moments.next().map(at) else {
            return Answer::refused(&key, AccessReason::None, Timestamp::MIN);
        };
        if given.is_empty() {
            return now;
        }
        let mut next_change = None;
        for later in moments.map(at) {
            let as_of = now.as_of;
            let same = Answer {
                as_of,
                ..later.clone()
            } == now;
            next_change = next_change.or((!same).then_some(later.as_of));
            if now.allowed && !later.allowed {
                let until = Some(later.as_of);
                return Answer {
                    until,
                    next_change,
                    ..now
                };
            }
        }
        Answer {
            next_change: next_change.or(self.horizon),
            ..now
        }
    }
}

/// What holdings give of a feature at a moment, as if that moment never passed.
fn answer_at(
    key: &Arc<str>,
    feature: &Feature,
    want: Option<&Want>,
    (given, holdings): (&[(usize, FeatureGrant)], &[Holding<'_>]),
    moment: Timestamp,
) -> Answer {
    let mut total = Total::default();
    let mut sources = Vec::new();
    let mut refusal = AccessReason::None;
    let levels = feature.scale.levels();
    let held = given
        .iter()
        .filter_map(|(place, grant)| Some((holdings.get(*place)?, *grant)));
    for (holding, grant) in held {
        match holding.access {
            Ok(access) => {
                let grant = times(grant, holding.quantity);
                let why = access.special.unwrap_or(holding.kind.into());
                total.add(grant, why, access.soft);
                sources.push(source(holding, grant, levels));
            }
            Err(why) => refusal = refusal.min(why),
        }
    }
    sources.sort();
    let enough = total.covers(&feature.scale, want);
    let level = levels.get(total.level).map(|level| level.as_str().into());
    let is_limit = feature.scale.kind() == FeatureKind::Limit;
    Answer {
        feature: key.clone(),
        allowed: enough,
        kind: Some(feature.scale.kind()),
        limit: (is_limit && !total.unlimited).then_some(total.limit),
        unlimited: total.unlimited,
        level,
        soft: enough && total.soft,
        until: None,
        next_change: None,
        why: match (enough, total.why) {
            (true, Some(why)) => why,
            (false, Some(_)) => AccessReason::None,
            (_, None) => refusal,
        },
        sources,
        as_of: moment,
    }
}

/// What several sources give together: limits add up, the highest level counts.
#[derive(Default)]
struct Total {
    limit: u64,
    unlimited: bool,
    level: usize,
    /// The first reason of those that give the most.
    why: Option<AccessReason>,
    /// Whether all that give the most give it softly.
    soft: bool,
}

impl Total {
    fn add(&mut self, grant: FeatureGrant, why: AccessReason, soft: bool) {
        if let FeatureGrant::Level(level) = grant {
            if level < self.level {
                return;
            }
            if level > self.level {
                *self = Self::default();
            }
            self.level = level;
        }
        match grant {
            FeatureGrant::Limit(limit) => self.limit = self.limit.saturating_add(limit),
            FeatureGrant::Unlimited => self.unlimited = true,
            FeatureGrant::Flag | FeatureGrant::Level(_) => {}
        }
        self.soft = soft && (self.soft || self.why.is_none());
        self.why = Some(self.why.map_or(why, |known| known.min(why)));
    }

    /// Whether it is as much as somebody wants, or anything at all.
    fn covers(&self, scale: &FeatureScale, want: Option<&Want>) -> bool {
        let Some(want) = want else {
            return self.why.is_some();
        };
        match scale {
            FeatureScale::Flag => false,
            FeatureScale::Limit => want.quantity().is_some_and(|wanted| {
                self.why.is_some() && (self.unlimited || wanted <= self.limit)
            }),
            FeatureScale::Tier(levels) => {
                let place = |word: &str| levels.iter().position(|level| level == word);
                want.level()
                    .and_then(place)
                    .is_some_and(|wanted| wanted <= self.level)
            }
        }
    }
}

/// What so many of a product give.
fn times(grant: FeatureGrant, quantity: u64) -> FeatureGrant {
    match grant {
        FeatureGrant::Limit(limit) => FeatureGrant::Limit(limit.saturating_mul(quantity)),
        FeatureGrant::Flag | FeatureGrant::Unlimited | FeatureGrant::Level(_) => grant,
    }
}

fn source(holding: &Holding<'_>, grant: FeatureGrant, levels: &[String]) -> EntitlementSource {
    let (limit, unlimited, level) = match grant {
        FeatureGrant::Flag => (None, false, None),
        FeatureGrant::Limit(limit) => (Some(limit), false, None),
        FeatureGrant::Unlimited => (None, true, None),
        FeatureGrant::Level(place) => (None, false, levels.get(place)),
    };
    let access = holding.access.ok();
    let until = access.map(|access| access.until);
    EntitlementSource {
        kind: holding.kind,
        key: holding.key.into(),
        subscription: holding.subscription.cloned(),
        payment: holding.payment.clone(),
        limit,
        unlimited,
        level: level.map(|level| level.as_str().into()),
        soft: access.is_some_and(|access| access.soft),
        until: until.filter(|until| *until < Timestamp::MAX),
    }
}
