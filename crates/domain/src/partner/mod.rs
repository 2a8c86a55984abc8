//! Partners: their programs (`program`, `rate`, `tiers`, `program_input`), the referrals they
//! report and who counts (`identity`, `referral`, `attribution`, `referral_status`), what they earn
//! (`ledger_account`, `ledger`), how they are paid (`payout`, `statement`, `bank_account`), and
//! what they are told (`notice`).

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
