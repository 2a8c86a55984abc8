//! Asking: within bounds, and over loopback.

use super::{ApiClient, AskLimits, HttpApi, api_key, run_steps};
use crate::Clock;
use crate::secrets::{SecretCache, SecretSource};
use providers::{
    ApiCall, ApiResponse, ApiResponses, FetchStep, MissingResponse, VerificationError,
};
use std::sync::Mutex;
use std::time::Duration;

/// Answers every question after the n-th with silence, and counts them.
struct CountingApi {
    answers: usize,
    asked: Mutex<Vec<ApiCall>>,
}

impl CountingApi {
    fn new(answers: usize) -> Self {
        Self {
            answers,
            asked: Mutex::default(),
        }
    }

    fn asked(&self) -> usize {
        self.asked.lock().expect("is whole").len()
    }
}

impl ApiClient for CountingApi {
    async fn call(&self, call: &ApiCall) -> Option<ApiResponse> {
        let mut asked = self.asked.lock().expect("is whole");
        asked.push(call.clone());
        (asked.len() <= self.answers).then(|| ApiResponse {
            status: 200,
            body: b"{}"[..].into(),
        })
    }
}

fn get(id: usize) -> ApiCall {
    ApiCall::get(&["things", &id.to_string()]).expect("is plain")
}

/// Needs `deep` answers, each known only after the one before; gives how many it had.
fn chain(fetched: &ApiResponses, deep: usize) -> Result<FetchStep<usize>, VerificationError> {
    for at in 0..deep {
        match fetched.response(&get(at)) {
            Ok(_) => {}
            Err(MissingResponse::NotFetched(questions)) => return Ok(FetchStep::Fetch(questions)),
            Err(MissingResponse::Unavailable) => return Ok(FetchStep::Done(at)),
        }
    }
    Ok(FetchStep::Done(deep))
}

fn bounds(rounds: u8, calls: usize) -> AskLimits {
    AskLimits {
        rounds,
        calls,
        ..AskLimits::default()
    }
}

#[tokio::test]
async fn what_needs_no_answer_asks_nothing() {
    let api = CountingApi::new(0);
    let done = run_steps(&api, bounds(4, 10), |fetched| chain(fetched, 0)).await;
    assert_eq!((done, api.asked()), (Ok(0), 0));
}

#[tokio::test]
async fn rounds_and_questions_are_bounded_and_what_is_left_goes_without() {
    for (rounds, calls, had) in [(4, 10, 3), (3, 10, 3), (2, 10, 2), (4, 1, 1), (4, 2, 2)] {
        let api = CountingApi::new(usize::MAX);
        let done = run_steps(&api, bounds(rounds, calls), |fetched| chain(fetched, 3)).await;
        assert_eq!(done, Ok(had), "{rounds} rounds, {calls} calls");
        assert_eq!(api.asked(), had);
    }
}

#[tokio::test]
async fn nobody_asks_the_silent_twice() {
    let api = CountingApi::new(1);
    let done = run_steps(&api, bounds(4, 10), |fetched| chain(fetched, 3)).await;
    assert_eq!((done, api.asked()), (Ok(1), 2));
    let nobody: Option<CountingApi> = None;
    let done = run_steps(&nobody, bounds(4, 10), |fetched| chain(fetched, 3)).await;
    assert_eq!(done, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn an_api_that_never_answers_costs_no_more_than_its_time() {
    struct Stuck;
    impl ApiClient for Stuck {
        async fn call(&self, _: &ApiCall) -> Option<ApiResponse> {
            std::future::pending().await
        }
    }
    let before = tokio::time::Instant::now();
    let done = run_steps(&Stuck, AskLimits::default(), |fetched| chain(fetched, 3)).await;
    assert_eq!(done, Ok(0));
    assert_eq!(before.elapsed(), AskLimits::default().time);
}

#[test]
fn a_key_is_one_line_of_plain_text() {
    let text = "live_key-1:2";
    assert!(api_key(&[text]).is_ok());
    for weak in ["", "a b", "a\n", "é"] {
        assert!(api_key(&[weak]).is_err(), "{weak:?}");
    }
    let shown = format!("{:?}", api_key(&[text]).expect("is plain"));
    assert!(!shown.contains(text));
}

#[test]
fn a_provider_that_says_everything_has_no_api() {
    let clock = Clock::system();
    let key = SecretCache::new(SecretSource::Given(Vec::new()), api_key, clock.clone());
    let provider = providers::PROVIDERS
        .iter()
        .find(|known| known.api().is_none());
    let mode = domain::ids::Mode::Test;
    let made = HttpApi::of(provider.expect("is one"), mode, None, key, clock);
    assert!(made.expect("is none").is_none());
    assert!(AskLimits::default().time < Duration::from_secs(5));
}
