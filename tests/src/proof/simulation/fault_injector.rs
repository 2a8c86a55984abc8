//! Which fault a request meets: mostly none, after a moment.

use super::faults::{Fault, FaultKind};
use super::port::PortRequest;
use super::state::Simulation;
use domain::record::Record;
use store::items::JOURNAL;
use store::memory::TableRequest;
use store::{Item, Key};

impl Simulation<'_> {
    /// What becomes of this question, and after how many milliseconds.
    pub(crate) fn draw_fault(&mut self, ask: Option<&PortRequest>) -> (Fault, i64) {
        let bits = self.rng.next();
        let mut delay = 1 + (bits & 15) as i64;
        if bits >> 4 & 31 == 0 {
            delay += (bits >> 9 & 4095) as i64;
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
        let goes_wrong = (bits >> 21 & 1023) < roughness;
        if !goes_wrong || self.faults_stopped {
            return (Fault::None, delay);
        }
        let kind = self.rng.below(100);
        let fault = match ask {
            Some(PortRequest::SendLetter(_)) => self.email_fault(kind),
            Some(PortRequest::Api(_)) => self.api_fault(kind, &mut delay),
            Some(PortRequest::Notice(_)) => self.notice_fault(kind, &mut delay),
            Some(PortRequest::Queue(_)) => self.notice_queue_fault(kind),
            Some(PortRequest::Table(op)) if is_write(op) => self.write_fault(op, kind, &mut delay),
            Some(PortRequest::Table(op)) => self.read_fault(op, kind, &mut delay),
            None => Fault::None,
        };
        (fault, delay)
    }

    fn email_fault(&mut self, kind: u64) -> Fault {
        let (fault_kind, fault) = match kind {
            0..20 => (FaultKind::CrashElsewhere, Fault::CrashBefore),
            20..40 => (FaultKind::CrashElsewhere, Fault::CrashAfter),
            40..60 => (FaultKind::MailAnswerLost, Fault::AnswerLost),
            60..80 => (FaultKind::MailRequestLost, Fault::RequestLost),
            _ => (FaultKind::MailThrottled, Fault::Throttled),
        };
        self.fault_if_injected(fault_kind, fault)
    }

    /// What becomes of a question to an API, and when.
    fn api_fault(&mut self, kind: u64, delay: &mut i64) -> Fault {
        match kind {
            0..15 => self.fault_if_injected(FaultKind::CrashElsewhere, Fault::CrashBefore),
            15..55 => self.fault_if_injected(FaultKind::ApiSilent, Fault::RequestLost),
            55..80 => {
                // As long as an endpoint waits for it, and then some.
                let long = self.rng.between(1_000, 90_000);
                if self.inject(FaultKind::ApiSlow, true) {
                    *delay += long;
                }
                Fault::None
            }
            _ => self.fault_if_injected(FaultKind::ApiAhead, Fault::ApiAhead),
        }
    }

    fn notice_fault(&mut self, kind: u64, delay: &mut i64) -> Fault {
        let (fault_kind, fault) = match kind {
            0..15 => (FaultKind::CrashAtNotice, Fault::CrashBefore),
            15..35 => (FaultKind::CrashAtNotice, Fault::CrashAfter),
            35..60 => (FaultKind::NoticeAnswerLost, Fault::AnswerLost),
            60..85 => (FaultKind::NoticeLost, Fault::RequestLost),
            _ => return self.freeze(delay),
        };
        self.fault_if_injected(fault_kind, fault)
    }

    fn notice_queue_fault(&mut self, kind: u64) -> Fault {
        let (fault_kind, fault) = match kind {
            0..20 => (FaultKind::CrashElsewhere, Fault::CrashBefore),
            20..50 => (FaultKind::CrashElsewhere, Fault::CrashAfter),
            50..75 => (FaultKind::OrderAnswerLost, Fault::AnswerLost),
            _ => (FaultKind::Throttled, Fault::RequestLost),
        };
        self.fault_if_injected(fault_kind, fault)
    }

    fn write_fault(&mut self, op: &TableRequest, kind: u64, delay: &mut i64) -> Fault {
        let (fault_kind, fault) = match kind {
            0..15 => (self.crash_point(op), Fault::CrashBefore),
            15..35 => (self.crash_point(op), Fault::CrashAfter),
            35..48 => (FaultKind::AnswerLost, Fault::AnswerLost),
            48..60 => (FaultKind::AnswerLostAndRepeated, Fault::Repeated),
            60..70 => (FaultKind::WriteLost, Fault::RequestLost),
            70..80 => (FaultKind::LateApply, Fault::LateApply),
            80..90 => (FaultKind::Throttled, Fault::Throttled),
            _ => return self.freeze(delay),
        };
        self.fault_if_injected(fault_kind, fault)
    }

    fn read_fault(&mut self, op: &TableRequest, kind: u64, delay: &mut i64) -> Fault {
        let (fault_kind, fault) = match kind {
            0..30 => (self.crash_point(op), Fault::CrashBefore),
            30..60 => (FaultKind::ReadUnanswered, Fault::RequestLost),
            60..80 => (FaultKind::Throttled, Fault::Throttled),
            _ => return self.freeze(delay),
        };
        self.fault_if_injected(fault_kind, fault)
    }

    fn fault_if_injected(&mut self, fault_kind: FaultKind, fault: Fault) -> Fault {
        if self.inject(fault_kind, true) {
            fault
        } else {
            Fault::None
        }
    }

    fn freeze(&mut self, delay: &mut i64) -> Fault {
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
                Item::Alias(..)
                | Item::FirstPayment(_)
                | Item::Letter(_)
                | Item::Commission(_)
                | Item::ReferralStatus(_),
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
