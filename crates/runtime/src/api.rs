//! Asking a provider's own API: a port, the loop that drives a door which has to ask, and the
//! HTTP client behind both.

mod client;
mod stage;

mod certificates;

pub use client::{ApiKey, HttpApi, api_key};
pub use stage::StageApis;

use futures_util::StreamExt;
use providers::{Answer, Call, Fetched, Questions, Refused, Step};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Somebody who answers questions to a provider.
pub trait Api: Send + Sync {
    /// The answer; none where there is none to be had now.
    fn call(&self, call: &Call) -> impl Future<Output = Option<Answer>> + Send;
}

/// Where a provider has no API of ours to ask, nobody answers.
impl<A: Api> Api for Option<A> {
    async fn call(&self, call: &Call) -> Option<Answer> {
        match self {
            Some(api) => api.call(call).await,
            None => None,
        }
    }
}

/// How much may be asked for one request.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How often what is known may lead to further questions.
    pub rounds: u8,
    /// Questions in all.
    pub calls: usize,
    /// For all of it.
    pub time: Duration,
}

impl Default for Bounds {
    /// The strictest provider wants its answer within five seconds; a payment, its mandate, its
    /// customer and one more make four rounds.
    fn default() -> Self {
        Self {
            rounds: 4,
            calls: 200,
            time: Duration::from_millis(3500),
        }
    }
}

/// Takes one step after the other until it is done, asking in between. Beyond the bounds no
/// question is asked any more: whatever needs an answer then goes without.
///
/// # Errors
/// The step's own.
pub async fn settled<T>(
    api: &impl Api,
    bounds: Bounds,
    step: impl Fn(&Fetched) -> Result<Step<T>, Refused>,
) -> Result<T, Refused> {
    let until = Instant::now().checked_add(bounds.time);
    let mut fetched = Fetched::default();
    let mut left = bounds.calls;
    for _ in 0..bounds.rounds {
        let questions = match step(&fetched)? {
            Step::Done(done) => return Ok(done),
            Step::Ask(questions) => questions,
        };
        let asked = ask(api, &questions, left, &mut fetched);
        let in_time = match until {
            Some(until) => timeout_at(until, asked).await.is_ok(),
            None => false,
        };
        left = left.saturating_sub(questions.calls().len());
        if !in_time || left == 0 {
            break;
        }
    }
    fetched.close();
    match step(&fetched)? {
        Step::Done(done) => Ok(done),
        // A closed one makes no questions.
        Step::Ask(_) => Err(Refused::Unconfirmed),
    }
}

/// Asks as many as may be asked, a few at a time.
async fn ask(api: &impl Api, questions: &Questions, most: usize, fetched: &mut Fetched) {
    let calls: Vec<Call> = questions.calls().iter().take(most).cloned().collect();
    let answered = |call: Call| async move {
        let answer = api.call(&call).await;
        (call, answer)
    };
    let mut answers = futures_util::stream::iter(calls)
        .map(answered)
        .buffer_unordered(AT_ONCE);
    while let Some((call, answer)) = answers.next().await {
        fetched.insert(call, answer);
    }
}

const AT_ONCE: usize = 8;

#[cfg(test)]
mod tests;
