//! The pages as their readers meet them: over HTTP, on a running stack.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

mod doctor;
mod killed;
mod load;
mod endpoints;
mod mistyped;
mod partners;
mod sent;
mod payouts;
mod shown;
mod support;
mod typed;
