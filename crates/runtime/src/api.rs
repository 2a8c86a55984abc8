//! Asking a provider's own API: a port, the loop that asks what `receive` needs, and the
//! HTTP client behind both.

mod client;
mod stage;

mod certificates;
mod proof_calls;

pub use client::{ApiKey, HttpApi, api_key};
pub use stage::StageApis;

use futures_util::StreamExt;
use providers::{
    ApiCall, ApiResponse, ApiResponses, CallPurpose, FetchStep, PendingCalls, VerificationError,
};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Asks a provider's API.
pub trait ApiClient: Send + Sync {
    /// The API's answer; none when it is silent.
    fn call(&self, call: &ApiCall) -> impl Future<Output = Option<ApiResponse>> + Send;

    /// The same for a request that nothing proves yet: once, and within a budget.
    fn call_for_proof(&self, call: &ApiCall) -> impl Future<Output = Option<ApiResponse>> + Send {
        self.call(call)
    }

    /// Whether the answers to these calls proved the request: then they cost nothing of it.
    fn settle(&self, _: &[ApiCall], _proven: bool) {}
}

/// A provider without an API to ask: no call is answered.
impl<A: ApiClient> ApiClient for Option<A> {
    async fn call(&self, call: &ApiCall) -> Option<ApiResponse> {
        match self {
            Some(api) => api.call(call).await,
            None => None,
        }
    }

    async fn call_for_proof(&self, call: &ApiCall) -> Option<ApiResponse> {
        match self {
            Some(api) => api.call_for_proof(call).await,
            None => None,
        }
    }

    fn settle(&self, calls: &[ApiCall], proven: bool) {
        if let Some(api) = self {
            api.settle(calls, proven);
        }
    }
}

/// How much may be asked for one request.
#[derive(Clone, Copy, Debug)]
pub struct AskLimits {
    /// Rounds: how often answers may lead to further questions.
    pub rounds: u8,
    /// Questions in all rounds together.
    pub calls: usize,
    /// Time for all rounds together.
    pub time: Duration,
}

impl Default for AskLimits {
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

/// Repeats a step until it is done, asking in between what it needs. Beyond the bounds nothing is
/// asked any more, and the step has to do without further answers.
///
/// # Errors
/// The step's own.
pub async fn run_steps<T>(
    api: &impl ApiClient,
    bounds: AskLimits,
    step: impl Fn(&ApiResponses) -> Result<FetchStep<T>, VerificationError>,
) -> Result<T, VerificationError> {
    let mut for_proof = Vec::new();
    let done = run_rounds(api, bounds, &mut for_proof, step).await;
    if !for_proof.is_empty() {
        api.settle(&for_proof, done.is_ok());
    }
    done
}

async fn run_rounds<T>(
    api: &impl ApiClient,
    bounds: AskLimits,
    for_proof: &mut Vec<ApiCall>,
    step: impl Fn(&ApiResponses) -> Result<FetchStep<T>, VerificationError>,
) -> Result<T, VerificationError> {
    let until = Instant::now().checked_add(bounds.time);
    let mut fetched = ApiResponses::default();
    let mut left = bounds.calls;
    for _ in 0..bounds.rounds {
        let questions = match step(&fetched)? {
            FetchStep::Done(done) => return Ok(done),
            FetchStep::Fetch(questions) => questions,
        };
        match questions.purpose() {
            CallPurpose::Proof => for_proof.extend_from_slice(questions.calls()),
            CallPurpose::Completion => api.settle(&std::mem::take(for_proof), true),
        }
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
        FetchStep::Done(done) => Ok(done),
        // A closed one makes no questions.
        FetchStep::Fetch(_) => Err(VerificationError::Unconfirmed),
    }
}

/// Asks as many as may be asked, a few at a time.
async fn ask(
    api: &impl ApiClient,
    questions: &PendingCalls,
    most: usize,
    fetched: &mut ApiResponses,
) {
    let calls: Vec<ApiCall> = questions.calls().iter().take(most).cloned().collect();
    let purpose = questions.purpose();
    let answered = |call: ApiCall| async move {
        let answer = match purpose {
            CallPurpose::Proof => api.call_for_proof(&call).await,
            CallPurpose::Completion => api.call(&call).await,
        };
        (call, answer)
    };
    let mut answers = futures_util::stream::iter(calls)
        .map(answered)
        .buffer_unordered(MAX_CONCURRENT_CALLS);
    while let Some((call, answer)) = answers.next().await {
        fetched.insert(call, answer);
    }
}

const MAX_CONCURRENT_CALLS: usize = 8;

#[cfg(test)]
mod tests;
