//! The letters there are, and how long after its cause each may still be written.

pub mod plan;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A letter to a customer. A new variant must say when it is due: see [`plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Letter {
    /// Once for each subscription, when it first runs.
    Welcome,
    /// Once for each invoice, when it first can't be collected.
    PaymentFailed,
    /// Once for each invoice that failed, when it is paid.
    PaymentRecovered,
    /// Once for each time a subscription's end is asked for.
    CancellationConfirmed,
    /// Once for each end of a trial, [`TRIAL_NOTICE`] before it.
    TrialEnding,
}

/// Why somebody is written to, which decides what they may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterClass {
    /// It belongs to a contract: nobody can be spared it, so it offers no way out of it.
    Contract,
    /// It is kindly meant: whoever does not want it says so once.
    Engagement,
}

/// How long before its end a trial's end is announced.
pub const TRIAL_NOTICE: SignedDuration = SignedDuration::from_hours(3 * 24);

impl Letter {
    /// Every letter.
    pub const ALL: [Self; 5] = [
        Self::Welcome,
        Self::PaymentFailed,
        Self::PaymentRecovered,
        Self::CancellationConfirmed,
        Self::TrialEnding,
    ];

    /// As it stands in keys and in the names of folders.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::PaymentFailed => "payment_failed",
            Self::PaymentRecovered => "payment_recovered",
            Self::CancellationConfirmed => "cancellation_confirmed",
            Self::TrialEnding => "trial_ending",
        }
    }

    /// The letter of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|letter| letter.as_str() == name)
    }

    /// Its class.
    pub fn class(self) -> LetterClass {
        match self {
            Self::Welcome => LetterClass::Engagement,
            Self::PaymentFailed | Self::PaymentRecovered => LetterClass::Contract,
            Self::CancellationConfirmed | Self::TrialEnding => LetterClass::Contract,
        }
    }

    /// The first moment at which it is too late to write, for a cause of that moment.
    pub fn window_end(self, caused_at: Timestamp) -> Timestamp {
        let window = match self {
            Self::Welcome => SignedDuration::from_hours(7 * 24),
            // Providers tell of things up to three days late; older news only confuses.
            Self::PaymentFailed | Self::PaymentRecovered => SignedDuration::from_hours(3 * 24),
            // The law wants it confirmed: better late than never, but not after a season.
            Self::CancellationConfirmed => SignedDuration::from_hours(7 * 24),
            // It is caused that long before the end, so its window closes with the trial.
            Self::TrialEnding => TRIAL_NOTICE,
        };
        caused_at.checked_add(window).unwrap_or(Timestamp::MAX)
    }
}
