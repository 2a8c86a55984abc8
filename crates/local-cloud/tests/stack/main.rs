//! The local stack as its users meet it: over HTTP, by the SDK's own clients, and in process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

mod control;
mod gateway;
mod guard;
mod mail;
mod queues;
mod restart;
mod streams;
mod support;
mod table;
