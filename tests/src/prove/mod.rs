//! The proof's machinery: worlds in which everything goes wrong, and the laws that hold there.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test's own machinery: a panic here is a failed test, which is what it is for"
)]

mod asking;
mod books;
mod calendar;
mod canon;
mod desk;
mod due;
pub mod engines;
pub mod exhaustive;
mod faults;
mod handlers;
mod happening;
pub mod kill;
mod index;
mod interleave;
mod laws;
mod lives;
mod lockstep;
mod misbooking;
mod misfolding;
mod mistelling;
mod mutants;
mod noticed;
mod noticing;
mod ops;
mod oracle;
mod owed;
mod paying;
mod payouts;
mod pipes;
mod port;
mod random;
mod referring;
mod rows;
mod senders;
pub mod shrink;
pub mod simulate;
mod spending;
mod subscribing;
mod tellings;
mod told;
mod twin;
mod weather;
mod world;

pub use faults::{COUNT, Hits, NAMES, Spec};
pub use mutants::{ALL as MUTANTS, Mutant};
pub use twin::Calm;
