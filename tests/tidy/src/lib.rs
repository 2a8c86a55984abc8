//! The house rules, held by tests: sizes, arrows, circles, words, pages, checklists.
//!
//! Nothing of the house is linked: its files are read, so the rules are known in seconds.

#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

mod sizes;
mod boundaries;
mod circles;
mod names;
mod checklists;
mod leftovers;
mod pages;
mod modules;
mod tree;
