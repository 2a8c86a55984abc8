//! What was decided, and on what it rests.

use crate::answer::FeatureAnswer;
use crate::transport::CheckError;
use std::time::Duration;

/// Whether a customer may use a feature, and on what that rests.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessDecision {
    /// Whether the customer may.
    pub allowed: bool,
    /// On what it rests.
    pub basis: DecisionBasis,
    /// The answer that it follows from; none where it is assumed.
    pub answer: Option<FeatureAnswer>,
}

/// On what a decision rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionBasis {
    /// It was asked just now.
    Answered,
    /// It was asked lately.
    Remembered {
        /// How long ago.
        age: Duration,
    },
    /// It was asked some time ago, and nobody answers now.
    Stale {
        /// How long ago.
        age: Duration,
        /// Why there is no answer.
        why: CheckError,
    },
    /// There is no answer, and none is remembered: what the client was told holds.
    Assumed {
        /// Why there is no answer.
        why: CheckError,
    },
}

impl AccessDecision {
    pub(crate) fn of(answer: FeatureAnswer, basis: DecisionBasis) -> Self {
        Self {
            allowed: answer.allowed,
            basis,
            answer: Some(answer),
        }
    }
}
