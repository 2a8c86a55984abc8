//! One process run request by request, each with the fault it is told.

use super::port::{Port, PortReply, PortRequest};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use store::StoreError;
use store::memory::{TableAnswer, TableRequest, TableState};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestFault {
    /// The process dies before it.
    CrashBefore,
    /// The process dies after it.
    CrashAfter,
    /// It is done and the answer lost.
    AnswerLost,
    /// It is done, the answer lost, and it is done again.
    Repeated,
    /// It is not done.
    RequestLost,
    /// It is done when all else is over.
    LateApply,
    /// It is refused.
    Throttled,
}

impl RequestFault {
    pub(crate) const ALL: [Self; 7] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::AnswerLost,
        Self::Repeated,
        Self::RequestLost,
        Self::LateApply,
        Self::Throttled,
    ];
}

/// One process after the other.
pub(crate) struct ProcessStepper<'a> {
    port: &'a Port,
    /// The table.
    pub(crate) table: TableState,
    late_requests: Vec<TableRequest>,
}

impl<'a> ProcessStepper<'a> {
    pub(crate) fn new(port: &'a Port, table: TableState) -> Self {
        Self {
            port,
            table,
            late_requests: Vec::new(),
        }
    }

    /// Runs a process; its request of that number meets that fault. Gives its output, unless it
    /// died, and whether it got that far.
    pub(crate) fn run<F: Future>(
        &mut self,
        process: F,
        wrong: Option<(u32, RequestFault)>,
    ) -> (Option<F::Output>, bool) {
        let mut process = pin!(process);
        let mut context = Context::from_waker(Waker::noop());
        let mut met = false;
        for number in 0.. {
            if let Poll::Ready(output) = process.as_mut().poll(&mut context) {
                return (Some(output), met);
            }
            let Some(PortRequest::Table(op)) = self.port.take_request() else {
                return (None, met);
            };
            let fault = wrong.filter(|(which, _)| *which == number);
            met |= fault.is_some();
            let answer = match fault.map(|(_, fault)| fault) {
                None => self.table.apply(op),
                Some(RequestFault::CrashBefore) => return (None, met),
                Some(RequestFault::CrashAfter) => {
                    self.table.apply(op);
                    return (None, met);
                }
                Some(fault) => self.answer_with_fault(op, fault),
            };
            self.port.answer(PortReply::Table(answer));
        }
        (None, met)
    }

    /// What was delayed reaches the table.
    pub(crate) fn apply_late_requests(&mut self) {
        for op in std::mem::take(&mut self.late_requests) {
            self.table.apply(op);
        }
    }

    fn answer_with_fault(&mut self, op: TableRequest, fault: RequestFault) -> TableAnswer {
        let no_answer = TableAnswer::Error(StoreError::NoAnswer("simulated".into()));
        match fault {
            RequestFault::AnswerLost => {
                self.table.apply(op);
            }
            RequestFault::Repeated => {
                let first = self.table.apply(op.clone());
                return match op {
                    TableRequest::Transact(_) => first,
                    op => self.table.apply(op),
                };
            }
            RequestFault::LateApply => self.late_requests.push(op),
            RequestFault::Throttled => return TableAnswer::Error(StoreError::Throttled),
            RequestFault::RequestLost | RequestFault::CrashBefore | RequestFault::CrashAfter => {}
        }
        no_answer
    }
}
