//! What a row of access comes to under a catalog: the features of which the answer is another.

use crate::catalog::Catalog;
use crate::entitlement::answer::{AccessReason, Answer};
use crate::entitlement::entitlements_of;
use crate::notice::shop::content::AccessContent;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// What a customer may use otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AccessChanges {
    /// The moment of the answers.
    pub as_of: Timestamp,
    /// A change for each feature of which the answer is another. `null` where a customer has too
    /// much to be compared: then ask for the entitlements.
    pub changes: Option<Vec<FeatureChange>>,
}

/// A feature of which a customer may use more or less than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FeatureChange {
    /// The feature's key.
    pub feature: Arc<str>,
    /// What could be used before.
    pub before: FeatureAccess,
    /// What may be used now.
    pub after: FeatureAccess,
}

/// What may be used of a feature: the same fields as in the answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FeatureAccess {
    /// Whether it may be used.
    pub allowed: bool,
    /// Of a limit: how many in all.
    pub limit: Option<u64>,
    /// Of a limit: whether any number may be used.
    pub unlimited: bool,
    /// Of a tier: the level.
    pub level: Option<Arc<str>>,
    /// Whether it is allowed for the time being.
    pub soft: bool,
    /// When it is allowed no more, if nothing else is heard until then.
    pub until: Option<Timestamp>,
    /// Why.
    pub why: AccessReason,
}

impl AccessChanges {
    /// What a row comes to under a catalog at this moment. `None` where no answer is another.
    pub fn of(content: &AccessContent, catalog: &Catalog, as_of: Timestamp) -> Option<Self> {
        let (Some(before), Some(after)) = (&content.before, &content.after) else {
            let changes = None;
            return Some(Self { as_of, changes });
        };
        let before = entitlements_of(before, catalog, as_of).features;
        let after = entitlements_of(after, catalog, as_of).features;
        let both = before.into_iter().zip(after);
        let changes: Vec<FeatureChange> = both
            .filter(|(before, after)| !gives_the_same(before, after))
            .map(|(before, after)| FeatureChange {
                feature: after.feature.clone(),
                before: before.into(),
                after: after.into(),
            })
            .collect();
        (!changes.is_empty()).then_some(Self {
            as_of,
            changes: Some(changes),
        })
    }
}

/// Whether two answers allow the same. Why, and until when, may be another.
fn gives_the_same(before: &Answer, after: &Answer) -> bool {
    let of = |answer: &Answer| {
        let level = answer.level.clone();
        let limit = (answer.limit, answer.unlimited);
        (answer.allowed, limit, level, answer.soft)
    };
    of(before) == of(after)
}

impl From<Answer> for FeatureAccess {
    fn from(answer: Answer) -> Self {
        Self {
            allowed: answer.allowed,
            limit: answer.limit,
            unlimited: answer.unlimited,
            level: answer.level,
            soft: answer.soft,
            until: answer.until,
            why: answer.why,
        }
    }
}
