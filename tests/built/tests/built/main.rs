//! The functions as Lambda runs them: their own programs, as processes, over AWS's documented
//! events, with services behind TLS that can fail as AWS does.

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

mod aws;
mod test_harness;
mod requests;

mod gateways;
mod batches;
mod malformed_events;
mod freezes;
mod start_failures;
mod certificates;
mod long_journals;
mod shop_questions;
