//! The law of notices: each state that a row comes to is told to its partner, at least once,
//! under one id and in one wording, not before it came, not again once that it was taken is
//! written down, and nothing is written down that was not taken.

use super::happening::{DAY, MINUTE};
use super::laws::Broken;
use super::port::Sent;
use super::world::World;
use domain::ids::PartnerId;
use domain::notice::{GIVEN_UP, Notice};
use jiff::Timestamp;
use std::sync::Arc;
use store::endpoints::{Endpoint, WhyOff};
use store::notices::{Order, Told};
use store::{Item, Key};

/// Clocks are off by so much at most, milliseconds.
const SKEW: i64 = 900_000;
/// The audit hands over what was not told after this, and until that, milliseconds.
const PATIENCE: i64 = 15 * MINUTE;
const WINDOW: i64 = 7 * DAY;

/// A notice that a row in the table makes.
#[derive(Debug)]
pub(super) struct Known {
    order: Order,
    notice: Notice,
    body: Vec<u8>,
    /// Whether its partner has it.
    pub(super) taken: bool,
    /// How many changes the table had seen when that was written down.
    told_by: Option<usize>,
}

impl Known {
    /// Milliseconds since the epoch.
    fn at(&self) -> i64 {
        self.notice.at.as_millisecond()
    }
}

/// A notice's id and body.
pub(super) fn written(order: &Order, notice: &Notice) -> (String, Vec<u8>) {
    let id = notice.id(&order.partner, &order.row);
    let body = notice.body(&order.partner, &order.row);
    (id, serde_json::to_vec(&body).unwrap_or_default())
}

impl World<'_> {
    pub(super) fn endpoint_of(&self, partner: &PartnerId) -> Option<&Arc<Endpoint>> {
        match self.twin.look(&Key::endpoint(partner)) {
            Some(Item::Endpoint(endpoint)) if endpoint.is_wanted() => Some(endpoint),
            _ => None,
        }
    }

    /// A row was just put: from now on its partner may be told of it.
    pub(super) fn row_stands(&mut self, row: &Item) {
        let Some(order) = Order::of(row) else {
            return self.breaks(format!("nobody is told of {}", row.key()));
        };
        for notice in row.notices() {
            let (id, body) = written(&order, &notice);
            let known = Known {
                order: order.clone(),
                notice,
                body,
                taken: false,
                told_by: None,
            };
            let there = self.noticing.known.insert(id, known);
            if let Some(there) = there {
                self.breaks(format!("two states have the id of {there:?}"));
            }
        }
    }

    /// A notice is on its way: of what stands, to whom it concerns, and not without reason.
    pub(super) fn may_be_told(&self, attempt: usize, sent: &Sent) -> Result<PartnerId, Broken> {
        let id = &sent.id;
        let Some(known) = self.noticing.known.get(id) else {
            return Err(format!("{id} is told of no row that stands"));
        };
        let partner = &known.order.partner;
        let told = (&known.order.row, known.notice.kind);
        if !sent.url.starts_with(&format!("https://{partner}.example/")) {
            return Err(format!("{told:?} of {partner} is told to {}", sent.url));
        }
        if sent.body != known.body {
            return Err(format!("{told:?} is told in another wording"));
        }
        if known.at() > self.clock + SKEW {
            return Err(format!("{told:?} is told before it came"));
        }
        let began = self.noticing.attempts[attempt].began;
        let receiver = self.noticing.partners.get(partner);
        let since = receiver.and_then(|receiver| receiver.since);
        let wished = |(since, by): (Timestamp, usize)| known.notice.at >= since || by > began;
        if !since.is_some_and(wished) {
            return Err(format!("{told:?} came before {partner} wished to be told"));
        }
        if known.told_by.is_some_and(|by| by <= began) {
            return Err(format!("{told:?} is told again, and was written down"));
        }
        let off_from = receiver.and_then(|receiver| receiver.off_from);
        if off_from.is_some_and(|from| from <= began) {
            return Err(format!("{told:?} is told to an endpoint that is off"));
        }
        Ok(partner.clone())
    }

    /// What was told of a row was written down.
    pub(super) fn told_stands(&mut self, told: &Told) {
        let by = self.twin.changes.len();
        let (order, mut found) = (told.order(), 0);
        let Some(row) = self.twin.look(&order.key()) else {
            return self.breaks(format!(
                "something is told of {order:?}, which stands nowhere"
            ));
        };
        let mut law = None;
        for notice in row.notices() {
            let is_told = told.notices.contains_key(notice.kind);
            let id = notice.id(&order.partner, &order.row);
            let Some(known) = self.noticing.known.get_mut(&id) else {
                continue;
            };
            found += usize::from(is_told);
            match (is_told, known.told_by) {
                (true, None) if !known.taken => law = Some("was written down and never taken"),
                (true, None) => known.told_by = Some(by),
                (false, Some(_)) => law = Some("was forgotten"),
                (true, Some(_)) | (false, None) => {}
            }
        }
        if found != told.notices.len() {
            law = Some("was written down and is no notice of it");
        }
        if let Some(law) = law {
            self.breaks(format!("of {order:?} something {law}: {told:?}"));
        }
    }

    /// A partner's endpoint was written: it is put off for a reason, and its beginning stays while
    /// it is wanted.
    pub(super) fn endpoint_stands(&mut self, endpoint: &Endpoint) {
        let partner = &endpoint.partner;
        let by = self.twin.changes.len();
        let Some(receiver) = self.noticing.partners.get_mut(partner) else {
            return self.breaks(format!("{partner} is no partner"));
        };
        let was_off = receiver.off_from.is_some();
        let was_unwanted = std::mem::replace(&mut receiver.is_unwanted, !endpoint.is_wanted());
        let begins = receiver.since.map(|(since, _)| since) != Some(endpoint.since);
        let may_begin = receiver.since.is_none() || was_unwanted;
        if begins {
            receiver.since = Some((endpoint.since, by));
        }
        let is_wanted = endpoint.is_wanted();
        let is_off = endpoint.off.is_some() || !is_wanted;
        receiver.off_from = is_off.then(|| receiver.off_from.unwrap_or(by));
        let reason = match endpoint.off.map(|off| (off.why, off.at)) {
            None => true,
            Some((WhyOff::Gone, _)) => receiver.said_gone,
            Some((WhyOff::Failing, at)) => {
                let failing = endpoint.failing_since;
                let long = failing.is_some_and(|since| at.duration_since(since) >= GIVEN_UP);
                receiver.failed && long
            }
        };
        if !reason || begins && !may_begin {
            self.breaks(format!("without reason {endpoint:?}"));
        }
        if is_off && (!was_off || !is_wanted) {
            self.put_on_again(partner, is_wanted);
        }
    }

    /// Whoever's endpoint is on and who lost no message has it all, where the stream lost nothing.
    pub(super) fn told_without_an_audit(&self) -> Result<(), Broken> {
        let until = self.clock - SKEW;
        self.all_told(|endpoint, known| {
            let receiver = self.noticing.partners.get(&endpoint.partner);
            receiver.is_some_and(|receiver| !receiver.given_up) && known.at() <= until
        })
        .map_err(|law| format!("{law} before the audit"))
    }

    /// What the audit may hand over is told, whatever was lost.
    pub(super) fn told_by_the_audit(&self) -> Result<(), Broken> {
        let Some(from) = self.noticing.audited_from else {
            return Ok(());
        };
        // The audits take hours, and what is about to leave the window need not be seen.
        let span = from - WINDOW + DAY..from - PATIENCE;
        let is_tried = |since: Timestamp| {
            self.clock - since.as_millisecond() < GIVEN_UP.as_secs() * 1000 + DAY
        };
        self.all_told(|endpoint, known| {
            let is_tried = endpoint.failing_since.is_some_and(is_tried);
            !is_tried && span.contains(&known.at())
        })
        .map_err(|law| format!("{law} by the audit"))
    }

    /// At the end, when every endpoint has been put on once more.
    pub(super) fn partners_were_told(&self) -> Result<(), Broken> {
        let until = self.clock - SKEW;
        self.all_told(|_, known| known.at() <= until)
    }

    fn all_told(&self, due: impl Fn(&Endpoint, &Known) -> bool) -> Result<(), Broken> {
        for known in self.noticing.known.values() {
            let Some(endpoint) = self.endpoint_of(&known.order.partner) else {
                continue;
            };
            let wanted = endpoint.off.is_none() && known.notice.at >= endpoint.since;
            if wanted && due(endpoint, known) && known.told_by.is_none() {
                let (order, kind) = (&known.order, known.notice.kind);
                let at = known.notice.at;
                return Err(format!(
                    "{kind} of {order:?}, which came {at}, is not told ({endpoint:?})"
                ));
            }
        }
        Ok(())
    }

    /// The audits after the last fault begin.
    pub(super) fn audit_at_last(&mut self) {
        self.noticing.audited_from = Some(self.clock);
    }
}
