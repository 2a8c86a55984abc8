//! Partners: what they report, what that earns them, how they are paid and what they are told.

pub mod program;
pub mod rate;
pub mod tiers;
pub mod program_input;
pub mod identity;
pub mod referral;
pub mod attribution;
pub mod ledger_account;
pub mod ledger;
pub mod referral_status;
pub mod payout;
pub mod statement;
pub mod notice;
pub mod bank_account;
