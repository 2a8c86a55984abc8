//! Partners are told of their rows: the notices' queue, and endpoints that take, refuse, fall
//! silent and go away.

use super::desk::Wish;
use super::faults::Fault;
use super::handlers;
use super::happening::{DAY, HOUR, MINUTE};
use super::mistelling;
use super::noticed::Known;
use super::port::{Asked, Sent};
use super::random::Rng;
use super::referring::PARTNERS;
use super::weather::Fate;
use super::world::{Happening, Role, World};
use domain::ids::PartnerId;
use domain::notice::ATTEMPTS;
use jiff::{SignedDuration, Timestamp};
use runtime::post::Posted;
use runtime::queue::QueueError;
use serde_json::json;
use std::collections::BTreeMap;
use store::notices::Order;

/// For how long the queue hides a message that was received.
const HIDDEN: i64 = 6 * MINUTE;

/// The notices' queue and what is around it.
#[derive(Default)]
pub(super) struct Noticing {
    messages: Vec<Message>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) partners: BTreeMap<PartnerId, Receiver>,
    pub(super) wishes: Vec<(PartnerId, Wish)>,
    /// Every notice that a row in the table makes, by its id.
    pub(super) known: BTreeMap<String, Known>,
    /// When the audits after the last fault began.
    pub(super) audited_from: Option<i64>,
}

/// A message: an order to tell of a row.
struct Message {
    order: Order,
    receives: u32,
    visible_at: i64,
    gone: bool,
}

/// One delivery of a message.
pub(super) struct Attempt {
    message: usize,
    /// How many changes the table had seen when it began.
    pub(super) began: usize,
}

/// A partner's side.
#[derive(Default)]
pub(super) struct Receiver {
    down_until: i64,
    /// It said that it is gone.
    pub(super) said_gone: bool,
    /// It took nothing, or so it seemed.
    pub(super) failed: bool,
    /// A message of its was given up since its endpoint was last put on.
    pub(super) given_up: bool,
    /// How many changes the table had seen when its endpoint was put off.
    pub(super) off_from: Option<usize>,
    /// Nobody wishes to be told any more.
    pub(super) is_unwanted: bool,
    /// From when on it wishes to be told, and the changes there were when it said so.
    pub(super) since: Option<(Timestamp, usize)>,
}

impl Noticing {
    /// How many notices were taken, each counted once.
    pub(super) fn count(&self) -> u64 {
        let taken = self.known.values().filter(|known| known.taken);
        taken.count() as u64
    }
}

impl World<'_> {
    /// Lays out which partners want to be told, from when on, and who moves, by chance of its own.
    pub(super) fn start_noticing(&mut self) {
        let mut rng = Rng::fork(self.spec.seed, 4);
        let span = self.story.span.max(3600) * 1000;
        for partner in PARTNERS {
            let partner = PartnerId::new(partner);
            self.noticing
                .partners
                .insert(partner.clone(), Receiver::default());
            if rng.one_in(6) {
                continue;
            }
            let from = if rng.one_in(2) {
                0
            } else {
                rng.between(0, span)
            };
            self.wish(from, &partner, Wish::Set(0));
            for number in 1..3 {
                let wish = match rng.index(7) {
                    0 => Wish::Set(number),
                    1 => Wish::Rotate,
                    2 => Wish::Enable,
                    3 => Wish::Remove,
                    _ => continue,
                };
                let later = rng.between(0, span + 30 * DAY);
                self.wish(from + later, &partner, wish);
            }
        }
    }

    /// The queue has an order.
    pub(super) fn order(&mut self, order: Order) {
        let delay = self.rng.between(10, 2_000);
        self.noticing.messages.push(Message {
            order,
            receives: 0,
            visible_at: self.clock + delay,
            gone: false,
        });
        self.after(delay, Happening::Notify(self.noticing.messages.len() - 1));
    }

    /// A message is received, if it is not hidden or done with; after its last time it is given
    /// up.
    pub(super) fn receive_order(&mut self, number: usize) {
        let message = &mut self.noticing.messages[number];
        if message.gone || self.clock < message.visible_at {
            return;
        }
        message.receives += 1;
        if message.receives > ATTEMPTS {
            message.gone = true;
            let partner = message.order.partner.clone();
            if let Some(receiver) = self.noticing.partners.get_mut(&partner) {
                receiver.given_up = true;
            }
            return;
        }
        message.visible_at = self.clock + HIDDEN;
        self.after(HIDDEN, Happening::Notify(number));
        self.notify(number);
        // The queue delivers at least once, and counts only approximately.
        let twice = self.rng.one_in(8);
        let later = self.rng.between(1, 300);
        if self.strikes(Fault::QueueTwice, twice) {
            self.after(later, Happening::NotifyAgain(number));
        }
    }

    /// The function is handed a message under the count it has.
    pub(super) fn notify(&mut self, number: usize) {
        let began = self.twin.changes.len();
        let attempt = Attempt {
            message: number,
            began,
        };
        self.noticing.attempts.push(attempt);
        let role = Role::Notice(self.noticing.attempts.len() - 1);
        let message = &self.noticing.messages[number];
        let order = message.order.clone();
        let event = json!({ "Records": [{
            "messageId": "m",
            "receiptHandle": number.to_string(),
            "body": order.to_text(),
            "attributes": { "ApproximateReceiveCount": message.receives.to_string() },
        }] });
        let (port, now) = (self.port.clone(), self.skewed());
        let process = match self.mutant.filter(|mutant| mutant.mistells()) {
            Some(mutant) => mistelling::mistell(port, order, now, mutant),
            None => handlers::partner_notice(port, event.to_string(), now),
        };
        self.spawn(role, process);
    }

    /// A delivery ended: the queue forgets the message, or shows it again.
    pub(super) fn notified(&mut self, attempt: usize, done: bool) {
        let message = self.noticing.attempts[attempt].message;
        self.noticing.messages[message].gone |= done;
    }

    /// The queue does as asked, or not, as its fate will have it.
    pub(super) fn queue_notices(&mut self, asked: &Asked, fate: Fate) -> Result<(), QueueError> {
        let no_answer = || Err(QueueError("simulated".into()));
        if matches!(fate, Fate::Lost | Fate::CrashBefore) {
            return no_answer();
        }
        match asked {
            Asked::Send(text) => match serde_json::from_str(text) {
                Ok(order) => self.order(order),
                Err(error) => self.breaks(format!("an order that is none: {error}")),
            },
            Asked::Hide(receipt, wait) => self.hide(receipt, *wait),
        }
        match fate {
            Fate::AnswerLost => no_answer(),
            _ => Ok(()),
        }
    }

    fn hide(&mut self, receipt: &str, wait: SignedDuration) {
        let Ok(number) = receipt.parse::<usize>() else {
            return self.breaks(format!("a receipt of nobody's: {receipt}"));
        };
        let wait = i64::try_from(wait.as_millis()).unwrap_or(DAY);
        if !(0..=12 * HOUR).contains(&wait) {
            self.breaks(format!("no queue hides a message for {wait} ms"));
        }
        self.noticing.messages[number].visible_at = self.clock + wait;
        self.after(wait, Happening::Notify(number));
    }

    pub(super) fn fate_of_notice(&mut self, kind: u64, delay: &mut i64) -> Fate {
        let (fault, fate) = match kind {
            0..15 => (Fault::CrashAtNotice, Fate::CrashBefore),
            15..35 => (Fault::CrashAtNotice, Fate::CrashAfter),
            35..60 => (Fault::NoticeAnswerLost, Fate::AnswerLost),
            60..85 => (Fault::NoticeLost, Fate::Lost),
            _ => return self.frozen(delay),
        };
        self.fate_if(fault, fate)
    }

    pub(super) fn fate_of_order(&mut self, kind: u64) -> Fate {
        let (fault, fate) = match kind {
            0..20 => (Fault::CrashElsewhere, Fate::CrashBefore),
            20..50 => (Fault::CrashElsewhere, Fate::CrashAfter),
            50..75 => (Fault::OrderAnswerLost, Fate::AnswerLost),
            _ => (Fault::Throttled, Fate::Lost),
        };
        self.fate_if(fault, fate)
    }

    /// A partner takes a notice, or not.
    pub(super) fn take_notice(&mut self, number: usize, sent: &Sent, fate: Fate) -> Posted {
        let Some(Role::Notice(attempt)) = self.role(number) else {
            self.breaks("something else tells partners".into());
            return Posted::Gone;
        };
        let partner = match self.may_be_told(attempt, sent) {
            Ok(partner) => partner,
            Err(law) => {
                self.breaks(law);
                return Posted::Gone;
            }
        };
        let lost = matches!(fate, Fate::Lost | Fate::CrashBefore);
        let answer = match lost {
            true => None,
            false => self.answer_of(&partner),
        };
        if answer == Some(Posted::Taken)
            && let Some(known) = self.noticing.known.get_mut(&sent.id)
        {
            known.taken = true;
        }
        let heard = answer.filter(|_| fate != Fate::AnswerLost);
        let asks = self.rng.one_in(4).then(|| self.rng.between(1, 2 * 86_400));
        let failed = Posted::Failed {
            why: "simulated".into(),
            retry_after: asks.map(SignedDuration::from_secs),
        };
        let heard = heard.unwrap_or(failed);
        if let Some(receiver) = self.noticing.partners.get_mut(&partner) {
            receiver.failed |= matches!(heard, Posted::Failed { .. });
            receiver.said_gone |= heard == Posted::Gone;
        }
        heard
    }

    /// What a partner answers; nothing while its endpoint is down.
    fn answer_of(&mut self, partner: &PartnerId) -> Option<Posted> {
        let falls = self.rng.one_in(24);
        let long = [90 * MINUTE, 20 * HOUR, 5 * DAY][self.rng.index(3)];
        let gone = self.rng.one_in(48);
        if self.strikes(Fault::PartnerDown, falls) {
            let until = self.clock + self.rng.between(MINUTE, long);
            if let Some(receiver) = self.noticing.partners.get_mut(partner) {
                receiver.down_until = until;
            }
        }
        let receiver = self.noticing.partners.get(partner)?;
        if !self.calm && self.clock < receiver.down_until {
            return None;
        }
        match self.strikes(Fault::PartnerGone, gone) {
            true => Some(Posted::Gone),
            false => Some(Posted::Taken),
        }
    }
}
