//! Processes over a table that answers when it is told to: whoever runs them decides whose
//! request is next, and what goes wrong with it.

use crate::memory::request::{RequestTable, TableAnswer, TableRequest};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// A table whose requests wait for an answer. One process is polled at a time, so that one place
/// for a request and one for its answer are enough for all of them.
#[derive(Clone, Debug, Default)]
pub struct SteppedTable(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    request: Option<TableRequest>,
    answer: Option<TableAnswer>,
}

impl SteppedTable {
    /// What the process that was polled last asks; none when it ended.
    pub fn take_request(&self) -> Option<TableRequest> {
        self.slot().request.take()
    }

    /// The answer for the process that is polled next.
    pub fn answer(&self, answer: TableAnswer) {
        self.slot().answer = Some(answer);
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestTable for SteppedTable {
    async fn request(&self, request: TableRequest) -> TableAnswer {
        let mut request = Some(request);
        poll_fn(move |_| {
            let mut slot = self.slot();
            if let Some(request) = request.take() {
                slot.request = Some(request);
                return Poll::Pending;
            }
            slot.answer.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
