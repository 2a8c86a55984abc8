//! A letter's row: its whole life from due to a final state, one conditional write a step.

pub(crate) mod row;
pub(crate) mod claim;

pub use claim::{ClaimOutcome, claim, transition};
pub use row::{LEASE, LetterRow, LetterState, SendTask};
