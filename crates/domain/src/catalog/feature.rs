//! Features: what a shop's own code may ask about, and what each product gives of them.

use crate::catalog::product_name::ProductName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::{Spanned, Value};

/// A feature as the catalog lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The name that people read; its key where the catalog gives none.
    pub name: ProductName,
    /// How much of it one may have.
    pub scale: FeatureScale,
}

/// How much of a feature one may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeatureScale {
    /// One has it or not.
    Flag,
    /// A number of it.
    Limit,
    /// One of these words, in this order. The first is what one has without any product.
    Tier(Vec<String>),
}

/// The kind of a feature, in the words of the catalog and of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum FeatureKind {
    /// One has it or not.
    #[default]
    Flag,
    /// A number of it.
    Limit,
    /// A word from an ordered list.
    Tier,
}

/// What one product gives of a feature. It always gives something: `false`, `0` and the first word
/// of a tier are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureGrant {
    /// The feature itself.
    Flag,
    /// So many of it.
    Limit(u64),
    /// Any number of it.
    Unlimited,
    /// The level at this place of the list, from 1 on.
    Level(usize),
}

/// What a product gives, by feature.
pub type FeatureGrants = BTreeMap<String, FeatureGrant>;

impl FeatureScale {
    /// Its kind.
    pub fn kind(&self) -> FeatureKind {
        match self {
            Self::Flag => FeatureKind::Flag,
            Self::Limit => FeatureKind::Limit,
            Self::Tier(_) => FeatureKind::Tier,
        }
    }

    /// The words of a tier; none for the other kinds.
    pub fn levels(&self) -> &[String] {
        match self {
            Self::Flag | Self::Limit => &[],
            Self::Tier(levels) => levels,
        }
    }
}

/// Something wrong with a feature, and where: the line of the file, its section, the feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: [{section}], feature `{feature}`: {problem}")]
pub struct BadFeature {
    /// The line in the file, the first is 1.
    pub line: usize,
    /// The section, as `plans.grove`.
    pub section: String,
    /// The feature's key.
    pub feature: String,
    /// What is wrong.
    pub problem: FeatureProblem,
}

/// What is wrong with a feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeatureProblem {
    /// A product gives a feature that the catalog does not list.
    #[error("no such feature is listed; add [features.{0}], or correct the name")]
    Unlisted(String),
    /// A flag is given by something else than `true` or `false`.
    #[error("it is a flag; write `true` or `false`")]
    NotAFlag,
    /// A limit is given by something else than a number.
    #[error("it is a limit; write a whole number from 0 on, or \"unlimited\"")]
    NotALimit,
    /// A tier is given by something that is not one of its levels.
    #[error("it is a tier; write one of its levels: {0}")]
    NotALevel(String),
    /// A tier without levels, or with one alone.
    #[error("a tier needs two levels at least: levels = [\"none\", \"standard\"]")]
    TooFewLevels,
    /// A level stands in the list twice.
    #[error("its level `{0}` is listed twice")]
    LevelTwice(String),
    /// Levels of a feature that is no tier.
    #[error("only a tier has levels; write kind = \"tier\", or leave out the levels")]
    LevelsOfAnother,
    /// A key that no answer could name.
    #[error("a feature's key has 1 to 64 letters, digits, `_`, `-` or `.`")]
    BadKey,
}

/// A feature as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeatureInput {
    #[serde(default)]
    name: Option<ProductName>,
    #[serde(default)]
    kind: FeatureKind,
    #[serde(default)]
    levels: Option<Vec<String>>,
}

/// What a product gives, as the file has it.
pub(super) type GrantInputs = BTreeMap<String, Spanned<Value>>;

/// Reads the features of a file; `text` is the whole of it.
pub(super) fn read_features(
    text: &str,
    inputs: BTreeMap<String, Spanned<FeatureInput>>,
) -> Result<BTreeMap<String, Feature>, BadFeature> {
    let read = |(key, input): (String, Spanned<FeatureInput>)| {
        let start = input.span().start;
        let input = input.into_inner();
        let scale = match (is_key(&key), scale(input.kind, input.levels)) {
            (true, Ok(scale)) => scale,
            (false, _) => return Err((start, key, FeatureProblem::BadKey)),
            (true, Err(problem)) => return Err((start, key, problem)),
        };
        let name = input.name;
        let name = name.unwrap_or_else(|| ProductName::Same(key.clone()));
        Ok((key, Feature { name, scale }))
    };
    let features = inputs.into_iter().map(read);
    features.collect::<Result<_, _>>().map_err(|bad| {
        let (start, feature, problem) = bad;
        let section = format!("features.{feature}");
        BadFeature {
            line: line_of(text, start),
            section,
            feature,
            problem,
        }
    })
}

/// Reads what the product of this section gives; `text` is the whole file.
pub(super) fn read_grants(
    text: &str,
    features: &BTreeMap<String, Feature>,
    section: impl Fn() -> String,
    inputs: GrantInputs,
) -> Result<FeatureGrants, BadFeature> {
    let mut grants = FeatureGrants::new();
    for (feature, input) in inputs {
        let listed = features.get(&feature);
        let read = match listed {
            Some(listed) => grant(&listed.scale, input.get_ref()),
            None => Err(FeatureProblem::Unlisted(feature.clone())),
        };
        match read {
            Ok(Some(grant)) => {
                grants.insert(feature, grant);
            }
            Ok(None) => {}
            Err(problem) => {
                return Err(BadFeature {
                    line: line_of(text, input.span().start),
                    section: section(),
                    feature,
                    problem,
                });
            }
        }
    }
    Ok(grants)
}

fn scale(kind: FeatureKind, levels: Option<Vec<String>>) -> Result<FeatureScale, FeatureProblem> {
    match (kind, levels) {
        (FeatureKind::Flag, None) => Ok(FeatureScale::Flag),
        (FeatureKind::Limit, None) => Ok(FeatureScale::Limit),
        (FeatureKind::Flag | FeatureKind::Limit, Some(_)) => Err(FeatureProblem::LevelsOfAnother),
        (FeatureKind::Tier, levels) => {
            let levels = levels.filter(|levels| levels.len() > 1);
            let levels = levels.ok_or(FeatureProblem::TooFewLevels)?;
            let mut sorted: Vec<&String> = levels.iter().collect();
            sorted.sort();
            let twice = sorted.windows(2).find(|pair| pair.first() == pair.last());
            match twice.and_then(|pair| pair.first()) {
                Some(level) => Err(FeatureProblem::LevelTwice((*level).clone())),
                None => Ok(FeatureScale::Tier(levels)),
            }
        }
    }
}

/// What a value gives; `None` where it gives nothing.
fn grant(scale: &FeatureScale, value: &Value) -> Result<Option<FeatureGrant>, FeatureProblem> {
    match scale {
        FeatureScale::Flag => {
            let given = value.as_bool().ok_or(FeatureProblem::NotAFlag)?;
            Ok(given.then_some(FeatureGrant::Flag))
        }
        FeatureScale::Limit => {
            if value.as_str() == Some("unlimited") {
                return Ok(Some(FeatureGrant::Unlimited));
            }
            let number = value.as_integer().and_then(|n| u64::try_from(n).ok());
            let number = number.ok_or(FeatureProblem::NotALimit)?;
            Ok((number > 0).then_some(FeatureGrant::Limit(number)))
        }
        FeatureScale::Tier(levels) => {
            let place = value
                .as_str()
                .and_then(|word| levels.iter().position(|level| level == word));
            let place = place.ok_or_else(|| FeatureProblem::NotALevel(levels.join(", ")))?;
            Ok((place > 0).then_some(FeatureGrant::Level(place)))
        }
    }
}

fn is_key(key: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (1..=MAX_KEY).contains(&key.len()) && key.chars().all(is_allowed)
}

/// The line of a place in a text; the first is 1.
fn line_of(text: &str, place: usize) -> usize {
    let newlines = text.bytes().take(place).filter(|byte| *byte == b'\n');
    newlines.count().saturating_add(1)
}

const MAX_KEY: usize = 64;
