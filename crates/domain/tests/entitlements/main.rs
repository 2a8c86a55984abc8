//! What a customer may use: the catalog's features, and the answers about them, by example and over
//! generated lives.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

#[path = "../laws/scenarios.rs"]
#[allow(dead_code, reason = "these tests need a part of it")]
mod scenarios;

mod features;
mod generated;
mod laws;
mod life;
mod purchases;
mod stories;
