//! Rules broken on purpose, one at a time, to see that the checkers notice.

pub(crate) mod mutants;
pub(crate) mod ledger_mutations;
pub(crate) mod fold_mutations;
pub(crate) mod notice_mutations;
pub(crate) mod payout_mutations;
