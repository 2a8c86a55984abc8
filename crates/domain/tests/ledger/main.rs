//! The commission ledger: the story of model 4, the rules by example, and the laws over generated
//! histories.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

mod model_table;
mod histories;
mod history;
mod payouts;
mod rules;
mod closed_payments;
mod story;
mod self_referral;
mod greedy_partners;
mod code_spellings;
mod taxes;
mod late_links;
