//! The whole promise, tried on the whole: real handlers, the real SDK, the embedded engine.

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

mod support;

mod stories;
mod provider_scenarios;
mod event_orders;
mod referrals;
mod requests;
mod payouts;
mod commission_stories;
mod notices;
mod endpoints;
mod fallbacks;
mod audits;
mod guests;
mod waiting;
mod silent_api;
mod unproven_requests;
mod letters;
mod timing;
mod corpus;
mod bad_input;
mod process_kills;
