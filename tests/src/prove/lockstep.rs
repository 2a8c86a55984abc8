//! One process run request by request, each with the fate it is told.

use super::port::{Ask, Port, Reply};
use super::twin::{Answer, Op, Twin};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use store::StoreError;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The process dies before it.
    CrashBefore,
    /// The process dies after it.
    CrashAfter,
    /// It is done and the answer lost.
    AnswerLost,
    /// It is done, the answer lost, and it is done again.
    Repeated,
    /// It is not done.
    Lost,
    /// It is done when all else is over.
    Late,
    /// It is refused.
    Throttled,
}

impl Fate {
    pub(super) const WRONG: [Self; 7] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::AnswerLost,
        Self::Repeated,
        Self::Lost,
        Self::Late,
        Self::Throttled,
    ];
}

/// One process after the other.
pub(super) struct Lockstep<'a> {
    port: &'a Port,
    /// The table.
    pub(super) twin: Twin,
    late: Vec<Op>,
}

impl<'a> Lockstep<'a> {
    pub(super) fn new(port: &'a Port, twin: Twin) -> Self {
        Self {
            port,
            twin,
            late: Vec::new(),
        }
    }

    /// Runs a process; its request of that number meets that fate. Gives its output, unless it
    /// died, and whether it got that far.
    pub(super) fn run<F: Future>(
        &mut self,
        process: F,
        wrong: Option<(u32, Fate)>,
    ) -> (Option<F::Output>, bool) {
        let mut process = pin!(process);
        let mut context = Context::from_waker(Waker::noop());
        let mut met = false;
        for number in 0.. {
            if let Poll::Ready(output) = process.as_mut().poll(&mut context) {
                return (Some(output), met);
            }
            let Some(Ask::Table(op)) = self.port.take_ask() else {
                return (None, met);
            };
            let fate = wrong.filter(|(which, _)| *which == number);
            met |= fate.is_some();
            let answer = match fate.map(|(_, fate)| fate) {
                None => self.twin.apply(op),
                Some(Fate::CrashBefore) => return (None, met),
                Some(Fate::CrashAfter) => {
                    self.twin.apply(op);
                    return (None, met);
                }
                Some(fate) => self.answer(op, fate),
            };
            self.port.answer(Reply::Table(answer));
        }
        (None, met)
    }

    /// What was delayed reaches the table.
    pub(super) fn arrive_late(&mut self) {
        for op in std::mem::take(&mut self.late) {
            self.twin.apply(op);
        }
    }

    fn answer(&mut self, op: Op, fate: Fate) -> Answer {
        let no_answer = Answer::Error(StoreError::NoAnswer("simulated".into()));
        match fate {
            Fate::AnswerLost => {
                self.twin.apply(op);
            }
            Fate::Repeated => {
                let first = self.twin.apply(op.clone());
                return match op {
                    Op::Transact(_) => first,
                    op => self.twin.apply(op),
                };
            }
            Fate::Late => self.late.push(op),
            Fate::Throttled => return Answer::Error(StoreError::Throttled),
            Fate::Lost | Fate::CrashBefore | Fate::CrashAfter => {}
        }
        no_answer
    }
}
