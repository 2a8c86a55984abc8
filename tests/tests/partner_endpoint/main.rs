//! The partners' endpoint, as Lambda calls it, over a table in memory.

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

mod schema;
#[expect(unreachable_pub, reason = "as the guide shows it to others")]
mod signing;

mod reports;
mod postbacks;
mod referrals;
mod greedy;
mod openapi;
mod cases;
mod guide;
mod partner_keys;
mod leaked_root;
