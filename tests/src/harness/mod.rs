//! What the tests stand on: a running stack, the functions in this process, and what stands
//! around them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test's own machinery: a panic here is a failed test, which is what it is for"
)]

pub mod stack;
pub mod in_process;
pub mod notice_receiver;
pub mod counting_proxy;
pub mod aws_recorder;
pub mod logs;
