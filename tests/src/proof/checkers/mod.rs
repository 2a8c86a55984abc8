//! What must hold of a simulation, compared with the reference model.

pub(crate) mod invariants;
pub(crate) mod ledger_checks;
pub(crate) mod payout_checks;
pub(crate) mod notice_checks;
