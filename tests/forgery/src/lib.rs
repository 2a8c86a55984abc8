//! Who comes to the endpoints of `providers`: genuine senders, and everybody else.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's own machinery: a panic here is a failed test, which is what it is for"
)]

mod delivery_format;
mod types;
mod address;
mod receive;
mod genuine;

pub mod endpoints;

mod tampered;
mod tamperings;

pub mod tries;

pub mod credentials;

pub mod fuzz;

pub use endpoints::endpoints;
pub use tries::{ForgeryTotal, run_tries};
pub use types::TestEndpoint;
