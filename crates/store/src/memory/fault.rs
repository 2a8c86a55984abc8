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

/// The faults of a process that crashes after so many requests: none of its later ones is made,
/// but for the next one where `answer_lost` says that it was made and only its answer lost.
/// Questions who is due are not counted: every scan of who is due begins with eight of them.
pub fn crash_after(
    requests: usize,
    answer_lost: bool,
) -> impl FnMut(&TableRequest) -> Fault + Send + 'static {
    let (mut left, mut lost) = (requests, answer_lost);
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
