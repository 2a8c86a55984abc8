//! The store's protocol over its table in memory: what each request costs, and that nothing is
//! lost or done twice, whoever races, crashes or loses an answer.

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

mod dynamo;
mod memory;
mod paging;
mod faults;
mod rows;
mod time_outs;
mod keys;
mod ingest;
mod folding;
mod digests;

mod audit;
mod due_scan;
mod long_journals;
mod passed_over;
mod versions;
mod code_spellings;
mod images;
mod refolding;
mod too_large;
mod guests;
mod fan_out;
mod waiting;
mod letters;
mod partners;
mod operator_decisions;
mod decisions_in_order;
mod reports;
mod endpoints;
mod notices;
mod shop_notices;
mod commissions;
mod first_payment;
mod tiers;
mod payouts;
mod shop;
mod usage;
