//! What a flood of requests that prove nothing makes us ask.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail loudly; the lints' exception covers test functions alone"
)]

use super::{
    FRUITLESS_CALLS_A_MINUTE, MAX_REMEMBERED, MINUTE, ProofCalls, SAME_CALLS_A_MINUTE, UNKNOWN_FOR,
};
use crate::Clock;
use jiff::{SignedDuration, Timestamp};
use providers::{ApiCall, ApiResponse};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// A budget under a clock of its own, and what was asked.
struct Flood {
    calls: ProofCalls,
    now: Arc<Mutex<Timestamp>>,
    made: AtomicUsize,
}

impl Flood {
    fn new() -> Self {
        let now = Arc::new(Mutex::new(Timestamp::UNIX_EPOCH));
        let shared = Arc::clone(&now);
        Self {
            calls: ProofCalls::new(Clock::new(move || *shared.lock().unwrap())),
            now,
            made: AtomicUsize::new(0),
        }
    }

    fn advance(&self, by: SignedDuration) {
        *self.now.lock().unwrap() += by;
    }

    /// One request that names this, answered so, which is then proven or not.
    async fn request(&self, id: usize, status: Option<u16>) -> Option<ApiResponse> {
        let call = call(id);
        let make = || async {
            self.made.fetch_add(1, Ordering::SeqCst);
            status.map(answer)
        };
        let given = self.calls.answer(&call, make).await;
        let proven = given.as_ref().is_some_and(|given| given.status == 200);
        self.calls.settle(&[call], proven);
        given
    }

    fn take_made(&self) -> usize {
        self.made.swap(0, Ordering::SeqCst)
    }
}

fn call(id: usize) -> ApiCall {
    ApiCall::get(&["payments", &id.to_string()]).unwrap()
}

fn answer(status: u16) -> ApiResponse {
    let body = [][..].into();
    ApiResponse { status, body }
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[tokio::test]
async fn a_flood_of_unknown_ids_asks_twenty_times_a_minute() {
    // Before: 3,000 calls in these five minutes, three times as many where the API was silent.
    for status in [Some(404), None, Some(500)] {
        let flood = Flood::new();
        for id in 0..3_000 {
            flood.request(id, status).await;
            flood.advance(SECOND / 10);
        }
        let made = flood.take_made();
        assert_eq!(made, 5 * FRUITLESS_CALLS_A_MINUTE, "{status:?}");
    }
}

#[tokio::test]
async fn an_unknown_id_is_asked_for_once_in_five_minutes() {
    let flood = Flood::new();
    for _ in 0..299 {
        let given = flood.request(1, Some(404)).await;
        assert_eq!(given, Some(answer(404)));
        flood.advance(SECOND);
    }
    assert_eq!(flood.take_made(), 1);
    flood.advance(UNKNOWN_FOR);
    flood.request(1, Some(200)).await;
    assert_eq!(flood.take_made(), 1, "by then it may be there");
}

#[tokio::test]
async fn a_known_id_said_again_and_again_is_asked_for_four_times_a_minute() {
    let flood = Flood::new();
    for _ in 0..600 {
        flood.request(1, Some(200)).await;
        flood.advance(SECOND / 10);
    }
    assert_eq!(flood.take_made(), SAME_CALLS_A_MINUTE);
    // And takes nothing from others.
    for id in 2..=100 {
        assert_eq!(flood.request(id, Some(200)).await, Some(answer(200)));
    }
}

#[tokio::test]
async fn genuine_requests_cost_nothing_of_the_budget() {
    let flood = Flood::new();
    for id in 0..5 * MAX_REMEMBERED {
        assert_eq!(flood.request(id, Some(200)).await, Some(answer(200)));
        flood.advance(SECOND / 100);
    }
    assert_eq!(flood.take_made(), 5 * MAX_REMEMBERED);
}

#[tokio::test]
async fn what_was_asked_in_vain_is_not_forgotten_among_what_was_not() {
    let flood = Flood::new();
    for id in 0..FRUITLESS_CALLS_A_MINUTE {
        flood.request(id, Some(404)).await;
    }
    // All of this within the minute; none of it can be asked, known or not.
    for id in 1_000..1_000 + 3 * MAX_REMEMBERED {
        assert_eq!(flood.request(id, Some(200)).await, None);
    }
    assert_eq!(flood.take_made(), FRUITLESS_CALLS_A_MINUTE);
    flood.advance(MINUTE);
    assert_eq!(flood.request(1_000, Some(200)).await, Some(answer(200)));
    assert!(flood.calls.recent().len() <= MAX_REMEMBERED);
}

#[tokio::test]
async fn who_comes_while_a_call_is_under_way_shares_the_next_one() {
    let flood = Flood::new();
    let gate = Notify::new();
    let made = AtomicUsize::new(0);
    let ask = async || {
        let make = || async {
            let number = made.fetch_add(1, Ordering::SeqCst);
            if number == 0 {
                gate.notified().await;
            }
            Some(answer(200))
        };
        flood.calls.answer(&call(1), make).await
    };
    let others = futures_util::future::join_all((0..50).map(|_| ask()));
    let open = async {
        tokio::task::yield_now().await;
        assert_eq!(made.load(Ordering::SeqCst), 1, "the others wait");
        gate.notify_one();
    };
    let (answers, ()) = futures_util::future::join(others, open).await;
    assert!(answers.iter().all(Option::is_some));
    // What the first one was told may be older than what the others are about.
    assert_eq!(made.load(Ordering::SeqCst), 2);
    ask().await;
    assert_eq!(
        made.load(Ordering::SeqCst),
        3,
        "an answer is kept for nobody else"
    );
}

#[tokio::test]
async fn who_gives_up_waiting_leaves_nobody_stuck() {
    let flood = Flood::new();
    let first = call(1);
    let stuck = flood.calls.answer(&first, std::future::pending);
    assert!(futures_util::FutureExt::now_or_never(stuck).is_none());
    assert_eq!(flood.request(1, Some(200)).await, Some(answer(200)));
    assert_eq!(flood.calls.flights.lock().unwrap().len(), 1);
    flood.request(2, Some(200)).await;
    assert_eq!(
        flood.calls.flights.lock().unwrap().len(),
        1,
        "the rest is forgotten"
    );
}
