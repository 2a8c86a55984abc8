//! Partners: their programs (`program`, `rate`, `tiers`, `program_input`), the referrals they
//! report and who counts (`identity`, `referral`, `attribution`, `referral_status`), a person's
//! first payment (`first_payment`), what they earn (`ledger_account`, `row_kind`, `accrual`,
//! `ledger`), and how they are paid (`payout`, `statement`, `bank_account`). What they are told is
//! in [`crate::notice`].

pub mod program;
pub mod rate;
pub mod tiers;
pub mod program_input;
pub mod identity;
pub mod referral;
pub mod attribution;
pub mod first_payment;
pub mod ledger_account;
pub mod row_kind;
pub mod accrual;
pub mod ledger;
pub mod referral_status;
pub mod payout;
pub mod statement;
pub mod bank_account;
