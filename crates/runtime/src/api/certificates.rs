//! Certificates that were fetched once: their address names them, and each is proven anew
//! whenever it is used.

use jiff::{SignedDuration, Timestamp};
use providers::{Answer, Call, To};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The latest few, for half a day each.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<VecDeque<Held>>);

#[derive(Debug)]
struct Held {
    call: Call,
    answer: Answer,
    until: Timestamp,
}

impl Certificates {
    /// The one that this asks for, if it is here.
    pub(super) fn get(&self, call: &Call, now: Timestamp) -> Option<Answer> {
        let held = self.held();
        let found = held
            .iter()
            .find(|held| held.call == *call && now < held.until);
        found.map(|held| held.answer.clone())
    }

    /// Keeps it, if this is one; the oldest makes room.
    pub(super) fn keep(&self, call: &Call, answer: &Answer, now: Timestamp) {
        let is_one = match &call.to {
            To::Certificate(_) => answer.status == 200,
            To::Api(_) => false,
        };
        let Some(until) = now.checked_add(FRESH).ok().filter(|_| is_one) else {
            return;
        };
        let mut held = self.held();
        held.retain(|held| held.call != *call);
        if held.len() >= MOST {
            held.pop_front();
        }
        held.push_back(Held {
            call: call.clone(),
            answer: answer.clone(),
            until,
        });
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FRESH: SignedDuration = SignedDuration::from_hours(12);
const MOST: usize = 8;

#[cfg(test)]
mod tests {
    use super::{Certificates, FRESH, MOST};
    use jiff::Timestamp;
    use providers::{Answer, Call, Method, To};

    fn call(to: To) -> Call {
        Call {
            method: Method::Get,
            to,
            body: [][..].into(),
        }
    }

    fn certificate(number: usize) -> Call {
        call(To::Certificate(format!("https://host/{number}").into()))
    }

    fn answer(status: u16) -> Answer {
        Answer {
            status,
            body: b"PEM"[..].into(),
        }
    }

    #[test]
    fn a_certificate_is_asked_for_once_in_half_a_day() {
        let (known, now) = (Certificates::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(known.get(&certificate(1), now), None);
        known.keep(&certificate(1), &answer(200), now);
        let until = now + FRESH;
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
        let (known, now) = (Certificates::default(), Timestamp::UNIX_EPOCH);
        known.keep(&certificate(1), &answer(404), now);
        assert_eq!(known.get(&certificate(1), now), None);
        let api = call(To::Api("/v1/things/1".into()));
        known.keep(&api, &answer(200), now);
        assert_eq!(known.get(&api, now), None);
    }

    #[test]
    fn whoever_names_many_fills_no_memory() {
        let (known, now) = (Certificates::default(), Timestamp::UNIX_EPOCH);
        for number in 0..=MOST {
            known.keep(&certificate(number), &answer(200), now);
            known.keep(&certificate(number), &answer(200), now);
        }
        assert_eq!(known.get(&certificate(0), now), None);
        let rest = (1..=MOST).filter(|one| known.get(&certificate(*one), now).is_some());
        assert_eq!(rest.count(), MOST);
    }
}
