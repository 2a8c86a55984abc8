//! Calls to a provider that are made to prove a request. Strangers decide what is asked, so there
//! is a budget: what was asked lately is remembered, and whoever asks beyond it gets no answer.

use super::certificates::CertificateCache;
use crate::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use providers::{ApiCall, ApiResponse};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The budget of one process, and what it remembers.
#[derive(Debug)]
pub(super) struct ProofCalls {
    clock: Clock,
    certificates: CertificateCache,
    recent: Mutex<VecDeque<RecentCall>>,
    flights: Mutex<BTreeMap<ApiCall, Weak<Flight>>>,
    turns: AtomicU64,
}

/// A call that was made.
#[derive(Debug)]
struct RecentCall {
    call: ApiCall,
    at: Timestamp,
    /// An answer that there is no such thing.
    unknown: Option<ApiResponse>,
    outcome: CallOutcome,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallOutcome {
    /// Its request is not decided yet.
    Open,
    /// Its answer proved a request: it costs nothing of the budget.
    Proved,
    /// It proved nothing.
    InVain,
}

/// One call that several may wait for: what was answered last, and the turn in which it was asked.
type Flight = tokio::sync::Mutex<Option<(u64, Option<ApiResponse>)>>;

/// What is done about a call.
enum Admission {
    /// Its answer is remembered.
    Known(ApiResponse),
    /// It is made.
    Made,
    /// It is not made.
    Denied,
}

impl ProofCalls {
    /// Nothing was asked yet.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            certificates: CertificateCache::default(),
            recent: Mutex::default(),
            flights: Mutex::default(),
            turns: AtomicU64::default(),
        }
    }

    /// The answer to this call, made by `make` where the budget allows it and nobody else just
    /// makes it. Whoever comes while it is under way waits, and shares the next one with all who
    /// wait: an answer from before may not know what the request is about.
    pub(super) async fn answer<F: Future<Output = Option<ApiResponse>>>(
        &self,
        call: &ApiCall,
        make: impl FnOnce() -> F,
    ) -> Option<ApiResponse> {
        let came = self.turn();
        let flight = self.flight(call);
        let mut last = flight.lock().await;
        match &*last {
            Some((asked, answer)) if *asked > came => return answer.clone(),
            Some(_) | None => {}
        }
        let now = self.clock.now();
        match self.admit(call, now) {
            Admission::Known(answer) => Some(answer),
            Admission::Denied => {
                tracing::warn!(what = "api", metrics = "denied_calls", "not asked");
                None
            }
            Admission::Made => {
                let asked = self.turn();
                let answer = make().await;
                self.note(call, answer.as_ref(), now);
                *last = Some((asked, answer.clone()));
                answer
            }
        }
    }

    /// Whether a request was proven by the answers to these calls. That there is no such thing
    /// proves nothing.
    pub(super) fn settle(&self, calls: &[ApiCall], proven: bool) {
        let mut fruitless_calls: u64 = 0;
        let mut recent = self.recent();
        let open = recent
            .iter_mut()
            .filter(|made| made.outcome == CallOutcome::Open && calls.contains(&made.call));
        for made in open {
            if proven && made.unknown.is_none() {
                made.outcome = CallOutcome::Proved;
            } else {
                made.outcome = CallOutcome::InVain;
                fruitless_calls = fruitless_calls.saturating_add(1);
            }
        }
        if fruitless_calls > 0 {
            let metrics = "fruitless_calls";
            tracing::warn!(what = "api", fruitless_calls, metrics, "asked in vain");
        }
    }

    fn admit(&self, call: &ApiCall, now: Timestamp) -> Admission {
        if let Some(kept) = self.certificates.get(call, now) {
            return Admission::Known(kept);
        }
        let mut recent = self.recent();
        recent.retain(|made| made.is_remembered(now));
        let same = recent.iter().filter(|made| made.call == *call);
        if let Some(unknown) = same.clone().find_map(|made| made.unknown.clone()) {
            return Admission::Known(unknown);
        }
        let same = same.filter(|made| made.is_of_this_minute(now)).count();
        let of_this_minute = recent.iter().filter(|made| made.is_of_this_minute(now));
        let is_fruitless = |made: &&RecentCall| made.outcome != CallOutcome::Proved;
        let fruitless = of_this_minute.filter(is_fruitless).count();
        if same >= SAME_CALLS_A_MINUTE || fruitless >= FRUITLESS_CALLS_A_MINUTE {
            return Admission::Denied;
        }
        if recent.len() >= MAX_REMEMBERED {
            let is_proved = |made: &RecentCall| made.outcome == CallOutcome::Proved;
            let oldest = recent.iter().position(is_proved);
            recent.remove(oldest.unwrap_or_default());
        }
        recent.push_back(RecentCall {
            call: call.clone(),
            at: now,
            unknown: None,
            outcome: CallOutcome::Open,
        });
        Admission::Made
    }

    fn note(&self, call: &ApiCall, answer: Option<&ApiResponse>, now: Timestamp) {
        let Some(answer) = answer else {
            return;
        };
        self.certificates.insert(call, answer, now);
        if !(400..500).contains(&answer.status) {
            return;
        }
        let mut recent = self.recent();
        let mut newest = recent.iter_mut().rev();
        if let Some(made) = newest.find(|made| made.call == *call) {
            made.unknown = Some(answer.clone());
        }
    }

    /// The call under way, if it is; those that nobody waits for any more are forgotten.
    fn flight(&self, call: &ApiCall) -> Arc<Flight> {
        let flights = self.flights.lock();
        let mut flights = flights.unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| flight.strong_count() > 0);
        if let Some(flight) = flights.get(call).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::new(Flight::default());
        flights.insert(call.clone(), Arc::downgrade(&flight));
        flight
    }

    fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<RecentCall>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RecentCall {
    fn is_of_this_minute(&self, now: Timestamp) -> bool {
        self.is_within(MINUTE, now)
    }

    fn is_remembered(&self, now: Timestamp) -> bool {
        self.is_within(
            if self.unknown.is_some() {
                UNKNOWN_FOR
            } else {
                MINUTE
            },
            now,
        )
    }

    fn is_within(&self, span: SignedDuration, now: Timestamp) -> bool {
        now.duration_since(self.at).abs() < span
    }
}

/// Calls a minute whose answers prove nothing. What comes beyond them is answered 503, and its
/// sender tries again.
pub(super) const FRUITLESS_CALLS_A_MINUTE: usize = 20;

/// The same call a minute, whatever it proves: who knows the id of one payment of their own knows
/// something to ask for.
pub(super) const SAME_CALLS_A_MINUTE: usize = 4;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// How long it is remembered that there is no such thing.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_mins(5);
/// More than the unknown of five minutes can be.
const MAX_REMEMBERED: usize = 256;

#[cfg(test)]
mod tests;
