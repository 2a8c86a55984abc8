//! The letters (e-mails to customers) there are, and how long after its cause each may be sent.

pub mod plan;
pub mod address;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A kind of letter to a customer. A new variant needs a rule that says when it is due: see
/// [`plan::plan`].
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

/// Why we write to a customer. It decides whether the customer may refuse the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterClass {
    /// It belongs to a contract. The customer cannot unsubscribe from it.
    Contract,
    /// It is a courtesy. The customer can unsubscribe from it.
    Engagement,
}

/// How long before a trial's end its notice becomes due.
pub const TRIAL_NOTICE: SignedDuration = SignedDuration::from_hours(3 * 24);

impl Letter {
    /// Every kind of letter.
    pub const ALL: [Self; 5] = [
        Self::Welcome,
        Self::PaymentFailed,
        Self::PaymentRecovered,
        Self::CancellationConfirmed,
        Self::TrialEnding,
    ];

    /// The name in keys, in JSON and of the folder with its templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::PaymentFailed => "payment_failed",
            Self::PaymentRecovered => "payment_recovered",
            Self::CancellationConfirmed => "cancellation_confirmed",
            Self::TrialEnding => "trial_ending",
        }
    }

    /// The kind of letter with this name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|letter| letter.as_str() == name)
    }

    /// Whether it belongs to a contract or is a courtesy.
    pub fn class(self) -> LetterClass {
        match self {
            Self::Welcome => LetterClass::Engagement,
            Self::PaymentFailed | Self::PaymentRecovered => LetterClass::Contract,
            Self::CancellationConfirmed | Self::TrialEnding => LetterClass::Contract,
        }
    }

    /// The end of the time in which it may be sent, exclusive, for a cause of this moment.
    pub fn window_end(self, caused_at: Timestamp) -> Timestamp {
        let window = match self {
            Self::Welcome => SignedDuration::from_hours(7 * 24),
            // Providers deliver events up to three days late. Older news only confuses.
            Self::PaymentFailed | Self::PaymentRecovered => SignedDuration::from_hours(3 * 24),
            // The law asks for it, so it may be late, but not by months.
            Self::CancellationConfirmed => SignedDuration::from_hours(7 * 24),
            // Its cause lies that long before the trial's end, so its window ends with the trial.
            Self::TrialEnding => TRIAL_NOTICE,
        };
        caused_at.checked_add(window).unwrap_or(Timestamp::MAX)
    }
}
