//! What may go wrong with a request to the table in memory.

use crate::error::StoreError;
use crate::memory::request::TableRequest;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is done and answered.
    None,
    /// It is not done, and answered with this error.
    Fail(StoreError),
    /// It is done, and its answer is lost.
    LoseAnswer,
    /// Its answer is lost, and it is done late: after so many later requests, whoever makes them.
    Delay(usize),
}

/// That a process crashes after so many requests: none of its later ones is made.
/// Questions who is due are not counted: every scan of who is due begins with eight of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// So many requests are made and answered.
    pub after: usize,
    /// Whether the next one is made too, and only its answer lost.
    pub answer_lost: bool,
}

impl Crash {
    /// The faults of that process, for [`MemoryTable::set_faults`](super::MemoryTable::set_faults).
    pub fn faults(self) -> impl FnMut(&TableRequest) -> Fault + Send + 'static {
        let (mut left, mut lost) = (self.after, self.answer_lost);
        move |request| {
            if matches!(request, TableRequest::Due(..)) {
                return Fault::None;
            }
            if left > 0 {
                left = left.saturating_sub(1);
                return Fault::None;
            }
            if std::mem::take(&mut lost) {
                Fault::LoseAnswer
            } else {
                Fault::Fail(StoreError::NoAnswer("the process crashed".into()))
            }
        }
    }
}
