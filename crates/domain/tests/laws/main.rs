//! The laws of the fold, the plan and the values they use: by example and over generated events.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

mod bank_account;
mod catalog;
mod dates;
mod due_letters;
mod invoices;
mod items;
mod letter_causes;
mod long_journals;
mod long_lives;
mod money;
mod order;
mod payments;
mod pricing;
mod profiles;
mod program_input;
mod scenarios;
mod shop_notices;
mod shop_notice_examples;
mod shop_notice_bodies;
mod snapshot_order;
mod unlinked;
mod welcome;
