//! For how long secrets that were read, and failures to read them, stand. Pure: time is an
//! argument, and nothing is read here.

use super::SecretsError;
use jiff::{SignedDuration, Timestamp};

/// How long secrets are trusted before they are read again.
pub(super) const FRESH_FOR: SignedDuration = SignedDuration::from_mins(5);

/// How long secrets are in force while they can't be read again, from when they were read: the
/// bound on how long a revoked one is believed, whatever happens. One that is known to be deleted
/// or unusable is not believed any more.
pub(super) const IN_FORCE_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What was read last, and what failed since.
#[derive(Debug)]
pub(super) struct HeldSecrets<S> {
    secrets: Option<(S, Timestamp)>,
    failure: Option<Failure>,
}

/// Reads that failed in a row.
#[derive(Clone, Debug)]
struct Failure {
    error: SecretsError,
    at: Timestamp,
    /// How long it stands: nobody reads before.
    lasts: SignedDuration,
}

/// What a caller has to do.
pub(super) enum NextStep<S> {
    /// Nothing: this is the answer.
    Answer(Result<S, SecretsError>),
    /// Read them, and [`HeldSecrets::note`] what came of it.
    Read,
}

impl<S> Default for HeldSecrets<S> {
    fn default() -> Self {
        Self {
            secrets: None,
            failure: None,
        }
    }
}

impl<S: Clone> HeldSecrets<S> {
    /// What to do now. A failure stands for two seconds, and for twice as long with each more in a
    /// row, up to a minute: while a parameter is missing, strangers cause one read a minute.
    pub(super) fn next_step(&self, now: Timestamp) -> NextStep<S> {
        let fresh = self.younger_than(FRESH_FOR, now);
        let failed = self.failure.as_ref();
        match (fresh, failed.filter(|failed| failed.stands(now))) {
            (Some(secrets), _) => NextStep::Answer(Ok(secrets)),
            (None, Some(failed)) => NextStep::Answer(self.answer_after(failed, now)),
            (None, None) => NextStep::Read,
        }
    }

    /// Keeps what was read at that moment, or why it was not; and the answer that follows.
    pub(super) fn note(
        &mut self,
        read: Result<S, SecretsError>,
        now: Timestamp,
    ) -> Result<S, SecretsError> {
        match read {
            Ok(secrets) => {
                self.failure = None;
                self.secrets = Some((secrets.clone(), now));
                Ok(secrets)
            }
            Err(error) => {
                match &error {
                    // Somebody took them away, or put what proves nothing: that is known.
                    SecretsError::Missing | SecretsError::Weak(_) => self.secrets = None,
                    SecretsError::Unreadable(_) => {}
                }
                let last = self.failure.as_ref();
                let lasts = last.map_or(FIRST_PAUSE, |last| last.lasts.saturating_mul(2));
                let failure = Failure {
                    error,
                    at: now,
                    lasts: lasts.min(LONGEST_PAUSE),
                };
                let answer = self.answer_after(&failure, now);
                self.failure = Some(failure);
                answer
            }
        }
    }

    fn answer_after(&self, failed: &Failure, now: Timestamp) -> Result<S, SecretsError> {
        let secrets = self.younger_than(IN_FORCE_FOR, now);
        secrets.ok_or_else(|| failed.error.clone())
    }

    fn younger_than(&self, age: SignedDuration, now: Timestamp) -> Option<S> {
        let (secrets, read_at) = self.secrets.as_ref()?;
        is_within(*read_at, age, now).then(|| secrets.clone())
    }
}

impl Failure {
    fn stands(&self, now: Timestamp) -> bool {
        is_within(self.at, self.lasts, now)
    }
}

/// A clock that was set back makes nothing younger than it is.
fn is_within(since: Timestamp, span: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(since).abs() < span
}

const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(60);
