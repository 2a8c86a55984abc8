//! The stack's clock: real time plus an offset that a person or a test sets, so that it ticks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use dynoxide::storage_backend::Clock;
use jiff::civil::Date;
use jiff::tz::TimeZone;
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

    /// How far it is from this machine's clock, and what follows from that; none where both show
    /// the same minute or so.
    pub fn difference_note(&self) -> Option<String> {
        let offset = SignedDuration::from_millis(self.offset());
        if offset.abs() < SAME_TIME {
            return None;
        }
        let (side, looks) = match offset.is_positive() {
            true => ("ahead of", "too old"),
            false => ("behind", "to be of the future"),
        };
        let far = rough_length(offset.abs());
        Some(format!(
            "this stack's clock is {far} {side} this machine's, so what was signed by the real \
             time seems {looks}; `orangery clock set now` sets it right"
        ))
    }

    /// Makes it this moment; the clock ticks on from here.
    ///
    /// # Errors
    /// [`StackError::FarTime`] for a moment that no shop lives in.
    pub fn set(&self, to: Timestamp) -> Result<(), StackError> {
        self.turn(ClockMove::To(to))
    }

    /// Moves by this much, back if negative.
    ///
    /// # Errors
    /// [`StackError::FarTime`] for a moment that no shop lives in.
    pub fn advance(&self, by: SignedDuration) -> Result<(), StackError> {
        self.turn(ClockMove::By(by))
    }

    /// Moves it.
    pub(crate) fn turn(&self, to: ClockMove) -> Result<(), StackError> {
        let real = shifted(0);
        let target = match to {
            ClockMove::Real => real,
            ClockMove::To(moment) => moment,
            ClockMove::By(length) => self
                .now()
                .checked_add(length)
                .map_err(|_| StackError::FarTime)?,
        };
        if !TIME_RANGE.contains(&target.as_second()) {
            return Err(StackError::FarTime);
        }
        self.keep(match to {
            ClockMove::Real => 0,
            ClockMove::To(_) | ClockMove::By(_) => target
                .as_millisecond()
                .saturating_sub(real.as_millisecond()),
        })
    }

    fn keep(&self, offset: i64) -> Result<(), StackError> {
        // Kept before it is used: a clock that jumps back after a crash would fold history anew.
        self.state.set_value(OFFSET, &offset.to_string())?;
        self.offset.store(offset, Ordering::SeqCst);
        Ok(())
    }
}

/// Where the clock is moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMove {
    /// This machine's time.
    Real,
    /// A moment.
    To(Timestamp),
    /// So far from where it is; back if negative.
    By(SignedDuration),
}

/// An amount of time as a person writes it: `3d`, `2h`, `15m`, `1w`; a day is 24 hours.
pub fn parse_amount(text: &str) -> Result<SignedDuration, StackError> {
    let wrong = || StackError::Time(text.to_owned());
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    span.to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| wrong())
}

/// A length of time in its two largest units: `3d 2h`.
fn rough_length(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    let (days, hours) = (minutes / (24 * 60), minutes / 60 % 24);
    match (days, hours, minutes % 60) {
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

/// A moment as a person writes it: `2026-03-01T09:00:00Z`, or `2026-03-01` for its first second.
///
/// # Errors
/// [`StackError::Time`] for what is none, [`StackError::NoSuchTime`] for one that no calendar has.
pub fn parse_moment(text: &str) -> Result<Timestamp, StackError> {
    let text = text.trim();
    let day: Result<Date, _> = text.parse();
    let moment = match (text.len(), day) {
        (10, Ok(day)) => day.to_zoned(TimeZone::UTC).map(|day| day.timestamp()),
        (_, Ok(_) | Err(_)) => text.parse(),
    };
    moment.map_err(|cause| {
        let is_date = |c: char| c.is_ascii_digit() || c == '-';
        match text.get(..10) {
            Some(date) if date.chars().all(is_date) && date.matches('-').count() == 2 => {
                StackError::NoSuchTime(text.to_owned(), cause)
            }
            Some(_) | None => StackError::Time(text.to_owned()),
        }
    })
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

/// Endpoints forgive minutes, and people set clocks to the minute.
const SAME_TIME: SignedDuration = SignedDuration::from_secs(60);
/// 2000 to 2099, in Unix seconds: beyond, somebody mistyped.
const TIME_RANGE: std::ops::Range<i64> = 946_684_800..4_102_444_800;
const OFFSET: &str = "clock-offset-ms";
