//! A question, as it is sent and as it is remembered.

use serde::Serialize;

/// How much of a feature is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Wanted {
    /// Any of it.
    #[default]
    Any,
    /// So many of a limit.
    Quantity(u64),
    /// This level of a tier, or a higher one.
    Level(String),
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Question {
    customer: String,
    feature: String,
    want: Wanted,
}

impl Question {
    pub(crate) fn new(customer: &str, feature: &str, wanted: &Wanted) -> Self {
        Self {
            customer: customer.to_owned(),
            feature: feature.to_owned(),
            want: wanted.clone(),
        }
    }

    /// The body of the request.
    pub(crate) fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}
