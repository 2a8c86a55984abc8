//! Partners: programs, attribution, the commission ledger, payouts, statements and notices.

pub mod program;
pub mod program_input;
pub mod tiers;
pub mod attribution;
pub mod ledger;
pub mod referral_status;
pub mod payout;
pub mod statement;
pub mod notice;
pub mod bank_account;
