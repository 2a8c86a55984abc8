//! The template held against the functions, the local stack and an emulator of AWS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm
)]
// Helpers of tests fail loudly and print what they counted; the lints' exception covers test
// functions alone.

mod template;
mod deployed_harness;
mod wiring;
mod permissions;
mod costs;
mod checks;
mod emulator;
