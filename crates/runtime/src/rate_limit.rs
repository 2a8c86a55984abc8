//! A limit for each partner, so that one partner's flood does not starve the others.
//!
//! It counts only what was proven: a stranger who writes a partner's name uses up nothing of it.
//! It is kept in memory, by each process for itself, so a request beyond it costs the table
//! nothing.

use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// When each partner's requests so far are worked off at the allowed rate.
#[derive(Debug, Default)]
pub struct RateLimit(Mutex<HashMap<PartnerId, Timestamp>>);

impl RateLimit {
    /// Takes one more request of a partner in. When there were too many it gives how long to wait.
    pub fn admit(&self, partner: &PartnerId, now: Timestamp) -> Result<(), SignedDuration> {
        let mut partners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if partners.len() >= MAX_PARTNERS {
            partners.retain(|_, worked_off| *worked_off > now);
        }
        let worked_off = partners.get(partner).map_or(now, |at| now.max(*at));
        let behind = worked_off.duration_since(now);
        if behind > BURST {
            return Err(behind.saturating_sub(BURST));
        }
        let next = worked_off.checked_add(INTERVAL).unwrap_or(worked_off);
        partners.insert(partner.clone(), next);
        Ok(())
    }
}

/// At this distance requests may come for ever.
const INTERVAL: SignedDuration = SignedDuration::from_millis(100);

/// How far ahead of that rate a partner may be: 200 requests at once.
const BURST: SignedDuration = SignedDuration::from_secs(20);

/// Partners remembered before those whose requests are worked off are forgotten.
const MAX_PARTNERS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PartnerId {
        PartnerId::parse(text).unwrap()
    }

    #[test]
    fn a_partner_beyond_its_rate_waits_and_the_others_do_not() {
        let (limit, start) = (RateLimit::default(), Timestamp::UNIX_EPOCH);
        let admitted = (0..1_000).filter(|_| limit.admit(&name("acme"), start).is_ok());
        assert_eq!(admitted.count(), 201);
        assert_eq!(limit.admit(&name("zest"), start), Ok(()));
        let wait = limit.admit(&name("acme"), start).unwrap_err();
        assert_eq!(wait, INTERVAL);
        let later = start.checked_add(wait).unwrap();
        assert_eq!(limit.admit(&name("acme"), later), Ok(()));
        assert!(limit.admit(&name("acme"), later).is_err());
    }

    #[test]
    fn partners_that_are_quiet_are_forgotten() {
        let (limit, start) = (RateLimit::default(), Timestamp::UNIX_EPOCH);
        for n in 0..5 * MAX_PARTNERS as i64 {
            let now = start.checked_add(SignedDuration::from_secs(n)).unwrap();
            assert_eq!(limit.admit(&name(&format!("p{n}")), now), Ok(()));
        }
        assert!(limit.0.lock().unwrap().len() <= MAX_PARTNERS);
    }
}
