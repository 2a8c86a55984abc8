//! What becomes of each question a process asks: mostly nothing special, after a moment.

use super::faults::FaultKind;
use super::model_table::{TableAnswer, TableRequest};
use super::port::{EmailOutcome, PortRequest};
use super::scheduler::{Simulation, SimulationActivity};
use domain::record::Record;
use store::items::JOURNAL;
use store::{Item, Key, StoreError};

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It is done and answered.
    None,
    /// It is done, and the answer lost.
    AnswerLost,
    /// It is done, the answer lost, and the client repeats it.
    Repeated,
    /// It is not done, and nobody says so.
    RequestLost,
    /// It is not done yet; it will be.
    LateApply,
    /// It is refused.
    Throttled,
    /// It is done, of a later moment than was asked about.
    ApiAhead,
    /// The process dies before it is done.
    CrashBefore,
    /// The process dies after it is done.
    CrashAfter,
}

impl Simulation<'_> {
    /// What becomes of this question, and after how many milliseconds.
    pub(crate) fn draw_fault(&mut self, ask: Option<&PortRequest>) -> (Fault, i64) {
        let dice = self.rng.next();
        let mut delay = 1 + (dice & 15) as i64;
        if dice >> 4 & 31 == 0 {
            delay += (dice >> 9 & 4095) as i64;
        }
        // Few questions are letters, payouts, notices or an API's, so more of them go wrong.
        let is_rare = match ask {
            Some(PortRequest::Table(op)) => {
                matches!(
                    op,
                    TableRequest::Put(
                        Item::Payout(_) | Item::DeliveryState(_) | Item::NoticeEndpoint(_),
                        _
                    )
                )
            }
            Some(_) => true,
            None => false,
        };
        let roughness = self.fault_rate * if is_rare { 8 } else { 1 };
        let goes_wrong = (dice >> 21 & 1023) < roughness;
        if !goes_wrong || self.faults_stopped {
            return (Fault::None, delay);
        }
        let kind = self.rng.below(100);
        let fate = match ask {
            Some(PortRequest::SendLetter(_)) => self.email_fault(kind),
            Some(PortRequest::Api(_)) => self.api_fault(kind, &mut delay),
            Some(PortRequest::Notice(_)) => self.notice_fault(kind, &mut delay),
            Some(PortRequest::Queue(_)) => self.notice_queue_fault(kind),
            Some(PortRequest::Table(op)) if is_write(op) => self.write_fault(op, kind, &mut delay),
            Some(PortRequest::Table(op)) => self.read_fault(op, kind, &mut delay),
            None => Fault::None,
        };
        (fate, delay)
    }

    fn email_fault(&mut self, kind: u64) -> Fault {
        let (fault, fate) = match kind {
            0..20 => (FaultKind::CrashElsewhere, Fault::CrashBefore),
            20..40 => (FaultKind::CrashElsewhere, Fault::CrashAfter),
            40..60 => (FaultKind::MailAnswerLost, Fault::AnswerLost),
            60..80 => (FaultKind::MailRequestLost, Fault::RequestLost),
            _ => (FaultKind::MailThrottled, Fault::Throttled),
        };
        self.fault_if_injected(fault, fate)
    }

    fn write_fault(&mut self, op: &TableRequest, kind: u64, delay: &mut i64) -> Fault {
        let (fault, fate) = match kind {
            0..15 => (self.crash_point(op), Fault::CrashBefore),
            15..35 => (self.crash_point(op), Fault::CrashAfter),
            35..48 => (FaultKind::AnswerLost, Fault::AnswerLost),
            48..60 => (FaultKind::AnswerLostAndRepeated, Fault::Repeated),
            60..70 => (FaultKind::WriteLost, Fault::RequestLost),
            70..80 => (FaultKind::LateApply, Fault::LateApply),
            80..90 => (FaultKind::Throttled, Fault::Throttled),
            _ => return self.freeze(delay),
        };
        self.fault_if_injected(fault, fate)
    }

    fn read_fault(&mut self, op: &TableRequest, kind: u64, delay: &mut i64) -> Fault {
        let (fault, fate) = match kind {
            0..30 => (self.crash_point(op), Fault::CrashBefore),
            30..60 => (FaultKind::ReadUnanswered, Fault::RequestLost),
            60..80 => (FaultKind::Throttled, Fault::Throttled),
            _ => return self.freeze(delay),
        };
        self.fault_if_injected(fault, fate)
    }

    pub(crate) fn fault_if_injected(&mut self, fault: FaultKind, fate: Fault) -> Fault {
        if self.inject(fault, true) {
            fate
        } else {
            Fault::None
        }
    }

    pub(crate) fn freeze(&mut self, delay: &mut i64) -> Fault {
        let long = self.rng.between(1_000, 840_000);
        if self.inject(FaultKind::Frozen, true) {
            *delay += long;
        }
        Fault::None
    }

    /// Where in the protocol a process stands that asks for this.
    fn crash_point(&self, op: &TableRequest) -> FaultKind {
        match op {
            TableRequest::Put(Item::Entry(..), _) => FaultKind::CrashAtAppend,
            TableRequest::Get(key) if *key.sort == *store::items::RECORD => FaultKind::CrashAtRead,
            TableRequest::Query(_, prefix, _) if **prefix == *JOURNAL => FaultKind::CrashAtRead,
            TableRequest::Put(Item::Record(record), _) if self.clears_pending(record) => {
                FaultKind::CrashAtClear
            }
            TableRequest::Put(Item::Record(_), _) => FaultKind::CrashAtWrite,
            TableRequest::Put(
                Item::Alias(..) | Item::Letter(_) | Item::Commission(_) | Item::ReferralStatus(_),
                _,
            ) => FaultKind::CrashAtEffect,
            TableRequest::Put(Item::Payout(_), _) => FaultKind::CrashAtPayout,
            TableRequest::Put(Item::DeliveryState(_) | Item::NoticeEndpoint(_), _) => {
                FaultKind::CrashAtNotice
            }
            _ => FaultKind::CrashElsewhere,
        }
    }

    fn clears_pending(&self, next: &Record) -> bool {
        let there = self.table.peek(&Key::record(&next.customer));
        next.pending.is_empty()
            && matches!(there, Some(Item::Record(there)) if !there.pending.is_empty())
    }

    /// Does a request, or not, as its fate will have it.
    pub(crate) fn perform_request(
        &mut self,
        number: usize,
        op: TableRequest,
        fate: Fault,
    ) -> TableAnswer {
        let no_answer = || TableAnswer::Error(StoreError::NoAnswer("simulated".into()));
        match fate {
            Fault::Throttled => TableAnswer::Error(StoreError::Throttled),
            Fault::RequestLost | Fault::CrashBefore => no_answer(),
            Fault::LateApply => {
                self.late_requests.push(Some(op));
                let delay = self.rng.between(1, 400_000);
                self.schedule(
                    delay,
                    SimulationActivity::ApplyLate(self.late_requests.len() - 1),
                );
                no_answer()
            }
            Fault::AnswerLost => {
                self.apply(number, op);
                no_answer()
            }
            Fault::Repeated => {
                // The SDK gives a transaction a token, so its repetition is known as one.
                let first = self.apply(number, op.clone());
                match (&op, first) {
                    (TableRequest::Transact(_), first) => first,
                    (_, _) => self.apply(number, op),
                }
            }
            Fault::None | Fault::ApiAhead | Fault::CrashAfter => self.apply(number, op),
        }
    }

    /// The mail service's answer.
    pub(crate) fn send_email(&mut self, letter: Key, fate: Fault) -> EmailOutcome {
        match fate {
            Fault::Throttled => EmailOutcome::Throttled,
            Fault::RequestLost | Fault::CrashBefore => EmailOutcome::Unknown,
            Fault::None | Fault::ApiAhead | Fault::CrashAfter => {
                let rejected = self.rng.one_in(24);
                if self.inject(FaultKind::MailRejected, rejected) {
                    return EmailOutcome::Rejected;
                }
                self.email_accepted(letter);
                EmailOutcome::Accepted
            }
            Fault::AnswerLost | Fault::Repeated | Fault::LateApply => {
                self.email_accepted(letter);
                EmailOutcome::Unknown
            }
        }
    }
}

fn is_write(op: &TableRequest) -> bool {
    match op {
        TableRequest::Put(..) | TableRequest::Delete(_) | TableRequest::Transact(_) => true,
        TableRequest::Get(_)
        | TableRequest::Query(..)
        | TableRequest::Scan(..)
        | TableRequest::Due(..) => false,
    }
}
