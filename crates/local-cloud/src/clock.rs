//! The stack's clock: real time plus an offset that a person or a test sets, so that it ticks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use dynoxide::storage_backend::Clock;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use crate::error::StackError;
use crate::state::StackState;

/// Real time plus a settable offset; clones share the offset, and a stack's state keeps it.
#[derive(Clone)]
pub struct StackClock {
    /// Milliseconds to add to real time.
    offset: Arc<AtomicI64>,
    state: StackState,
}

impl StackClock {
    /// The clock as this state last left it.
    pub fn restore(state: StackState) -> Result<Self, StackError> {
        let kept = state.value(OFFSET)?.and_then(|text| text.parse().ok());
        Ok(Self {
            offset: Arc::new(AtomicI64::new(kept.unwrap_or(0))),
            state,
        })
    }

    /// The moment that the stack and all its functions take for now.
    pub fn now(&self) -> Timestamp {
        shifted(self.offset())
    }

    /// Milliseconds between real time and the stack's.
    pub fn offset(&self) -> i64 {
        self.offset.load(Ordering::SeqCst)
    }

    /// Makes it this moment; the clock ticks on from here.
    pub fn set(&self, to: Timestamp) -> Result<(), StackError> {
        let real = shifted(0).as_millisecond();
        self.keep(to.as_millisecond().saturating_sub(real))
    }

    /// Moves by this much, back if negative.
    pub fn advance(&self, by: SignedDuration) -> Result<(), StackError> {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.keep(self.offset().saturating_add(by))
    }

    fn keep(&self, offset: i64) -> Result<(), StackError> {
        // Kept before it is used: a clock that jumps back after a crash would fold history anew.
        self.state.set_value(OFFSET, &offset.to_string())?;
        self.offset.store(offset, Ordering::SeqCst);
        Ok(())
    }
}

/// An amount of time as a person writes it: `3d`, `2h`, `15m`, `1w`; a day is 24 hours.
pub fn parse_amount(text: &str) -> Result<SignedDuration, StackError> {
    let wrong = || StackError::Time(text.to_owned());
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    span.to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| wrong())
}

/// A moment as a person writes it: `2026-03-01T09:00:00Z`.
pub fn parse_moment(text: &str) -> Result<Timestamp, StackError> {
    text.trim()
        .parse()
        .map_err(|_| StackError::Time(text.to_owned()))
}

/// Milliseconds of real time since 1970, for patience that does not jump with the stack's clock.
pub(crate) fn real_milliseconds() -> i64 {
    shifted(0).as_millisecond()
}

/// The embedded engine stamps its stream and expires items by the same clock.
impl Clock for StackClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.now().as_second()).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        let milliseconds = u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        Duration::from_millis(milliseconds).as_secs_f64()
    }
}

fn shifted(offset: i64) -> Timestamp {
    let real = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
    real.saturating_add(SignedDuration::from_millis(offset))
        .unwrap_or(real)
}

const OFFSET: &str = "clock-offset-ms";
