//! Asks `shop-api` from a shop's own code: remembers answers within a bound, does what it was told
//! where nobody answers, and says on what each decision rests.

mod question;
mod answer;
mod transport;
mod decision;
mod memory;

pub use answer::FeatureAnswer;
pub use decision::{AccessDecision, DecisionBasis};
pub use question::Wanted;
pub use transport::{CheckError, CheckTransport, HttpTransport};

use memory::AnswerMemory;
use question::Question;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What holds where nobody answers and nothing is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The customer may: the client fails open.
    Allow,
    /// The customer may not: the client fails closed.
    Refuse,
}

/// How long answers hold, and what holds without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// How long an answer is used again without asking.
    pub fresh_for: Duration,
    /// How long, from when it was given, it still counts while nobody answers.
    pub stale_for: Duration,
    /// How many answers are remembered at most.
    pub max_remembered: usize,
    /// How long a question may take.
    pub timeout: Duration,
    /// What holds where nobody answers and nothing is remembered.
    pub unanswered: Unanswered,
}

impl ClientOptions {
    /// The usual bounds, and what holds where nobody answers.
    pub fn failing(unanswered: Unanswered) -> Self {
        Self {
            fresh_for: Duration::from_secs(5),
            stale_for: Duration::from_secs(600),
            max_remembered: 10_000,
            timeout: Duration::from_secs(2),
            unanswered,
        }
    }
}

/// A client of one stage.
pub struct ShopClient<T = HttpTransport> {
    transport: T,
    options: ClientOptions,
    memory: Mutex<AnswerMemory>,
}

impl ShopClient {
    /// A client of the stage at this address, `https://…`, with a key of the shop's.
    pub fn new(url: &str, key: &str, options: ClientOptions) -> Self {
        let transport = HttpTransport::new(url, key, options.timeout);
        Self::with_transport(transport, options)
    }
}

impl<T: CheckTransport> ShopClient<T> {
    /// The same over another way of asking.
    pub fn with_transport(transport: T, options: ClientOptions) -> Self {
        Self {
            transport,
            options,
            memory: Mutex::new(AnswerMemory::new(options.max_remembered)),
        }
    }

    /// Whether a customer, by any reference, may use a feature. It always decides; the decision
    /// says on what it rests.
    pub fn check(&self, customer: &str, feature: &str, wanted: &Wanted) -> AccessDecision {
        let decided = self.try_check(customer, feature, wanted);
        decided.unwrap_or_else(|why| AccessDecision {
            allowed: self.options.unanswered == Unanswered::Allow,
            basis: DecisionBasis::Assumed { why },
            answer: None,
        })
    }

    /// The same, where whoever asks decides what holds without an answer.
    ///
    /// # Errors
    /// [`CheckError`] when there is no answer and none is remembered that still counts.
    pub fn try_check(
        &self,
        customer: &str,
        feature: &str,
        wanted: &Wanted,
    ) -> Result<AccessDecision, CheckError> {
        let question = Question::new(customer, feature, wanted);
        let fresh = self
            .memory()
            .fresh(&question, self.options.fresh_for, Instant::now());
        if let Some((answer, age)) = fresh {
            let basis = DecisionBasis::Remembered { age };
            return Ok(AccessDecision::of(answer, basis));
        }
        let why = match self.transport.ask(&question.body()) {
            Ok(answer) => {
                self.memory().keep(question, answer.clone(), Instant::now());
                return Ok(AccessDecision::of(answer, DecisionBasis::Answered));
            }
            Err(why) => why,
        };
        let stale_for = match why.is_ours() {
            // What is asked wrongly is not answered by an older answer.
            true => Duration::ZERO,
            false => self.options.stale_for,
        };
        let stale = self.memory().fresh(&question, stale_for, Instant::now());
        match stale {
            Some((answer, age)) => {
                let basis = DecisionBasis::Stale { age, why };
                Ok(AccessDecision::of(answer, basis))
            }
            None => Err(why),
        }
    }

    fn memory(&self) -> MutexGuard<'_, AnswerMemory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for ShopClient<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShopClient")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
