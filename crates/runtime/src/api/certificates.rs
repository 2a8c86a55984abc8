//! Certificates that were fetched once: their address names them, and each is proven anew
//! whenever it is used.

use jiff::{SignedDuration, Timestamp};
use providers::{ApiCall, ApiResponse, CallTarget};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The latest few, for half a day each.
#[derive(Debug, Default)]
pub(super) struct CertificateCache(Mutex<VecDeque<CachedCertificate>>);

#[derive(Debug)]
struct CachedCertificate {
    call: ApiCall,
    answer: ApiResponse,
    until: Timestamp,
}

impl CertificateCache {
    /// The one that this asks for, if it is here.
    pub(super) fn get(&self, call: &ApiCall, now: Timestamp) -> Option<ApiResponse> {
        let held = self.lock();
        let found = held
            .iter()
            .find(|held| held.call == *call && now < held.until);
        found.map(|held| held.answer.clone())
    }

    /// Keeps it, if this is one; the oldest makes room.
    pub(super) fn insert(&self, call: &ApiCall, answer: &ApiResponse, now: Timestamp) {
        let is_one = match &call.target {
            CallTarget::Certificate(_) => answer.status == 200,
            CallTarget::Api(_) => false,
        };
        let Some(until) = now.checked_add(CACHE_TTL).ok().filter(|_| is_one) else {
            return;
        };
        let mut held = self.lock();
        held.retain(|held| held.call != *call);
        if held.len() >= MAX_CACHED {
            held.pop_front();
        }
        held.push_back(CachedCertificate {
            call: call.clone(),
            answer: answer.clone(),
            until,
        });
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<CachedCertificate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const CACHE_TTL: SignedDuration = SignedDuration::from_hours(12);
const MAX_CACHED: usize = 8;

#[cfg(test)]
mod tests {
    use super::{CACHE_TTL, CertificateCache, MAX_CACHED};
    use jiff::Timestamp;
    use providers::{ApiCall, ApiResponse, CallTarget, Method};

    fn call(to: CallTarget) -> ApiCall {
        ApiCall {
            method: Method::Get,
            target: to,
            body: [][..].into(),
        }
    }

    fn certificate(number: usize) -> ApiCall {
        call(CallTarget::Certificate(
            format!("https://host/{number}").into(),
        ))
    }

    fn answer(status: u16) -> ApiResponse {
        ApiResponse {
            status,
            body: b"PEM"[..].into(),
        }
    }

    #[test]
    fn a_certificate_is_asked_for_once_in_half_a_day() {
        let (known, now) = (CertificateCache::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(known.get(&certificate(1), now), None);
        known.insert(&certificate(1), &answer(200), now);
        let until = now + CACHE_TTL;
        let moment = jiff::SignedDuration::from_nanos(1);
        assert_eq!(
            known.get(&certificate(1), until - moment),
            Some(answer(200))
        );
        assert_eq!(known.get(&certificate(1), until), None);
        assert_eq!(known.get(&certificate(2), now), None);
    }

    #[test]
    fn nothing_else_is_kept() {
        let (known, now) = (CertificateCache::default(), Timestamp::UNIX_EPOCH);
        known.insert(&certificate(1), &answer(404), now);
        assert_eq!(known.get(&certificate(1), now), None);
        let api = call(CallTarget::Api("/v1/things/1".into()));
        known.insert(&api, &answer(200), now);
        assert_eq!(known.get(&api, now), None);
    }

    #[test]
    fn whoever_names_many_fills_no_memory() {
        let (known, now) = (CertificateCache::default(), Timestamp::UNIX_EPOCH);
        for number in 0..=MAX_CACHED {
            known.insert(&certificate(number), &answer(200), now);
            known.insert(&certificate(number), &answer(200), now);
        }
        assert_eq!(known.get(&certificate(0), now), None);
        let rest = (1..=MAX_CACHED).filter(|one| known.get(&certificate(*one), now).is_some());
        assert_eq!(rest.count(), MAX_CACHED);
    }
}
