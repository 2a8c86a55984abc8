//! The shop's own endpoint, as Lambda calls it, over a table in memory, and over HTTP.

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

#[path = "../partner_endpoint/schema.rs"]
mod schema;
mod support;

mod keys;
mod tokens;
mod customers;
mod entitlements;
mod refusals;
mod usage;
mod openapi;
mod samples;
mod client;
