//! The law of notices: each state that a row comes to is told to its partner, at least once,
//! under one id and in one wording, not before it came, not again once that it was taken is
//! written down, and nothing is written down that was not taken.

use crate::proof::simulation::activity::{DAY, MINUTE};
use crate::proof::simulation::port::SentNotice;
use crate::proof::simulation::records::ExpectedNotice;
use crate::proof::simulation::records::Violation;
use crate::proof::simulation::records::notice_message;
use crate::proof::simulation::state::Simulation;
use domain::ids::PartnerId;
use domain::notice::GIVE_UP_AFTER;
use jiff::Timestamp;
use std::sync::Arc;
use store::notice_endpoints::{DisabledReason, NoticeEndpoint};
use store::notices::{DeliveryState, NoticeTask};
use store::{Item, Key};

/// Clocks are off by so much at most, milliseconds.
const MAX_CLOCK_SKEW_MS: i64 = 900_000;
/// The audit hands over what was not told after this, and until that, milliseconds.
const AUDIT_PATIENCE_MS: i64 = 15 * MINUTE;
const AUDIT_WINDOW_MS: i64 = 7 * DAY;

impl Simulation<'_> {
    /// Whether an item is the endpoint of a partner to whom nothing is sent.
    pub(crate) fn is_off(&self, item: &Item) -> bool {
        let Item::NoticeEndpoint(endpoint) = item else {
            return false;
        };
        let partner = endpoint.addressee.partner();
        let partner = partner.and_then(|partner| self.notices.partners.get(partner));
        partner.is_some_and(|partner| partner.disabled_from.is_some())
    }

    pub(crate) fn endpoint_of(&self, partner: &PartnerId) -> Option<&Arc<NoticeEndpoint>> {
        match self.table.peek(&Key::notice_endpoint(partner)) {
            Some(Item::NoticeEndpoint(endpoint)) if endpoint.is_configured() => Some(endpoint),
            _ => None,
        }
    }

    /// A row was just put: from now on its partner may be told of it.
    pub(crate) fn expect_notices(&mut self, row: &Item) {
        let Some(order) = NoticeTask::of(row) else {
            return self.report_violation(format!("nobody is told of {}", row.key()));
        };
        for notice in row.notices() {
            let (id, body) = notice_message(&order, &notice);
            let known = ExpectedNotice {
                order: order.clone(),
                notice,
                body,
                delivered: false,
                recorded_at_change: None,
            };
            let there = self.notices.expected.insert(id, known);
            if let Some(there) = there {
                self.report_violation(format!("two states have the id of {there:?}"));
            }
        }
    }

    /// A notice is on its way: of what stands, to whom it concerns, and not without reason.
    pub(crate) fn check_notice_allowed(
        &self,
        attempt: usize,
        sent: &SentNotice,
    ) -> Result<PartnerId, Violation> {
        let id = &sent.id;
        let Some(known) = self.notices.expected.get(id) else {
            return Err(format!("{id} is told of no row that stands"));
        };
        let told_row = (&known.order.row, known.notice.kind);
        let Some(partner) = known.order.addressee.partner() else {
            return Err(format!("{told_row:?} is told to no partner"));
        };
        if !sent.url.starts_with(&format!("https://{partner}.example/")) {
            return Err(format!("{told_row:?} of {partner} is told to {}", sent.url));
        }
        if sent.body != known.body {
            return Err(format!("{told_row:?} is told in another wording"));
        }
        if known.at() > self.clock + MAX_CLOCK_SKEW_MS {
            return Err(format!("{told_row:?} is told before it came"));
        }
        let began = self.notices.attempts[attempt].began_at_change;
        let receiver = self.notices.partners.get(partner);
        let since = receiver.and_then(|receiver| receiver.since);
        let wished = |(since, by): (Timestamp, usize)| known.notice.at >= since || by > began;
        if !since.is_some_and(wished) {
            return Err(format!(
                "{told_row:?} came before {partner} wished to be told"
            ));
        }
        if known.recorded_at_change.is_some_and(|by| by <= began) {
            return Err(format!("{told_row:?} is told again, and was written down"));
        }
        let off_from = receiver.and_then(|receiver| receiver.disabled_from);
        if off_from.is_some_and(|from| from <= began) {
            return Err(format!("{told_row:?} is told to an endpoint that is off"));
        }
        Ok(partner.clone())
    }

    /// What was told of a row was written down.
    pub(crate) fn check_delivery_state(&mut self, told_row: &DeliveryState) {
        let by = self.table.changes.len();
        let (order, mut found) = (told_row.task(), 0);
        let Some(row) = self.table.peek(&order.key()) else {
            return self.report_violation(format!(
                "something is told of {order:?}, which stands nowhere"
            ));
        };
        let mut law = None;
        for notice in row.notices() {
            let is_told = told_row.delivered.contains_key(notice.kind);
            let id = notice.id(&order.addressee, &order.row);
            let Some(known) = self.notices.expected.get_mut(&id) else {
                continue;
            };
            found += usize::from(is_told);
            match (is_told, known.recorded_at_change) {
                (true, None) if !known.delivered => law = Some("was written down and never taken"),
                (true, None) => known.recorded_at_change = Some(by),
                (false, Some(_)) => law = Some("was forgotten"),
                (true, Some(_)) | (false, None) => {}
            }
        }
        if found != told_row.delivered.len() {
            law = Some("was written down and is no notice of it");
        }
        if let Some(law) = law {
            self.report_violation(format!("of {order:?} something {law}: {told_row:?}"));
        }
    }

    /// A partner's endpoint was written: it is put off for a reason, and its beginning stays while
    /// it is wanted.
    pub(crate) fn check_endpoint(&mut self, endpoint: &NoticeEndpoint) {
        let Some(partner) = endpoint.addressee.partner() else {
            return self.report_violation("the shop has an endpoint".into());
        };
        let by = self.table.changes.len();
        let Some(receiver) = self.notices.partners.get_mut(partner) else {
            return self.report_violation(format!("{partner} is no partner"));
        };
        let was_unwanted = std::mem::replace(&mut receiver.is_removed, !endpoint.is_configured());
        let begins = receiver.since.map(|(since, _)| since) != Some(endpoint.since);
        let may_begin = receiver.since.is_none() || was_unwanted;
        if begins {
            receiver.since = Some((endpoint.since, by));
        }
        let is_wanted = endpoint.is_configured();
        let is_off = endpoint.disabled.is_some() || !is_wanted;
        receiver.disabled_from = is_off.then(|| receiver.disabled_from.unwrap_or(by));
        let reason = match endpoint.disabled.map(|off| (off.reason, off.at)) {
            None => true,
            Some((DisabledReason::Gone, _)) => receiver.answered_gone,
            Some((DisabledReason::Failing, at)) => {
                let failing = endpoint.failing_since;
                let long = failing.is_some_and(|since| at.duration_since(since) >= GIVE_UP_AFTER);
                receiver.failed && long
            }
        };
        if !reason || begins && !may_begin {
            self.report_violation(format!("without reason {endpoint:?}"));
        }
    }

    /// Whoever's endpoint is on and who lost no message has it all, where the stream lost nothing.
    pub(crate) fn check_notices_before_audit(&self) -> Result<(), Violation> {
        let until = self.clock - MAX_CLOCK_SKEW_MS;
        self.check_notices_recorded(|endpoint, known| {
            let receiver = endpoint.addressee.partner();
            let receiver = receiver.and_then(|partner| self.notices.partners.get(partner));
            receiver.is_some_and(|receiver| !receiver.message_given_up) && known.at() <= until
        })
        .map_err(|law| format!("{law} before the audit"))
    }

    /// What the audit may hand over is told, whatever was lost.
    pub(crate) fn check_notices_by_audit(&self) -> Result<(), Violation> {
        let Some(from) = self.notices.audited_from else {
            return Ok(());
        };
        // The audits take hours, and what is about to leave the window need not be seen.
        let span = from - AUDIT_WINDOW_MS + DAY..from - AUDIT_PATIENCE_MS;
        let is_tried = |since: Timestamp| {
            self.clock - since.as_millisecond() < GIVE_UP_AFTER.as_secs() * 1000 + DAY
        };
        self.check_notices_recorded(|endpoint, known| {
            let is_tried = endpoint.failing_since.is_some_and(is_tried);
            !is_tried && span.contains(&known.at())
        })
        .map_err(|law| format!("{law} by the audit"))
    }

    /// At the end, when every endpoint has been put on once more.
    pub(crate) fn check_all_notices(&self) -> Result<(), Violation> {
        let until = self.clock - MAX_CLOCK_SKEW_MS;
        self.check_notices_recorded(|_, known| known.at() <= until)
    }

    fn check_notices_recorded(
        &self,
        due: impl Fn(&NoticeEndpoint, &ExpectedNotice) -> bool,
    ) -> Result<(), Violation> {
        for known in self.notices.expected.values() {
            let partner = known.order.addressee.partner();
            let Some(endpoint) = partner.and_then(|partner| self.endpoint_of(partner)) else {
                continue;
            };
            let wanted = endpoint.disabled.is_none() && known.notice.at >= endpoint.since;
            if wanted && due(endpoint, known) && known.recorded_at_change.is_none() {
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
    pub(crate) fn mark_final_audits(&mut self) {
        self.notices.audited_from = Some(self.clock);
    }
}
