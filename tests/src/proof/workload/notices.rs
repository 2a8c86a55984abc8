//! Partners are told of their rows: the notices' queue, and endpoints that take, refuse, fall
//! silent and go away.

use super::handlers;
use crate::proof::mutations::notice_mutations;
use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::activity::SimulationActivity;
use crate::proof::simulation::activity::{DAY, HOUR, MINUTE};
use crate::proof::simulation::faults::Fault;
use crate::proof::simulation::faults::FaultKind;
use crate::proof::simulation::port::{QueueName, QueueRequest, SentNotice};
use crate::proof::simulation::random::Rng;
use crate::proof::simulation::records::EndpointChange;
use crate::proof::simulation::records::NoticeAttempt;
use crate::proof::simulation::records::PartnerState;
use crate::proof::simulation::records::QueuedNotice;
use crate::proof::simulation::script::PARTNERS;
use crate::proof::simulation::state::Simulation;
use domain::ids::PartnerId;
use domain::notice::MAX_ATTEMPTS;
use jiff::SignedDuration;
use runtime::post::PostOutcome;
use runtime::queue::QueueError;
use serde_json::json;
use store::notices::NoticeTask;

/// For how long the queue hides a message that was received.
const VISIBILITY_TIMEOUT: i64 = 6 * MINUTE;

impl Simulation<'_> {
    /// Lays out which partners want to be told, from when on, and who moves, by chance of its own.
    pub(crate) fn schedule_endpoint_changes(&mut self) {
        let mut rng = Rng::fork(self.spec.seed, 4);
        let span = self.script.span_seconds.max(3600) * 1000;
        for partner in PARTNERS {
            let partner = PartnerId::parse(partner).expect("is an id");
            self.notices
                .partners
                .insert(partner.clone(), PartnerState::default());
            if rng.one_in(6) {
                continue;
            }
            let from = if rng.one_in(2) {
                0
            } else {
                rng.between(0, span)
            };
            self.schedule_endpoint_change(from, &partner, EndpointChange::Set(0));
            for number in 1..3 {
                let change = match rng.index(7) {
                    0 => EndpointChange::Set(number),
                    1 => EndpointChange::Rotate,
                    2 => EndpointChange::Enable,
                    3 => EndpointChange::Remove,
                    _ => continue,
                };
                let later = rng.between(0, span + 30 * DAY);
                self.schedule_endpoint_change(from + later, &partner, change);
            }
        }
    }

    /// The queue has an order.
    pub(crate) fn enqueue_notice(&mut self, order: NoticeTask) {
        let delay = self.rng.between(10, 2_000);
        self.notices.messages.push(QueuedNotice {
            order,
            receives: 0,
            visible_at: self.clock + delay,
            deleted: false,
        });
        self.schedule(
            delay,
            SimulationActivity::ReceiveNoticeMessage(self.notices.messages.len() - 1),
        );
    }

    /// A message is received, if it is not hidden or done with; after its last time it is given
    /// up.
    pub(crate) fn receive_notice_message(&mut self, number: usize) {
        let message = &mut self.notices.messages[number];
        if message.deleted || self.clock < message.visible_at {
            return;
        }
        message.receives += 1;
        if message.receives > MAX_ATTEMPTS {
            message.deleted = true;
            let partner = message.order.addressee.partner().cloned();
            let receiver = partner.and_then(|partner| self.notices.partners.get_mut(&partner));
            if let Some(receiver) = receiver {
                receiver.message_given_up = true;
            }
            return;
        }
        message.visible_at = self.clock + VISIBILITY_TIMEOUT;
        self.schedule(
            VISIBILITY_TIMEOUT,
            SimulationActivity::ReceiveNoticeMessage(number),
        );
        self.handle_notice_message(number);
        // The queue delivers at least once, and counts only approximately.
        let twice = self.rng.one_in(8);
        let later = self.rng.between(1, 300);
        if self.inject(FaultKind::QueueTwice, twice) {
            self.schedule(later, SimulationActivity::RedeliverNoticeMessage(number));
        }
    }

    /// The function is handed a message under the count it has.
    pub(crate) fn handle_notice_message(&mut self, number: usize) {
        let began = self.table.changes.len();
        let attempt = NoticeAttempt {
            message: number,
            began_at_change: began,
        };
        self.notices.attempts.push(attempt);
        let role = ProcessRole::Notice(self.notices.attempts.len() - 1);
        let message = &self.notices.messages[number];
        let event = json!({ "Records": [{
            "messageId": "m",
            "receiptHandle": number.to_string(),
            "body": message.order.to_text(),
            "attributes": { "ApproximateReceiveCount": message.receives.to_string() },
        }] });
        let (port, now) = (self.port.clone(), self.skewed_now());
        let now = match self.mutant {
            Some(mutant) => notice_mutations::alter_clock(mutant, now),
            None => now,
        };
        let process = handlers::partner_notice(port, event.to_string(), now);
        self.spawn(role, process);
    }

    /// A delivery ended: the queue forgets the message, or shows it again.
    pub(crate) fn notice_handled(&mut self, attempt: usize, done: bool) {
        let message = self.notices.attempts[attempt].message;
        self.notices.messages[message].deleted |= done;
    }

    /// The queue does as asked, or not, as its fault will have it.
    pub(crate) fn perform_queue_request(
        &mut self,
        number: usize,
        asked: &QueueRequest,
        fault: Fault,
    ) -> Result<(), QueueError> {
        let no_answer = || Err(QueueError("simulated".into()));
        if matches!(fault, Fault::RequestLost | Fault::CrashBefore) {
            return no_answer();
        }
        match asked {
            QueueRequest::Send(QueueName::Notices, _) if self.drops_notice_task(number) => {}
            QueueRequest::Send(QueueName::Notices, text) => match serde_json::from_str(text) {
                Ok(task) => self.enqueue_notice(task),
                Err(error) => self.report_violation(format!("not a notice task: {error}")),
            },
            QueueRequest::Send(QueueName::Letters, text) => match serde_json::from_str(text) {
                Ok(task) => self.enqueue_letter(task),
                Err(error) => self.report_violation(format!("not a send task: {error}")),
            },
            QueueRequest::Hide(receipt, wait) => self.change_visibility(receipt, *wait),
        }
        match fault {
            Fault::AnswerLost => no_answer(),
            _ => Ok(()),
        }
    }

    fn change_visibility(&mut self, receipt: &str, wait: SignedDuration) {
        let Ok(number) = receipt.parse::<usize>() else {
            return self.report_violation(format!("a receipt of nobody's: {receipt}"));
        };
        let wait = i64::try_from(wait.as_millis()).unwrap_or(DAY);
        if !(0..=12 * HOUR).contains(&wait) {
            self.report_violation(format!("no queue hides a message for {wait} ms"));
        }
        self.notices.messages[number].visible_at = self.clock + wait;
        self.schedule(wait, SimulationActivity::ReceiveNoticeMessage(number));
    }

    /// A partner takes a notice, or not.
    pub(crate) fn post_notice(
        &mut self,
        number: usize,
        sent: &SentNotice,
        fault: Fault,
    ) -> PostOutcome {
        let Some(ProcessRole::Notice(attempt)) = self.role(number) else {
            self.report_violation("something else tells partners".into());
            return PostOutcome::Gone;
        };
        let partner = match self.check_notice_allowed(attempt, sent) {
            Ok(partner) => partner,
            Err(law) => {
                self.report_violation(law);
                return PostOutcome::Gone;
            }
        };
        let lost = matches!(fault, Fault::RequestLost | Fault::CrashBefore);
        let answer = match lost {
            true => None,
            false => self.partner_answer(&partner),
        };
        if answer == Some(PostOutcome::Accepted)
            && let Some(known) = self.notices.expected.get_mut(&sent.id)
        {
            known.delivered = true;
        }
        let heard = answer.filter(|_| fault != Fault::AnswerLost);
        let asks = self.rng.one_in(4).then(|| self.rng.between(1, 2 * 86_400));
        let failed = PostOutcome::Failed {
            why: "simulated".into(),
            retry_after: asks.map(SignedDuration::from_secs),
        };
        let heard = heard.unwrap_or(failed);
        if let Some(receiver) = self.notices.partners.get_mut(&partner) {
            receiver.failed |= matches!(heard, PostOutcome::Failed { .. });
            receiver.answered_gone |= heard == PostOutcome::Gone;
        }
        match self.mutant {
            Some(mutant) => notice_mutations::alter_outcome(mutant, heard),
            None => heard,
        }
    }

    /// What a partner answers; nothing while its endpoint is down.
    fn partner_answer(&mut self, partner: &PartnerId) -> Option<PostOutcome> {
        let falls = self.rng.one_in(24);
        let long = [90 * MINUTE, 20 * HOUR, 5 * DAY][self.rng.index(3)];
        let gone = self.rng.one_in(48);
        if self.inject(FaultKind::PartnerDown, falls) {
            let until = self.clock + self.rng.between(MINUTE, long);
            if let Some(receiver) = self.notices.partners.get_mut(partner) {
                receiver.down_until = until;
            }
        }
        let receiver = self.notices.partners.get(partner)?;
        if !self.faults_stopped && self.clock < receiver.down_until {
            return None;
        }
        match self.inject(FaultKind::PartnerGone, gone) {
            true => Some(PostOutcome::Gone),
            false => Some(PostOutcome::Accepted),
        }
    }
}
