//! The letters there are, and how long after its cause each may still be written.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A letter to a customer. A new variant must say when it is due: see [`crate::plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Letter {
    /// Once for each subscription, when it first runs.
    Welcome,
}

impl Letter {
    /// Every letter.
    pub const ALL: [Self; 1] = [Self::Welcome];

    /// As it stands in keys and in the names of folders.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
        }
    }

    /// The letter of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|letter| letter.as_str() == name)
    }

    /// The first moment at which it is too late to write, for a cause of that moment.
    pub fn window_end(self, caused_at: Timestamp) -> Timestamp {
        let window = match self {
            Self::Welcome => SignedDuration::from_hours(7 * 24),
        };
        caused_at.checked_add(window).unwrap_or(Timestamp::MAX)
    }
}
