//! The time in tests: all of them begin at one moment, and time stands still until it is set.

use jiff::{SignedDuration, Timestamp};
use runtime::Clock;
use std::sync::{Arc, Mutex, PoisonError};

/// The moment at which every harness opens, and as of which stories are told.
pub fn start_time() -> Timestamp {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

/// A clock that stands still until it is set; clones are the same one.
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    /// At [`start_time`].
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(start_time())))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets it, forward or back.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves it forward.
    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now().checked_add(by).unwrap());
    }

    /// As functions take it.
    pub fn for_functions(&self) -> Clock {
        let clock = self.clone();
        Clock::new(move || clock.now())
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}
