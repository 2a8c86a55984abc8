//! The seams of the protocol: each of its functions by itself, with somebody dying or losing an
//! answer at every request, others in between at every request, and one net alone to finish it.

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

#[path = "../protocol/support.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of the protocol, which use the rest"
)]
mod support;
mod orders;
mod extent;
mod alone;
mod seam;
mod fallbacks;
mod ends;
mod history;
mod actors;

mod ingest;
mod hand_over;
mod retry_parked;
mod effects;
mod letters;
mod decisions;
mod payouts;
mod notices;
mod tiers;
mod audit;
mod due_scan;
mod fan_out;
mod waiting;
mod long_journals;
mod first_payment;
mod reports;
mod shop_keys;
mod readers;

mod table;
mod trace;
