//! Laws of usage: quantities, pages as sets, periods, what meters count, and what it costs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

mod quantities;
mod pages;
mod periods;
mod meters;
mod prices;
mod catalog;
mod credits;
