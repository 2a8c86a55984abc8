//! Who comes to the doors of `providers`: genuine senders, and everybody else.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's own machinery: a panic here is a failed test, which is what it is for"
)]

pub mod endpoints;

mod delivery_format;
mod address;
mod genuine;

mod tampered;
mod tamperings;

pub mod tries;

pub mod fuzz;

pub use endpoints::{TestEndpoint, endpoints};
pub use tries::{ForgeryTotal, run_tries};
