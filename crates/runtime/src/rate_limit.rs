//! A limit for each of those who prove themselves, so that one's flood does not starve the others.
//!
//! It counts only what was proven: a stranger who writes somebody's name uses up nothing of it.
//! It is kept in memory, by each process for itself, so a request beyond it costs the table
//! nothing.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// When each one's requests so far are worked off at the allowed rate.
#[derive(Debug)]
pub struct RateLimit<K> {
    /// At this distance requests may come for ever.
    interval: SignedDuration,
    /// How far ahead of that rate somebody may be.
    burst: SignedDuration,
    worked_off: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Clone + Eq + Hash> RateLimit<K> {
    /// A request every `interval`, for ever, and what comes within `burst` at once.
    pub fn new(interval: SignedDuration, burst: SignedDuration) -> Self {
        Self {
            interval,
            burst,
            worked_off: Mutex::default(),
        }
    }

    /// Takes one more request of somebody in. When there were too many it gives how long to wait.
    ///
    /// # Errors
    /// How long to wait.
    pub fn admit(&self, who: &K, now: Timestamp) -> Result<(), SignedDuration> {
        let mut known = self
            .worked_off
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.retain(|_, worked_off| *worked_off > now);
        }
        let worked_off = known.get(who).map_or(now, |at| now.max(*at));
        let behind = worked_off.duration_since(now);
        if behind > self.burst {
            return Err(behind.saturating_sub(self.burst));
        }
        let next = worked_off.checked_add(self.interval).unwrap_or(worked_off);
        known.insert(who.clone(), next);
        Ok(())
    }
}

/// Names remembered before those whose requests are worked off are forgotten.
const MAX_REMEMBERED: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: SignedDuration = SignedDuration::from_millis(100);

    fn limit() -> RateLimit<String> {
        RateLimit::new(INTERVAL, SignedDuration::from_secs(20))
    }

    #[test]
    fn who_is_beyond_the_rate_waits_and_the_others_do_not() {
        let (limit, start) = (limit(), Timestamp::UNIX_EPOCH);
        let (acme, zest) = ("acme".to_owned(), "zest".to_owned());
        let admitted = (0..1_000).filter(|_| limit.admit(&acme, start).is_ok());
        assert_eq!(admitted.count(), 201);
        assert_eq!(limit.admit(&zest, start), Ok(()));
        let wait = limit.admit(&acme, start).unwrap_err();
        assert_eq!(wait, INTERVAL);
        let later = start.checked_add(wait).unwrap();
        assert_eq!(limit.admit(&acme, later), Ok(()));
        assert!(limit.admit(&acme, later).is_err());
    }

    #[test]
    fn who_is_quiet_is_forgotten() {
        let (limit, start) = (limit(), Timestamp::UNIX_EPOCH);
        for n in 0..5 * i64::try_from(MAX_REMEMBERED).unwrap() {
            let now = start.checked_add(SignedDuration::from_secs(n)).unwrap();
            assert_eq!(limit.admit(&format!("p{n}"), now), Ok(()));
        }
        assert!(limit.worked_off.lock().unwrap().len() <= MAX_REMEMBERED);
    }
}
