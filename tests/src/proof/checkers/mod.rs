//! What must hold of a simulation, compared with the reference model.

pub(crate) mod write_checks;
pub(crate) mod ledger_checks;
pub(crate) mod letter_checks;
pub(crate) mod payout_checks;
pub(crate) mod notice_checks;
pub(crate) mod invariants;
