//! What becomes of each question a process asks: mostly nothing special, after a moment.

use super::faults::Fault;
use super::port::{Ask, Posted};
use super::twin::{Answer, Op};
use super::world::{Happening, World};
use domain::record::Record;
use store::items::JOURNAL;
use store::{Item, Key, StoreError};

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// It is done and answered.
    Fine,
    /// It is done, and the answer lost.
    AnswerLost,
    /// It is done, the answer lost, and the client repeats it.
    Repeated,
    /// It is not done, and nobody says so.
    Lost,
    /// It is not done yet; it will be.
    Late,
    /// It is refused.
    Throttled,
    /// It is done, of a later moment than was asked about.
    Ahead,
    /// The process dies before it is done.
    CrashBefore,
    /// The process dies after it is done.
    CrashAfter,
}

impl World<'_> {
    /// What becomes of this question, and after how many milliseconds.
    pub(super) fn fate(&mut self, ask: Option<&Ask>) -> (Fate, i64) {
        let dice = self.rng.next();
        let mut delay = 1 + (dice & 15) as i64;
        if dice >> 4 & 31 == 0 {
            delay += (dice >> 9 & 4095) as i64;
        }
        // Few questions are letters, payouts, notices or an API's, so more of them go wrong.
        let is_rare = match ask {
            Some(Ask::Table(op)) => {
                matches!(
                    op,
                    Op::Put(Item::Payout(_) | Item::Told(_) | Item::Endpoint(_), _)
                )
            }
            Some(_) => true,
            None => false,
        };
        let roughness = self.roughness * if is_rare { 8 } else { 1 };
        let goes_wrong = (dice >> 21 & 1023) < roughness;
        if !goes_wrong || self.calm {
            return (Fate::Fine, delay);
        }
        let kind = self.rng.below(100);
        let fate = match ask {
            Some(Ask::Send(_)) => self.fate_of_mail(kind),
            Some(Ask::Api(_)) => self.fate_of_api(kind, &mut delay),
            Some(Ask::Notice(_)) => self.fate_of_notice(kind, &mut delay),
            Some(Ask::Queue(_)) => self.fate_of_order(kind),
            Some(Ask::Table(op)) if is_write(op) => self.fate_of_write(op, kind, &mut delay),
            Some(Ask::Table(op)) => self.fate_of_read(op, kind, &mut delay),
            None => Fate::Fine,
        };
        (fate, delay)
    }

    fn fate_of_mail(&mut self, kind: u64) -> Fate {
        let (fault, fate) = match kind {
            0..20 => (Fault::CrashElsewhere, Fate::CrashBefore),
            20..40 => (Fault::CrashElsewhere, Fate::CrashAfter),
            40..60 => (Fault::MailAnswerLost, Fate::AnswerLost),
            60..80 => (Fault::MailRequestLost, Fate::Lost),
            _ => (Fault::MailThrottled, Fate::Throttled),
        };
        self.fate_if(fault, fate)
    }

    fn fate_of_write(&mut self, op: &Op, kind: u64, delay: &mut i64) -> Fate {
        let (fault, fate) = match kind {
            0..15 => (self.point(op), Fate::CrashBefore),
            15..35 => (self.point(op), Fate::CrashAfter),
            35..48 => (Fault::AnswerLost, Fate::AnswerLost),
            48..60 => (Fault::AnswerLostAndRepeated, Fate::Repeated),
            60..70 => (Fault::WriteLost, Fate::Lost),
            70..80 => (Fault::LateApply, Fate::Late),
            80..90 => (Fault::Throttled, Fate::Throttled),
            _ => return self.frozen(delay),
        };
        self.fate_if(fault, fate)
    }

    fn fate_of_read(&mut self, op: &Op, kind: u64, delay: &mut i64) -> Fate {
        let (fault, fate) = match kind {
            0..30 => (self.point(op), Fate::CrashBefore),
            30..60 => (Fault::ReadUnanswered, Fate::Lost),
            60..80 => (Fault::Throttled, Fate::Throttled),
            _ => return self.frozen(delay),
        };
        self.fate_if(fault, fate)
    }

    pub(super) fn fate_if(&mut self, fault: Fault, fate: Fate) -> Fate {
        if self.strikes(fault, true) {
            fate
        } else {
            Fate::Fine
        }
    }

    pub(super) fn frozen(&mut self, delay: &mut i64) -> Fate {
        let long = self.rng.between(1_000, 840_000);
        if self.strikes(Fault::Frozen, true) {
            *delay += long;
        }
        Fate::Fine
    }

    /// Where in the protocol a process stands that asks for this.
    fn point(&self, op: &Op) -> Fault {
        match op {
            Op::Put(Item::Entry(..), _) => Fault::CrashAtAppend,
            Op::Get(key) if *key.sort == *store::items::RECORD => Fault::CrashAtRead,
            Op::Query(_, prefix, _) if **prefix == *JOURNAL => Fault::CrashAtRead,
            Op::Put(Item::Record(record), _) if self.clears(record) => Fault::CrashAtClear,
            Op::Put(Item::Record(_), _) => Fault::CrashAtWrite,
            Op::Put(
                Item::Alias(..) | Item::Letter(_) | Item::Commission(_) | Item::Standing(_),
                _,
            ) => Fault::CrashAtEffect,
            Op::Put(Item::Payout(_), _) => Fault::CrashAtPayout,
            Op::Put(Item::Told(_) | Item::Endpoint(_), _) => Fault::CrashAtNotice,
            _ => Fault::CrashElsewhere,
        }
    }

    fn clears(&self, next: &Record) -> bool {
        let there = self.twin.look(&Key::record(&next.customer));
        next.pending.is_empty()
            && matches!(there, Some(Item::Record(there)) if !there.pending.is_empty())
    }

    /// Does a request, or not, as its fate will have it.
    pub(super) fn request(&mut self, number: usize, op: Op, fate: Fate) -> Answer {
        let no_answer = || Answer::Error(StoreError::NoAnswer("simulated".into()));
        match fate {
            Fate::Throttled => Answer::Error(StoreError::Throttled),
            Fate::Lost | Fate::CrashBefore => no_answer(),
            Fate::Late => {
                self.late.push(Some(op));
                let delay = self.rng.between(1, 400_000);
                self.after(delay, Happening::Late(self.late.len() - 1));
                no_answer()
            }
            Fate::AnswerLost => {
                self.apply(number, op);
                no_answer()
            }
            Fate::Repeated => {
                // The SDK gives a transaction a token, so its repetition is known as one.
                let first = self.apply(number, op.clone());
                match (&op, first) {
                    (Op::Transact(_), first) => first,
                    (_, _) => self.apply(number, op),
                }
            }
            Fate::Fine | Fate::Ahead | Fate::CrashAfter => self.apply(number, op),
        }
    }

    /// The mail service's answer.
    pub(super) fn post(&mut self, letter: Key, fate: Fate) -> Posted {
        match fate {
            Fate::Throttled => Posted::Throttled,
            Fate::Lost | Fate::CrashBefore => Posted::Unknown,
            Fate::Fine | Fate::Ahead | Fate::CrashAfter => {
                let rejected = self.rng.one_in(24);
                if self.strikes(Fault::MailRejected, rejected) {
                    return Posted::Rejected;
                }
                self.accept_letter(letter);
                Posted::Accepted
            }
            Fate::AnswerLost | Fate::Repeated | Fate::Late => {
                self.accept_letter(letter);
                Posted::Unknown
            }
        }
    }
}

fn is_write(op: &Op) -> bool {
    match op {
        Op::Put(..) | Op::Delete(_) | Op::Transact(_) => true,
        Op::Get(_) | Op::Query(..) | Op::Scan(..) | Op::Due(..) => false,
    }
}
